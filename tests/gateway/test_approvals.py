"""Approvals at the gateway: asked, answered once, expired, kept across restarts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.gateway.conftest import Running
from tests.gateway.conftest import start as start_gateway
from tests.gateway.conftest import stop as stop_gateway
from tests.gateway.raw_client import RawClient, connected

READER = ["operator.read"]
EXEC: dict[str, object] = {"id": "abcd-1", "command": "ls", "twoPhase": True}


async def ask(client: RawClient, **changes: object) -> str:
    """Ask in two phases and return the id of the request, whose second answer is still to come."""
    answer = await client.call("exec.approval.request", {**EXEC, **changes})
    assert answer["payload"]["status"] == "accepted", answer
    return f"r{client.sent}"


async def resolve(client: RawClient, identifier: str, decision: str, kind: str = "exec") -> dict[str, Any]:
    return await client.call(f"{kind}.approval.resolve", {"id": identifier, "decision": decision})


async def test_the_first_explicit_answer_wins(gateway: Running) -> None:
    async with connected(gateway.url) as asker, connected(gateway.url) as approver:
        request = await ask(asker)
        assert (await approver.event("exec.approval.requested"))["request"]["command"] == "ls"
        bogus = await resolve(approver, "abcd-1", "bogus")
        assert bogus["error"]["message"] == "invalid decision"
        assert (await resolve(approver, "abcd", "allow-once"))["payload"] == {"ok": True}
        late = await resolve(approver, "abcd-1", "deny")
        assert late["error"]["details"] == {"reason": "APPROVAL_NOT_FOUND"}
        assert (await asker.answer_to(request))["payload"]["decision"] == "allow-once"
        waited = await asker.call("exec.approval.waitDecision", {"id": "abcd-1"})
        assert waited["payload"]["decision"] == "allow-once"
        assert (await approver.event("exec.approval.resolved"))["resolvedBy"] == "cli"


async def test_nobody_decides_in_time(gateway: Running) -> None:
    async with connected(gateway.url) as asker:
        answer = await asker.call("exec.approval.request", {"command": "ls", "timeoutMs": 30})
        assert answer["payload"]["decision"] is None
        again = await resolve(asker, answer["payload"]["id"], "allow-once")
        assert again["error"]["message"] == "unknown or expired approval id"


async def test_what_is_asked_every_time_cannot_be_allowed_for_good(gateway: Running) -> None:
    async with connected(gateway.url) as asker:
        await ask(asker, ask="always")
        shown = (await asker.call("exec.approval.get", {"id": "abcd-1"}))["payload"]
        assert shown["allowedDecisions"] == ["allow-once", "deny"]
        refused = await resolve(asker, "abcd-1", "allow-always")
        assert "requires approval every time" in refused["error"]["message"]


async def test_only_approvers_hear_questions(gateway: Running) -> None:
    async with connected(gateway.url) as asker, connected(gateway.url, scopes=READER) as reader:
        await ask(asker)
        assert (await resolve(reader, "abcd-1", "deny"))["error"]["message"] == "missing scope: operator.approvals"
        assert (await reader.call("health"))["ok"]
        assert not [each for each in reader.events if each["event"].startswith("exec.approval")]


async def test_an_open_question_keeps_its_id(gateway: Running) -> None:
    async with connected(gateway.url) as asker:
        await ask(asker)
        again = await asker.call("exec.approval.request", EXEC)
        assert again["error"]["message"] == "approval id already pending"
        await ask(asker, id="abcd-2")
        twins = await asker.call("exec.approval.get", {"id": "abcd"})
        assert "ambiguous" in twins["error"]["message"]
        listed = (await asker.call("exec.approval.list", {}))["payload"]
        assert [each["id"] for each in listed] == ["abcd-1", "abcd-2"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "command is required"),
        ({"command": "x", "host": "node"}, "nodeId is required for host=node"),
        ({"command": "x", "host": "node", "nodeId": "n"}, "systemRunPlan is required for host=node"),
        ({"command": "x", "id": "plugin:1"}, "reserved"),
        ({"command": "x" * 300_000}, "larger than"),
    ],
)
async def test_questions_that_say_too_little_or_too_much_are_refused(
    gateway: Running, params: dict[str, object], message: str
) -> None:
    async with connected(gateway.url) as asker:
        error = (await asker.call("exec.approval.request", params))["error"]
    assert message in error["message"]
    assert error["code"] == "INVALID_REQUEST"


async def test_a_question_and_its_answer_survive_a_restart(tmp_path: Path) -> None:
    first = await start_gateway(tmp_path)
    async with connected(first.url) as asker:
        await ask(asker)
        await ask(asker, id="other")
        assert (await resolve(asker, "other", "deny"))["ok"]
    await stop_gateway(first)
    second = await start_gateway(tmp_path)
    async with connected(second.url) as asker, connected(second.url) as approver:
        assert (await asker.call("exec.approval.waitDecision", {"id": "other"}))["payload"]["decision"] == "deny"
        assert (await resolve(approver, "abcd-1", "allow-always"))["ok"]
        waited = await asker.call("exec.approval.waitDecision", {"id": "abcd-1"})
        assert waited["payload"]["decision"] == "allow-always"
    await stop_gateway(second)


async def test_plugins_ask_under_ids_of_their_own(gateway: Running) -> None:
    question = {"title": "Do it?", "description": "really", "twoPhase": True}
    async with connected(gateway.url) as asker:
        accepted = (await asker.call("plugin.approval.request", question))["payload"]
        request = f"r{asker.sent}"
        assert accepted["id"].startswith("plugin:")
        foreign = await resolve(asker, accepted["id"], "deny", "exec")
        assert foreign["error"]["details"] == {"reason": "APPROVAL_NOT_FOUND"}
        assert (await resolve(asker, accepted["id"], "deny", "plugin"))["ok"]
        assert (await asker.answer_to(request))["payload"]["decision"] == "deny"


async def test_the_gateways_own_rules_are_changed_only_from_what_was_read(gateway: Running) -> None:
    async with connected(gateway.url) as admin:
        found = (await admin.call("exec.approvals.get", {}))["payload"]
        rules = {"version": 1, "defaults": {"security": "deny"}}
        stale = await admin.call("exec.approvals.set", {"file": rules})
        assert "base hash required" in stale["error"]["message"]
        stored = (await admin.call("exec.approvals.set", {"file": rules, "baseHash": found["hash"]}))["payload"]
        assert stored["file"]["defaults"] == {"security": "deny"}
        assert (await admin.call("exec.approvals.get", {}))["payload"]["hash"] == stored["hash"]
