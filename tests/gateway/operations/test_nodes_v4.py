from __future__ import annotations

import json
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from tests.gateway.conftest import Running
from tests.gateway.raw_client import ALL, RawClient, connected

from homarus.protocol.device_identity import DeviceIdentity

V4: dict[str, Any] = {"minProtocol": 4, "maxProtocol": 4}
CLIENT = {"id": "node-host", "version": "t", "platform": "linux", "mode": "node"}


def host(gateway: Running, identity: DeviceIdentity, *commands: str) -> AbstractAsyncContextManager[RawClient]:
    facts: dict[str, Any] = {"role": "node", "scopes": [], "client": CLIENT, "caps": ["system"]}
    return connected(gateway.url, identity, **V4, **facts, commands=list(commands or ("system.run", "system.which")))


async def approve(operator: RawClient) -> None:
    [request] = (await operator.call("node.pair.list", {}))["payload"]["pending"]
    assert (await operator.call("node.pair.approve", {"requestId": request["requestId"]}))["ok"]


async def listed(operator: RawClient, node_id: str) -> dict[str, Any]:
    return (await operator.call("node.describe", {"nodeId": node_id}))["payload"]


async def which(operator: RawClient, node_id: str) -> dict[str, Any]:
    params = {"nodeId": node_id, "command": "system.which", "idempotencyKey": "k", "timeoutMs": 1}
    return (await operator.call("node.invoke", params))["error"]


async def test_a_node_does_nothing_before_it_is_approved_and_then_all_of_it_at_once(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, **V4) as operator, host(gateway, identity) as box:
        waiting = await listed(operator, identity.id)
        assert (waiting["approvalState"], waiting["commands"], waiting["caps"]) == ("pending-approval", [], [])
        assert waiting["pendingDeclaredCommands"] == ["system.run", "system.which"]
        assert (await which(operator, identity.id))["details"]["reason"] == "command not approved"
        await approve(operator)
        assert (await box.event("node.pair.resolved"))["decision"] == "approved"
        approved = await listed(operator, identity.id)
        assert (approved["approvalState"], approved["caps"]) == ("approved", ["system"])
        assert "timed out" in (await which(operator, identity.id))["message"]


async def test_what_a_node_learns_later_has_to_be_approved_as_well(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, **V4) as operator:
        async with host(gateway, identity, "system.which"):
            await approve(operator)
        async with host(gateway, identity, "system.run", "system.which"):
            node = await listed(operator, identity.id)
            assert (node["approvalState"], node["commands"]) == ("pending-reapproval", ["system.which"])
            await approve(operator)
            assert (await listed(operator, identity.id))["commands"] == ["system.run", "system.which"]


async def test_nodes_tell_of_themselves_while_they_are_there(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, **V4) as operator, host(gateway, identity) as box:
        assert (await box.call("node.skills.update", {"skills": []}))["payload"] == {
            "nodeId": identity.id,
            "skills": [],
        }
        tools = [{"name": "lamp"}]
        assert (await box.call("node.pluginTools.update", {"tools": tools}))["payload"]["tools"] == tools
        inventory = {"protocolFeatures": ["x"], "workerHost": {"enabled": False}}
        early = await box.call("node.runnerInventory.update", inventory)
        assert early["error"]["code"] == "UNAVAILABLE"
        await approve(operator)
        assert (await box.call("node.runnerInventory.update", inventory))["payload"] == {"nodeId": identity.id}
        stats = {"event": "node.host.stats", "payloadJSON": json.dumps({"cpu": 1})}
        await box.call("node.event", stats)
        assert (await operator.event("node.hostStats"))["hostStats"] == {"cpu": 1}
        node = await listed(operator, identity.id)
        assert (node["nodePluginTools"], node["hostStats"]) == (tools, {"cpu": 1})
        huge = await box.call("node.pluginTools.update", {"tools": [{"text": "x" * 300_000}]})
        assert "at most" in huge["error"]["message"]


async def test_a_removed_node_is_gone_and_what_else_the_device_is_stays(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, **V4) as operator:
        async with host(gateway, identity) as box:
            await approve(operator)
            assert (await operator.call("node.pair.remove", {"nodeId": identity.id}))["payload"] == {
                "nodeId": identity.id
            }
            while "closed" not in (frame := await box.receive()):
                pass
            assert frame["closed"] == 4001
        assert (await operator.event("node.pair.resolved", decision="removed"))["nodeId"] == identity.id
        again = await operator.call("node.pair.remove", {"nodeId": identity.id})
        assert again["error"]["message"] == "unknown nodeId"
        both = DeviceIdentity.generate()
        async with connected(gateway.url, both, scopes=ALL), host(gateway, both):
            await operator.call("node.pair.remove", {"nodeId": both.id})
        devices = (await operator.call("device.pair.list", {}))["payload"]["paired"]
        assert [device["roles"] for device in devices if device["deviceId"] == both.id] == [["operator"]]


async def test_a_device_keeps_the_name_its_owner_gave_it(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, **V4) as operator:
        async with connected(gateway.url, identity):
            renamed = await operator.call("device.pair.rename", {"deviceId": identity.id, "label": " desk "})
            assert renamed["payload"] == {"deviceId": identity.id, "label": "desk"}
            assert await operator.event("device.pair.changed") == {}
            here = (await operator.call("device.pair.list", {}))["payload"]["paired"]
            assert [each["connected"] for each in here if each["deviceId"] == identity.id] == [True]
        async with connected(gateway.url, identity):
            paired = (await operator.call("device.pair.list", {}))["payload"]["paired"]
        assert [each["operatorLabel"] for each in paired if each["deviceId"] == identity.id] == ["desk"]
        unknown = await operator.call("device.pair.rename", {"deviceId": "ghost", "label": "x"})
        assert unknown["error"]["message"] == "unknown deviceId"
        blank = await operator.call("device.pair.rename", {"deviceId": identity.id, "label": "  "})
        assert blank["error"]["message"] == "label required"
        async with connected(gateway.url, scopes=["operator.pairing"], **V4) as other:
            denied = await other.call("device.pair.rename", {"deviceId": identity.id, "label": "x"})
            assert denied["error"]["message"] == "device pairing rename denied"


