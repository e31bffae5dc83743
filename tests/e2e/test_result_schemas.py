"""The operations that clients call most, called on a real gateway: what they answer is what their schema says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from tests.e2e.process import TOKEN, GatewayProcess, gateway, write_config
from tests.gateway.raw_client import ALL, RawClient, connect_params, connected, open_client

from homarus.gateway.operations.catalogue import build_registry
from homarus.gateway.operations.shapes import shapes_of
from homarus.protocol.device_identity import DeviceIdentity
from homarus.protocol.frames import JsonObject
from homarus.protocol.results.table import RESULTS
from homarus.testing.model_server import ModelServer

V4: dict[str, Any] = {"minProtocol": 4, "maxProtocol": 4, "auth": {"token": TOKEN}}
V3: dict[str, Any] = {"minProtocol": 3, "maxProtocol": 3, "auth": {"token": TOKEN}}
NODE = {"id": "node-host", "version": "t", "platform": "linux", "mode": "node", "displayName": "box"}
AWAY = {"X-Forwarded-For": "203.0.113.9"}
PHONE = {"id": "openclaw-ios", "version": "t", "platform": "iOS 18", "mode": "ui"}
COMMANDS = ["system.which", "system.notify"]
KEY = "agent:main:tour"


class Tour:
    """A client that keeps everything it was answered."""

    def __init__(self, client: RawClient, answers: list[tuple[str, Any]]) -> None:
        self._client = client
        self.answers = answers
        self._count = 0

    async def ask(self, method: str, **params: Any) -> Any:
        """Call, and keep what was answered, the first of two answers too."""
        self._count += 1
        identifier = f"t{self._count}"
        await self._client.send({"type": "req", "id": identifier, "method": method, "params": params})
        answer = await self._client.answer_to(identifier)
        assert answer.get("ok"), (method, params, answer)
        self.answers.append((method, answer["payload"]))
        if method == "agent":
            answer = await self._client.answer_to(identifier)
            self.answers.append((method, answer["payload"]))
        return answer["payload"]


async def sessions(tour: Tour) -> None:
    created = await tour.ask("sessions.create", key=KEY, label="tour")
    await tour.ask("sessions.create", message="hello", idempotencyKey="c1")
    await tour.ask("agent", message="hello", sessionKey=KEY, idempotencyKey="a1")
    await tour.ask("agent.wait", runId="a1")
    await tour.ask("agent.wait", runId="nobody", timeoutMs=0)
    for method in ("sessions.send", "sessions.steer"):
        sent = await tour.ask(method, key=KEY, message="go on")
        await tour.ask("agent.wait", runId=sent["runId"])
    sent = await tour.ask("chat.send", sessionKey=KEY, message="and on", idempotencyKey="m1")
    await tour.ask("agent.wait", runId="m1")
    await tour.ask("chat.send", sessionKey=KEY, message="and on", idempotencyKey="m1")
    await tour.ask("chat.send", sessionKey=KEY, message="/stop", idempotencyKey="m2")
    await tour.ask("chat.inject", sessionKey=KEY, message="a note", label="ops")
    history = await tour.ask("chat.history", sessionKey=KEY)
    await tour.ask("chat.history", sessionKey="agent:main:none")
    await tour.ask("chat.startup", sessionKey=KEY)
    await tour.ask("chat.metadata")
    await tour.ask("commands.list")
    await tour.ask("chat.message.get", sessionKey=KEY, messageId=history["messages"][0]["__openclaw"]["id"])
    await tour.ask("chat.abort", sessionKey=KEY)
    await tour.ask("sessions.abort", key=KEY)
    await tour.ask("sessions.list", includeDerivedTitles=True, includeLastMessage=True)
    await tour.ask("sessions.describe", key=KEY)
    await tour.ask("sessions.describe", key="agent:main:none")
    await tour.ask("sessions.get", key=KEY)
    await tour.ask("sessions.preview", keys=[KEY, "agent:main:none"])
    await tour.ask("sessions.resolve", sessionId=created["sessionId"])
    await tour.ask("sessions.patch", key=KEY, thinkingLevel="low")
    await tour.ask("sessions.branches.list", sessionKey=KEY)
    await tour.ask("sessions.companion.state", sessionKey=KEY)
    await tour.ask("sessions.observer.visibility", visible=True)
    await tour.ask("sessions.viewers.set", sessionKeys=[KEY])
    await tour.ask("sessions.subscribe")
    await tour.ask("sessions.subscribe", limit=5)
    await tour.ask("sessions.messages.subscribe", key=KEY)
    await tour.ask("sessions.messages.unsubscribe", key=KEY)
    await usage(tour)
    await tour.ask("sessions.compact", key=KEY, maxLines=2)
    await tour.ask("sessions.compact", key=KEY, maxLines=400)
    await tour.ask("sessions.reset", key=KEY)
    await tour.ask("sessions.delete", key=KEY)


async def usage(tour: Tour) -> None:
    await tour.ask("sessions.create", key="agent:main:silent")
    await tour.ask("sessions.usage", includeContextWeight=True)
    await tour.ask("sessions.usage", key="agent:main:silent", includeContextWeight=True)
    await tour.ask("sessions.usage", key=KEY)
    await tour.ask("sessions.usage.timeseries", key=KEY)
    await tour.ask("sessions.usage.logs", key=KEY)
    await tour.ask("usage.status")
    await tour.ask("usage.cost", days=7)


async def agents(tour: Tour, folder: Path) -> None:
    await tour.ask("agents.list")
    await tour.ask("agents.create", name="Deck Hand", workspace=str(folder / "deck"), emoji="x")
    await tour.ask("agents.update", agentId="deck-hand", name="Deck")
    await tour.ask("agents.files.set", agentId="deck-hand", name="SOUL.md", content="calm")
    await tour.ask("agents.files.list", agentId="deck-hand")
    await tour.ask("agents.files.get", agentId="deck-hand", name="SOUL.md")
    await tour.ask("agents.files.get", agentId="deck-hand", name="TOOLS.md")
    await tour.ask("agents.list")
    await tour.ask("agent.identity.get", agentId="deck-hand")
    await tour.ask("agents.delete", agentId="deck-hand")


async def models(tour: Tour) -> None:
    await tour.ask("models.list")
    await tour.ask("models.list", view="all", includeDetails=True, includeDefaultModels=True)
    await tour.ask("models.authStatus")


async def cron(tour: Tour) -> None:
    schedule = {"kind": "every", "everyMs": 3_600_000}
    job = {"name": "tides", "schedule": schedule, "sessionTarget": "isolated", "wakeMode": "now"}
    added = await tour.ask("cron.add", **job, payload={"kind": "agentTurn", "message": "tides?"})
    event = {**job, "sessionTarget": "main", "payload": {"kind": "systemEvent", "text": "tick"}}
    other = await tour.ask("cron.add", **event, description="x", deleteAfterRun=True, enabled=False)
    await tour.ask("cron.status")
    ran = await tour.ask("cron.run", id=added["id"])
    assert ran["ok"]
    await tour.ask("cron.update", id=added["id"], patch={"name": "low tides"})
    await tour.ask("cron.get", id=added["id"])
    await tour.ask("cron.list", includeDisabled=True)
    while not (await tour.ask("cron.runs", id=added["id"]))["entries"]:
        await tour.ask("agent.wait", runId="nobody", timeoutMs=50)
    await tour.ask("cron.list", includeDisabled=True)
    await tour.ask("cron.remove", id=other["id"])


async def config(tour: Tour) -> None:
    found = await tour.ask("config.get")
    await tour.ask("config.schema")
    await tour.ask("config.schema.lookup", path="gateway.port")
    await tour.ask("config.schema.lookup", path="gateway")
    done = await tour.ask("config.patch", raw='{"ui": {"seamColor": "#00ff00"}}', baseHash=found["hash"])
    assert done["ok"]
    found = await tour.ask("config.get")
    await tour.ask("config.patch", raw="{}", baseHash=found["hash"])
    await tour.ask("config.set", raw=found["raw"] or "{}", baseHash=found["hash"])
    found = await tour.ask("config.get")
    await tour.ask("config.apply", raw=found["raw"] or "{}", baseHash=found["hash"])
    await tour.ask("config.reload")


async def devices(tour: Tour, running: GatewayProcess) -> None:
    identities = [DeviceIdentity.generate() for _ in range(3)]
    for identity in identities[:2]:
        async with connected(running.ws_url, identity, **V4):
            pass
    keep, gone = identities[:2]
    await tour.ask("device.pair.rename", deviceId=keep.id, label="desk")
    await tour.ask("device.token.rotate", deviceId=keep.id, role="operator")
    await tour.ask("device.token.revoke", deviceId=keep.id, role="operator")
    await tour.ask("device.pair.remove", deviceId=gone.id)
    for method in ("device.pair.approve", "device.pair.reject"):
        request = await _ask_to_pair(running, DeviceIdentity.generate())
        await tour.ask("device.pair.list")
        await tour.ask(method, requestId=request)
    await tour.ask("device.pair.list")
    await tour.ask("device.pair.setupCode", publicUrl="wss://gateway.example.org")


async def _ask_to_pair(running: GatewayProcess, identity: DeviceIdentity) -> str:
    """Have a device ask from elsewhere, and return its request."""
    async with open_client(running.ws_url, AWAY) as client:
        facts: dict[str, Any] = {**V4, "client": PHONE}
        params = connect_params(await client.challenge(), identity, **facts)
        return (await client.call("connect", params))["error"]["details"]["requestId"]


async def nodes(tour: Tour, running: GatewayProcess) -> None:
    identity = DeviceIdentity.generate()
    facts: dict[str, Any] = {**V4, "role": "node", "scopes": [], "client": NODE, "caps": ["system"]}
    async with connected(running.ws_url, identity, **facts, commands=COMMANDS) as box:
        pending = await tour.ask("node.pair.list")
        await tour.ask("node.pair.approve", requestId=pending["pending"][0]["requestId"])
        await tour.ask("node.pair.list")
        await tour.ask("node.rename", nodeId=identity.id, displayName="deck")
        await tour.ask("node.list")
        await tour.ask("node.describe", nodeId=identity.id)
        await tour.ask("node.pending.enqueue", nodeId=identity.id, type="status.request")
        await _serve(tour, box, identity.id)
    await tour.ask("node.list")
    await tour.ask("node.pair.remove", nodeId=identity.id)
    async with connected(running.ws_url, DeviceIdentity.generate(), **facts, commands=COMMANDS):
        pending = await tour.ask("node.pair.list")
        await tour.ask("node.pair.reject", requestId=pending["pending"][0]["requestId"])


async def _serve(tour: Tour, box: RawClient, node_id: str) -> None:
    """Have the node do everything that nodes call."""
    own = Tour(box, tour.answers)
    await own.ask("node.event", event="node.presence.alive", payload={})
    await own.ask("node.pending.drain")
    await own.ask("node.pending.pull")
    await own.ask("node.pending.ack", ids=["x"])
    await own.ask("node.skills.update", skills=[])
    await own.ask("node.pluginTools.update", tools=[])
    await own.ask("node.runnerInventory.update", protocolFeatures=[], workerHost={"enabled": False})
    invoke = {"nodeId": node_id, "command": "system.notify", "params": {"title": "a", "body": "b"}}
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(tour.ask("node.invoke", **invoke, idempotencyKey="i1"))
        wanted = await box.event("node.invoke.request")
        result = {"id": wanted["id"], "nodeId": node_id, "ok": True, "payloadJSON": '{"done":true}'}
        await own.ask("node.invoke.result", **result)
        await own.ask("node.invoke.result", **result)
    assert asked.result()["payload"] == {"done": True}


async def old_names(tour: Tour) -> None:
    """Operations that only version 3 has."""
    await tour.ask("sessions.unsubscribe")
    found = await tour.ask("node.pair.request", nodeId="old-node", displayName="old")
    assert found["created"]
    await tour.ask("node.pair.verify", nodeId="old-node", token="wrong")
    await tour.ask("config.get")


async def machine(tour: Tour) -> None:
    await tour.ask("health")
    await tour.ask("health", probe=True)
    await tour.ask("status")
    await tour.ask("channels.status", probe=True)
    await tour.ask("channels.status")
    await tour.ask("system-presence")
    await tour.ask("logs.tail", limit=20)


@asynccontextmanager
async def toured(folder: Path) -> AsyncGenerator[GatewayProcess]:
    """Run a gateway that has everything the tour visits."""
    async with ModelServer() as model:
        provider = {"baseUrl": model.base_url, "apiKey": "none", "api": "openai-completions",
                    "models": [{"id": "mock", "name": "Mock"}]}  # fmt: skip
        here: dict[str, Any] = {
            "models": {"providers": {"mock": provider}},
            "agents": {"defaults": {"model": {"primary": "mock/mock"}, "workspace": str(folder / "work")}},
            "gateway": {"trustedProxies": ["127.0.0.1"]},
            "channels": {"irc": {"host": "127.0.0.1", "port": 9, "nick": "homarus"}},
        }
        write_config(folder / "home", here)
        async with gateway(folder / "home") as running:
            yield running


async def test_what_is_answered_is_what_the_schema_says(tmp_path: Path) -> None:
    answers: list[tuple[str, Any]] = []
    async with toured(tmp_path) as running:
        async with connected(running.ws_url, scopes=ALL, **V4) as client:
            tour = Tour(client, answers)
            await sessions(tour)
            await models(tour)
            await cron(tour)
            await nodes(tour, running)
            await devices(tour, running)
            await machine(tour)
            await agents(tour, tmp_path)
            await config(tour)
        async with connected(running.ws_url, scopes=ALL, **V3) as client:
            await old_names(Tour(client, answers))
    operations = build_registry().operations
    shapes = shapes_of(operations)
    found = [
        f"{method}{problem}"
        for method, answer in answers
        for problem in problems(answer, shapes.results[method], shapes.shared)
    ]
    assert sorted(set(found)) == []
    assert RESULTS.keys() <= {method for method, _answer in answers}
    assert RESULTS.keys() <= {operation.name for operation in operations}


def problems(value: object, schema: JsonObject, shared: Mapping[str, JsonObject], at: str = "") -> list[str]:
    """Return where a value is not what a schema says; members the schema does not name are problems as well."""
    if isinstance(reference := schema.get("$ref"), str):
        return problems(value, shared[reference.rpartition("/")[2]], shared, at)
    if "anyOf" in schema:
        tried = [problems(value, each, shared, at) for each in cast("list[JsonObject]", schema["anyOf"])]
        return min(tried, key=len)
    if "enum" in schema:
        return [] if value in cast("list[object]", schema["enum"]) else [f"{at}: {value!r} is not one of the values"]
    kind = schema.get("type")
    if kind is not None and not _is_a(value, str(kind)):
        return [f"{at}: {type(value).__name__} instead of {kind}"]
    if kind == "array":
        items = cast("JsonObject", schema["items"])
        return [each for item in cast("list[object]", value) for each in problems(item, items, shared, f"{at}[]")]
    return _members(cast("JsonObject", value), schema, shared, at) if kind == "object" else []


def _members(value: JsonObject, schema: JsonObject, shared: Mapping[str, JsonObject], at: str) -> list[str]:
    known = cast("dict[str, JsonObject]", schema.get("properties", {}))
    others = cast("JsonObject | None", schema.get("additionalProperties"))
    found = [f"{at}.{name}: missing" for name in cast("list[str]", schema.get("required", [])) if name not in value]
    for name, member in value.items():
        if name in known:
            found += problems(member, known[name], shared, f"{at}.{name}")
        elif others is not None:
            found += problems(member, others, shared, f"{at}.*")
        elif known:
            found.append(f"{at}.{name}: not in the schema")
    return found


def _is_a(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    kinds: dict[str, tuple[type, ...]] = {
        "string": (str,), "integer": (int,), "number": (int, float), "boolean": (), "null": (type(None),),
        "array": (list,), "object": (dict,),
    }  # fmt: skip
    return isinstance(value, kinds[kind])
