"""An example of the parameters of every operation: what is required, with values somebody could really send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from homarus.protocol.frames import JsonObject, as_object

if TYPE_CHECKING:
    from homarus.gateway.operations.registry import Operation
    from homarus.gateway.operations.shapes import Shapes

_VALUES: Final[Mapping[str, object]] = {
    "accountId": "default",
    "agentId": "main",
    "channel": "telegram",
    "code": "7KQ2M9XA",
    "command": "system.which",
    "deviceId": "9f2c1e7ab4d05836c1",
    "event": "voice.transcript",
    "id": "5b0c7a52-0f3e-4f5e-9a43-0a6a2f1d7c11",
    "idempotencyKey": "order-4711",
    "key": "agent:main:main",
    "message": "What is on my calendar today?",
    "nodeId": "9f2c1e7ab4d05836c1",
    "requestId": "0d4f2b1e-77aa-4d0b-8c35-0f6f6c1b2a90",
    "role": "operator",
    "runId": "order-4711",
    "sessionId": "b1946ac9-2d6a-4f0e-8a6c-3e7d5f0b9c22",
    "sessionKey": "agent:main:main",
    "text": "The door bell rang.",
    "to": "123456789",
}
"""By the name of the parameter."""
_TIME: Final = 1_795_000_000_000
_OWN: Final[Mapping[str, JsonObject]] = {
    "agent": {"message": "What is on my calendar today?", "agentId": "main", "idempotencyKey": "order-4711"},
    "agents.create": {"name": "Research", "workspace": "~/research"},
    "agents.files.get": {"agentId": "main", "name": "AGENTS.md"},
    "agents.files.set": {"agentId": "main", "name": "AGENTS.md", "content": "Answer briefly."},
    "config.apply": {"raw": "{ gateway: { port: 18789 } }", "baseHash": "5f2c…"},
    "config.patch": {"raw": '{ messages: { responsePrefix: "bot:" } }', "baseHash": "5f2c…"},
    "config.schema.lookup": {"path": "gateway.port"},
    "config.set": {"raw": "{ gateway: { port: 18789 } }", "baseHash": "5f2c…"},
    "cron.add": {
        "name": "Morning",
        "schedule": {"kind": "cron", "expr": "0 8 * * *", "tz": "Europe/Berlin"},
        "sessionTarget": "main",
        "wakeMode": "now",
        "payload": {"kind": "systemEvent", "text": "Say good morning."},
    },
    "cron.update": {"id": "5b0c7a52-0f3e-4f5e-9a43-0a6a2f1d7c11", "patch": {"enabled": False}},
    "exec.approval.request": {"command": "systemctl restart nginx", "host": "gateway"},
    "exec.approval.resolve": {"id": "0d4f2b1e-77aa-4d0b-8c35-0f6f6c1b2a90", "decision": "allow-once"},
    "plugin.approval.resolve": {"id": "plugin:0d4f2b1e-77aa-4d0b-8c35-0f6f6c1b2a90", "decision": "deny"},
    "exec.approvals.set": {"file": {"version": 1}, "baseHash": "5f2c…"},
    "node.rename": {"nodeId": "9f2c1e7ab4d05836c1", "displayName": "Kitchen tablet"},
    "sessions.create": {"label": "Holiday plans", "agentId": "main"},
    "sessions.list": {"limit": 20, "includeDerivedTitles": True},
    "sessions.patch": {"key": "agent:main:main", "label": "Holiday plans"},
    "sessions.resolve": {"label": "Holiday plans"},
    "poll": {
        "channel": "telegram",
        "to": "123456789",
        "question": "Which day?",
        "options": ["Friday", "Saturday"],
        "idempotencyKey": "poll-7",
    },
    "send": {"channel": "telegram", "to": "123456789", "message": "The backup is done.", "idempotencyKey": "backup-7"},
    "skills.install": {"name": "weather", "installId": "pip"},
    "skills.update": {"skillKey": "weather", "enabled": False},
    "system-event": {"text": "The door bell rang."},
    "tools.invoke": {"name": "read", "args": {"path": "notes.md"}},
    "voicewake.set": {"triggers": ["computer"]},
    "wake": {"mode": "now", "text": "The backup failed."},
}
"""Of operations whose parameters depend on each other, or say more with one more."""


def example_of(operation: Operation, shapes: Shapes) -> JsonObject:
    """Return parameters the operation takes."""
    own = _OWN.get(operation.name)
    if own is not None:
        return dict(own)
    return sample(shapes.params(operation), shapes.shared)


def sample(schema: JsonObject, shared: Mapping[str, JsonObject]) -> JsonObject:
    """Return an object of a schema with what is required in it."""
    return cast("JsonObject", _value("", schema, shared))


def _value(name: str, schema: JsonObject, shared: Mapping[str, JsonObject]) -> object:
    if isinstance(reference := schema.get("$ref"), str):
        return _value(name, shared[reference.rpartition("/")[2]], shared)
    for union in ("anyOf", "oneOf", "allOf"):
        if isinstance(options := schema.get(union), list):
            return _value(name, cast("list[JsonObject]", options)[0], shared)
    if "const" in schema:
        return schema["const"]
    if isinstance(choices := schema.get("enum"), list):
        return cast("list[object]", choices)[0]
    match schema.get("type"):
        case "object":
            return _object(schema, shared)
        case "array":
            return [_value(name.removesuffix("s"), as_object(schema.get("items")) or {}, shared)]
        case "integer" | "number":
            return _TIME if name == "ts" or name.endswith(("At", "AtMs")) else schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return _VALUES.get(name, "text")


def _object(schema: JsonObject, shared: Mapping[str, JsonObject]) -> JsonObject:
    fields = as_object(schema.get("properties")) or {}
    required = cast("list[str]", schema.get("required", []))
    return {name: _value(name, as_object(fields[name]) or {}, shared) for name in required}