async def test_nodes_of_both_versions_learn_new_wake_words_once(gateway: Running) -> None:
    old_host: dict[str, Any] = {"role": "node", "scopes": [], "client": CLIENT}
    async with (
        connected(gateway.url, **V4) as operator,
        host(gateway, DeviceIdentity.generate()) as new,
        connected(gateway.url, **old_host) as old,
    ):
        for node in (new, old):
            await node.event("voicewake.changed")
        assert (await operator.call("voicewake.set", {"triggers": ["lobster"]}))["ok"]
        for node in (operator, new, old):
            assert (await node.event("voicewake.changed"))["triggers"] == ["lobster"]
            assert (await node.call("health"))["ok"]
            assert [frame for frame in node.events if frame.get("event") == "voicewake.changed"] == []


async def test_nodes_learn_where_wake_words_lead_when_they_come_and_when_it_changes(gateway: Running) -> None:
    old_host: dict[str, Any] = {"role": "node", "scopes": [], "client": CLIENT}
    route = {"trigger": "Hey,  Deck!", "target": {"sessionKey": "agent:main:deck"}}
    async with (
        connected(gateway.url, **V4) as operator,
        host(gateway, DeviceIdentity.generate()) as new,
        connected(gateway.url, **old_host) as old,
    ):
        first = (await new.event("voicewake.routing.changed"))["config"]
        assert first == {"version": 1, "defaultTarget": {"mode": "current"}, "routes": [], "updatedAtMs": 0}
        changed = await operator.call("voicewake.routing.set", {"config": {**first, "routes": [route]}})
        config = changed["payload"]["config"]
        assert config["routes"] == [{"trigger": "hey deck", "target": {"sessionKey": "agent:main:deck"}}]
        assert config["updatedAtMs"] > 0
        for client in (operator, new):
            assert (await client.event("voicewake.routing.changed"))["config"] == config
        assert (await operator.call("voicewake.routing.get"))["payload"] == {"config": config}
        await old.event("voicewake.changed")
        assert (await old.call("health"))["ok"]
        assert [frame for frame in old.events if frame.get("event") == "voicewake.routing.changed"] == []


async def test_what_is_said_after_a_wake_word_goes_where_it_leads(gateway: Running) -> None:
    routes = [
        {"trigger": "deck", "target": {"sessionKey": "agent:main:deck"}},
        {"trigger": "main", "target": {"agentId": "main"}},
    ]
    config = {"defaultTarget": {"sessionKey": "agent:main:hall"}, "routes": routes}
    async with connected(gateway.url, **V4) as client:
        assert (await client.call("voicewake.routing.set", {"config": config}))["ok"]
        said: list[tuple[dict[str, Any], str]] = [
            ({"voiceWakeTrigger": "Deck!"}, "agent:main:deck"),
            ({"voiceWakeTrigger": "main"}, "agent:main:main"),
            ({"voiceWakeTrigger": "something else"}, "agent:main:hall"),
            ({"voiceWakeTrigger": "deck", "sessionKey": "main"}, "agent:main:deck"),
            ({"voiceWakeTrigger": "deck", "sessionKey": "agent:main:own"}, "agent:main:own"),
            ({"voiceWakeTrigger": "deck", "agentId": "main"}, "agent:main:main"),
            ({"sessionKey": "main"}, "agent:main:main"),
        ]
        for number, (params, key) in enumerate(said):
            answer = await client.call("agent", {"message": "hi", "idempotencyKey": f"w{number}", **params})
            assert answer["payload"]["status"] == "accepted"
            assert gateway.runs.submissions[-1].session_key == key, params


HERE = {"mode": "current"}
LOST: list[tuple[dict[str, Any], str]] = [
    ({"routes": [{"trigger": "a", "target": {}}]}, "exactly one of mode, agentId and sessionKey"),
    ({"routes": [{"trigger": "a", "target": {"mode": "current", "agentId": "main"}}]}, "exactly one of"),
    ({"routes": [{"trigger": "a", "target": {"agentId": "ghost"}}]}, 'unknown agent id "ghost"'),
    ({"defaultTarget": {"sessionKey": "agent:ghost:main"}}, 'unknown agent id "ghost"'),
    ({"routes": [{"trigger": "!!", "target": HERE}]}, "has no letters"),
    ({"routes": [{"trigger": "x" * 65, "target": HERE}]}, "/config/routes/0/trigger"),
    (
        {
            "routes": [
                {"trigger": "Hi", "target": HERE},
                {"trigger": "hi!", "target": HERE},
            ]
        },
        "two routes",
    ),
    ({"routes": [{"trigger": str(n), "target": HERE} for n in range(33)]}, "/config/routes"),
]


@pytest.mark.parametrize(("config", "told"), LOST)
async def test_routes_that_lead_nowhere_are_refused(gateway: Running, config: dict[str, Any], told: str) -> None:
    async with connected(gateway.url, **V4) as client:
        error = (await client.call("voicewake.routing.set", {"config": config}))["error"]
        assert (error["code"], told in error["message"]) == ("INVALID_REQUEST", True), error
        assert (await client.call("voicewake.routing.get"))["payload"]["config"]["routes"] == []
