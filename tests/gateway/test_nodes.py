"""Nodes at the gateway: pairing, lists, invokes, waiting work, events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.gateway.conftest import Running
from tests.gateway.fake_services import TOKEN
from tests.gateway.raw_client import ALL, RawClient, connected

from homarus.clock import SystemClock
from homarus.nodes.host.service import HostOptions, NodeHost
from homarus.protocol.device_identity import DeviceIdentity

COMMANDS = ["system.run", "system.which", "system.execApprovals.get", "camera.snap"]


@asynccontextmanager
async def node(gateway: Running, identity: DeviceIdentity, **changes: Any) -> AsyncGenerator[RawClient, None]:
    client = {"id": "node-host", "version": "9", "platform": "linux", "mode": "node", "displayName": "box"}
    facts: dict[str, Any] = {"role": "node", "scopes": [], "caps": ["system"], "commands": COMMANDS, "client": client}
    async with connected(gateway.url, identity, **{**facts, **changes}) as found:
        yield found


async def pending(operator: RawClient) -> list[dict[str, Any]]:
    return (await operator.call("node.pair.list", {}))["payload"]["pending"]


async def approve(operator: RawClient) -> dict[str, Any]:
    [request] = await pending(operator)
    answer = await operator.call("node.pair.approve", {"requestId": request["requestId"]})
    assert answer["ok"], answer
    return answer["payload"]["node"]


def which(node_id: str, **more: object) -> dict[str, object]:
    return {"nodeId": node_id, "command": "system.which", "params": {"bins": ["ls"]}, "idempotencyKey": "k", **more}


async def start(client: RawClient, method: str, params: object) -> str:
    """Send a request without waiting for its answer; return its id."""
    client.sent += 1
    await client.send({"type": "req", "id": f"r{client.sent}", "method": method, "params": params})
    return f"r{client.sent}"


async def test_a_node_that_is_not_approved_asks_once_and_is_listed(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url) as operator:
        async with node(gateway, identity) as box:
            assert (await box.event("voicewake.changed"))["triggers"]
            asked = await operator.event("node.pair.requested")
            assert asked["nodeId"] == identity.id
            assert asked["commands"] == ["system.run", "system.which"]
            [request] = await pending(operator)
            assert request["requiredApproveScopes"] == ["operator.pairing", "operator.admin"]
        async with node(gateway, identity):
            assert [each["requestId"] for each in await pending(operator)] == [request["requestId"]]
        listed = (await operator.call("node.list", {}))["payload"]["nodes"]
        assert [(each["nodeId"], each["connected"]) for each in listed] == [(identity.id, False)]


async def test_approval_gives_a_token_that_is_never_shown_again(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url) as operator, node(gateway, identity):
        approved = await approve(operator)
        assert (await operator.event("node.pair.resolved"))["decision"] == "approved"
        listed = (await operator.call("node.pair.list", {}))["payload"]
        assert listed["pending"] == []
        assert approved["token"] not in json.dumps(listed)
        verify = {"nodeId": identity.id, "token": approved["token"]}
        assert (await operator.call("node.pair.verify", verify))["payload"]["ok"]
        assert (await operator.call("node.pair.verify", {**verify, "token": "x"}))["payload"] == {"ok": False}
        assert (await operator.call("node.rename", {"nodeId": identity.id, "displayName": "Mine"}))["ok"]
        shown = (await operator.call("node.describe", {"nodeId": identity.id}))["payload"]
        assert (shown["displayName"], shown["connected"], shown["paired"]) == ("Mine", True, True)
        assert shown["commands"] == ["system.run", "system.which"]


async def test_a_node_that_runs_programs_is_approved_by_admins_only(gateway: Running) -> None:
    async with connected(gateway.url) as operator, node(gateway, DeviceIdentity.generate()):
        [request] = await pending(operator)
        scopes = ["operator.pairing", "operator.write"]
        async with connected(gateway.url, scopes=scopes) as helper:
            refused = await helper.call("node.pair.approve", {"requestId": request["requestId"]})
            assert refused["error"]["message"] == "missing scope: operator.admin"
        assert (await operator.call("node.pair.reject", {"requestId": request["requestId"]}))["ok"]
        again = await operator.call("node.pair.approve", {"requestId": request["requestId"]})
        assert again["error"]["message"] == "unknown requestId"


async def test_a_removed_device_is_no_approved_node_any_more(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url) as operator:
        async with node(gateway, identity) as box:
            await approve(operator)
            assert (await operator.call("device.pair.remove", {"deviceId": identity.id}))["ok"]
            while "closed" not in (frame := await box.receive()):
                pass
            assert frame["closed"] == 4001
        assert (await operator.call("node.pair.list", {}))["payload"] == {"pending": [], "paired": []}


async def test_an_invoke_goes_to_the_node_and_its_answer_back(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url) as operator, node(gateway, identity) as box:
        asked = await start(operator, "node.invoke", which(identity.id))
        request = await box.event("node.invoke.request")
        assert json.loads(request["paramsJSON"]) == {"bins": ["ls"]}
        assert "timeoutMs" not in request
        body = {"id": request["id"], "nodeId": identity.id, "ok": True, "payloadJSON": '{"bins":{}}', "error": None}
        foreign = await box.call("node.invoke.result", {**body, "nodeId": "other"})
        assert foreign["error"]["message"] == "nodeId mismatch"
        assert (await box.call("node.invoke.result", body))["payload"] == {"ok": True}
        answer = (await operator.answer_to(asked))["payload"]
        assert (answer["payload"], answer["payloadJSON"]) == ({"bins": {}}, '{"bins":{}}')
        assert (await box.call("node.invoke.result", body))["payload"] == {"ok": True, "ignored": True}


async def test_no_node_answers_for_another(gateway: Running) -> None:
    first, second = DeviceIdentity.generate(), DeviceIdentity.generate()
    async with connected(gateway.url) as operator, node(gateway, first) as one, node(gateway, second) as two:
        await start(operator, "node.invoke", which(first.id))
        request = await one.event("node.invoke.request")
        forged = await two.call("node.invoke.result", {"id": request["id"], "nodeId": second.id, "ok": True})
        assert forged["error"]["message"] == "nodeId mismatch"


async def test_errors_of_nodes_time_and_leaving_are_told_apart(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url) as operator:
        async with node(gateway, identity) as box:
            asked = await start(operator, "node.invoke", which(identity.id))
            request = await box.event("node.invoke.request")
            error = {"code": "E", "message": "broken"}
            await box.call(
                "node.invoke.result", {"id": request["id"], "nodeId": identity.id, "ok": False, "error": error}
            )
            failed = (await operator.answer_to(asked))["error"]
            assert (failed["code"], failed["message"], failed["details"]) == (
                "UNAVAILABLE",
                "E: broken",
                {"nodeError": error},
            )
            late = (await operator.call("node.invoke", which(identity.id, timeoutMs=30)))["error"]
            assert late["message"] == "TIMEOUT: node invoke timed out"
            assert late["details"]["nodeError"]["code"] == "TIMEOUT"
            asked = await start(operator, "node.invoke", which(identity.id))
            await box.event("node.invoke.request", idempotencyKey="k")
        assert "node disconnected (system.which)" in (await operator.answer_to(asked))["error"]["message"]
        gone = (await operator.call("node.invoke", which(identity.id)))["error"]
        assert (gone["message"], gone["details"]) == ("node not connected", {"code": "NOT_CONNECTED"})


async def test_commands_outside_the_policy_never_reach_the_node(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url) as operator, node(gateway, identity):
        for command, reason in [
            ("camera.snap", "command not allowlisted"),
            ("system.notify", "command not declared by node"),
        ]:
            error = (await operator.call("node.invoke", which(identity.id, command=command)))["error"]
            assert error["details"] == {"reason": reason, "command": command}
        relayed = (await operator.call("node.invoke", which(identity.id, command="system.execApprovals.get")))["error"]
        assert relayed["details"] == {"command": "system.execApprovals.get"}


async def test_a_caller_cannot_claim_an_approval(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url) as operator, node(gateway, identity) as box:
        run: dict[str, object] = {"command": ["ls"], "approved": True, "sneaky": 1}
        missing = (await operator.call("node.invoke", which(identity.id, command="system.run", params=run)))["error"]
        assert missing["details"]["code"] == "MISSING_RUN_ID"
        run["runId"] = "nope"
        unknown = (await operator.call("node.invoke", which(identity.id, command="system.run", params=run)))["error"]
        assert unknown["details"]["code"] == "UNKNOWN_APPROVAL_ID"
        await start(
            operator, "node.invoke", which(identity.id, command="system.run", params={"command": ["ls"], "x": 1})
        )
        request = await box.event("node.invoke.request")
        assert json.loads(request["paramsJSON"]) == {"command": ["ls"]}


async def test_work_waits_for_the_node_once_per_type(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url) as operator, node(gateway, identity) as box:
        empty = (await box.call("node.pending.drain", {}))["payload"]
        assert [(item["id"], empty["revision"]) for item in empty["items"]] == [("baseline-status", 0)]
        ask = {"nodeId": identity.id, "type": "location.request", "priority": "high"}
        first = (await operator.call("node.pending.enqueue", ask))["payload"]
        second = (await operator.call("node.pending.enqueue", ask))["payload"]
        assert first["queued"] == second["queued"]
        drained = (await box.call("node.pending.drain", {"maxItems": 1}))["payload"]
        assert (drained["items"][0]["id"], drained["hasMore"]) == (first["queued"]["id"], True)
        unknown = await operator.call("node.pending.enqueue", {**ask, "nodeId": "nobody"})
        assert unknown["error"]["message"] == "unknown nodeId"


async def test_a_phone_in_the_background_finds_its_invoke_later(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    client = {"id": "openclaw-ios", "version": "1", "platform": "iOS 18", "mode": "node", "deviceFamily": "iPhone"}
    async with connected(gateway.url) as operator:
        async with node(gateway, identity, client=client, commands=["canvas.hide"]) as phone:
            asked = await start(operator, "node.invoke", which(identity.id, command="canvas.hide"))
            request = await phone.event("node.invoke.request")
            error = {"code": "NODE_BACKGROUND_UNAVAILABLE", "message": "in the background"}
            body = {"id": request["id"], "nodeId": identity.id, "ok": False, "error": error}
            await phone.call("node.invoke.result", body)
            queued = (await operator.answer_to(asked))["error"]
            assert (queued["details"]["code"], queued["retryable"]) == ("QUEUED_UNTIL_FOREGROUND", True)
        async with node(gateway, identity, client=client, commands=["canvas.hide"]) as phone:
            [action] = (await phone.call("node.pending.pull", {}))["payload"]["actions"]
            assert (action["id"], action["command"]) == (queued["details"]["queuedActionId"], "canvas.hide")
            acked = (await phone.call("node.pending.ack", {"ids": [action["id"], "x"]}))["payload"]
            assert (acked["ackedIds"], acked["remainingCount"]) == ([action["id"]], 0)


async def test_events_of_nodes_start_runs_that_are_not_the_owners(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with node(gateway, identity) as box:
        for payload in ('{"message":"hello"}', '{"message":""}', "[1]", "no json", '{"message":7}'):
            assert (await box.call("node.event", {"event": "agent.request", "payloadJSON": payload}))["ok"]
        voice = {"event": "voice.transcript", "payload": {"text": "hi"}}
        assert (await box.call("node.event", voice))["ok"]
        assert (await box.call("node.event", voice))["ok"]
        assert (await box.call("node.event", {"event": "no.such", "payload": {}}))["ok"]
    found = gateway.runs.submissions
    assert [each.text for each in found] == ["hello", "hi"]
    assert [each.requester.is_admin for each in found] == [False, False]
    assert all(each.label is not None and each.label.integrity.name == "USER" for each in found)


async def test_a_second_connection_of_a_node_takes_its_place(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url) as operator, node(gateway, identity) as old, node(gateway, identity) as new:
        await start(operator, "node.invoke", which(identity.id))
        await new.event("node.invoke.request")
        await old.socket.close()
        await new.event("presence")
        await start(operator, "node.invoke", which(identity.id, idempotencyKey="again"))
        await new.event("node.invoke.request", idempotencyKey="again")


async def test_a_node_hears_only_of_sessions_it_follows(gateway: Running) -> None:
    async with connected(gateway.url) as operator, node(gateway, DeviceIdentity.generate()) as box:

        async def tell(event: str, key: str) -> None:
            assert (await box.call("node.event", {"event": event, "payload": {"sessionKey": key}}))["ok"]

        async def say(key: str, run: str) -> None:
            sent = await operator.call("chat.send", {"sessionKey": key, "message": "hi", "idempotencyKey": run})
            assert sent["ok"], sent
            await operator.event("chat", runId=run, state="final")

        await tell("chat.subscribe", "garden")
        await tell("chat.subscribe", " ")
        await say("main", "r1")
        await say("garden", "r2")
        final = await box.event("chat", state="final")
        assert (final["runId"], final["sessionKey"]) == ("r2", "agent:main:garden")
        await tell("chat.unsubscribe", "garden")
        await say("garden", "r3")
        await operator.call("talk.mode", {"enabled": False})
        await box.event("talk.mode")
        assert [
            frame for frame in box.events if frame.get("event") == "chat" and frame["payload"]["runId"] != "r2"
        ] == []


@asynccontextmanager
async def headless(gateway: Running, folder: Path) -> AsyncGenerator[str, None]:
    """A real node host beside the gateway; yields its id."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    environment = {"PATH": "/usr/bin:/bin"}
    options = HostOptions(gateway.url, folder, "host", token=TOKEN, environment=environment)
    host = NodeHost(options, SystemClock(), lambda node_id, _commands: ready.set_result(node_id))
    task = asyncio.create_task(host.run())
    try:
        async with asyncio.timeout(45):
            yield await ready
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_approved_command_runs_once_on_a_real_node_host(gateway: Running, tmp_path: Path) -> None:
    async with headless(gateway, tmp_path / "node") as node_id, connected(gateway.url, scopes=ALL) as operator:

        async def invoke(command: str, params: object) -> dict[str, Any]:
            return await operator.call("node.invoke", which(node_id, command=command, params=params))

        early = await invoke("system.run", {"command": ["echo", "hi"]})
        assert early["error"]["details"]["reason"] == "command not approved"
        await approve(operator)
        denied = await invoke("system.run", {"command": ["echo", "hi"]})
        assert denied["error"]["message"] == "UNAVAILABLE: SYSTEM_RUN_DENIED: approval required"
        plan = (await invoke("system.run.prepare", {"command": ["echo", "hi"]}))["payload"]["payload"]["plan"]
        ask = {"id": "run-1", "host": "node", "nodeId": node_id, "systemRunPlan": plan, "twoPhase": True}
        accepted = await operator.call("exec.approval.request", ask)
        assert accepted["payload"]["status"] == "accepted"
        early = await invoke("system.run", {"command": ["x"], "runId": "run-1", "approved": True})
        assert early["error"]["details"]["code"] == "APPROVAL_REQUIRED"
        assert (await operator.call("exec.approval.resolve", {"id": "run-1", "decision": "allow-once"}))["ok"]
        other = await invoke("system.run", {"command": ["x"], "env": {"A": "1"}, "runId": "run-1", "approved": True})
        run = {"command": ["rm", "-rf", "/nothing"], "runId": "run-1", "approved": True}
        done = await invoke("system.run", run)
        assert done["payload"]["payload"]["stdout"] == "hi\n"
        again = await invoke("system.run", run)
        assert again["error"]["details"]["code"] == "APPROVAL_REQUIRED"
        assert other["error"]["details"]["code"] == "APPROVAL_REQUEST_MISMATCH"
        rules = (await operator.call("exec.approvals.node.get", {"nodeId": node_id}))["payload"]
        assert rules["path"] == str(tmp_path / "node" / "exec-approvals.json")
