"""What the configuration may hold: its JSON Schema, hints for forms, and one place of it."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from functools import cache
from typing import Final, cast

from homarus import __version__
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.protocol.base import NoParams
from homarus.protocol.config_edit import ConfigLookupParams
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope

NOT_FOUND: Final = "config schema path not found"
MAX_DEPTH: Final = 32
_MEANING: Final = frozenset(("title", "description", "default"))
"""Keywords that restrict nothing."""
_SHOWN: Final = ("type", "title", "description", "additionalProperties", "enum", "default", "minimum", "maximum")


@operation("config.schema", scope=Scope.ADMIN)
async def config_schema(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001
    """Return the JSON Schema of the configuration with hints for forms."""
    at = datetime.fromtimestamp(call.services.clock.now_ms() / 1000, UTC).isoformat().replace("+00:00", "Z")
    schema, hints = await asyncio.to_thread(lambda: (_schema(), _hints()))
    return {"schema": schema, "uiHints": hints, "version": __version__, "generatedAt": at}


@operation("config.schema.lookup", scope=Scope.READ)
async def lookup_schema(call: Call, params: ConfigLookupParams) -> JsonObject:  # noqa: ARG001
    """Return what one key of the configuration may hold and the keys below it."""
    parts = [part for part in re.split(r"[./\[\]]+", params.path) if part]
    if not parts or len(parts) > MAX_DEPTH:
        raise invalid(NOT_FOUND)
    return await asyncio.to_thread(_lookup, parts)


def warm() -> None:
    """Make the schema and its hints now, 1 to 2 s of CPU, if they were not asked for before."""
    _schema()
    _hints()


@cache
def _schema() -> JsonObject:
    from homarus.config.inline import inline  # noqa: PLC0415
    from homarus.config.reference import schema_with_meanings  # noqa: PLC0415 - loads every model of the schema

    schema = inline(schema_with_meanings())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "required": [], **schema}


@cache
def _hints() -> dict[str, JsonObject]:
    from homarus.config.catalogue import keys  # noqa: PLC0415 - loads every model of the schema

    return {key.path: _hint(key.path, key.meaning, is_secret=key.is_secret) for key in keys()}


def _hint(path: str, meaning: str, *, is_secret: bool) -> JsonObject:
    label = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", path.rpartition(".")[2]).strip("[]")
    hint: JsonObject = {"label": label[:1].upper() + label[1:], "help": meaning, "tags": [path.partition(".")[0]]}
    return {**hint, "sensitive": True} if is_secret else hint


def _lookup(parts: list[str]) -> JsonObject:
    node = _schema()
    for part in parts:
        node = _below(node, part)
    path = ".".join(parts)
    hint = _hints().get(path) or _hint(path, str(node.get("description", "")), is_secret=False)
    schema = {name: node[name] for name in _SHOWN if name in node}
    required = cast("list[str]", node.get("required") or [])
    children = [_child(path, name, below, is_required=name in required) for name, below in _properties(node).items()]
    return {"path": path, "schema": schema, "hint": hint, "hintPath": path, "children": children}


def _child(path: str, name: str, node: JsonObject, *, is_required: bool) -> JsonObject:
    found = _resolve(node)
    below = f"{path}.{name}"
    hint = _hints().get(below) or _hint(below, str(node.get("description", "")), is_secret=False)
    child: JsonObject = {"key": name, "path": below, "required": is_required, "hasChildren": _has_children(found)}
    if isinstance(found.get("type"), str):
        child["type"] = found["type"]
    return {**child, "hint": hint, "hintPath": below}


def _has_children(node: JsonObject) -> bool:
    return bool(_properties(node)) or isinstance(node.get("additionalProperties"), dict) or "items" in node


def _properties(node: JsonObject) -> dict[str, JsonObject]:
    found = node.get("properties")
    return cast("dict[str, JsonObject]", found) if isinstance(found, dict) else {}


def _below(node: JsonObject, part: str) -> JsonObject:
    """Return what stands below a place: anything where anything may stand. Raises ProtocolError for nothing."""
    if not node.keys() - _MEANING:
        return {}
    named = _properties(node).get(part)
    if named is not None:
        return _with_meaning(_resolve(named), named)
    for name in ("additionalProperties", "items"):
        inner = node.get(name)
        is_index = part == "*" or part.isdigit()
        if isinstance(inner, dict) and (is_index or name == "additionalProperties"):
            return _resolve(cast("JsonObject", inner))
    raise invalid(NOT_FOUND)


def _with_meaning(node: JsonObject, named: JsonObject) -> JsonObject:
    return {**node, **{name: named[name] for name in ("title", "description") if named.get(name)}}


def _resolve(node: JsonObject) -> JsonObject:
    """Follow choices to the richest form: the one with keys below it, else the first."""
    for _ in range(MAX_DEPTH):
        choices = node.get("anyOf") or node.get("oneOf") or node.get("allOf")
        if not isinstance(choices, list) or _properties(node):
            return node
        forms = [cast("JsonObject", each) for each in cast("list[object]", choices)]
        node = next((each for each in forms if _has_children(each)), forms[0] if forms else {})
    return node
