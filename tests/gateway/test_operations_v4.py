"""Walks every operation as clients of version 4 call them: the right code, never a crash, never a leak."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.gateway.conftest import Running
from tests.gateway.fake_services import TOKEN
from tests.gateway.raw_client import Frame, RawClient, connected
from tests.gateway.test_operations import NAMES, REGISTRY, VALIDATED, allowed_role, junk

from homarus.gateway.caller import Caller
from homarus.gateway.peer import Peer
from homarus.protocol.method_scopes import scopes_of_call
from homarus.protocol.scopes import Role, Scope, has_scope
from homarus.protocol.versions import REMOVED_IN_V4

V4: Frame = {"minProtocol": 4, "maxProtocol": 4}
PEER = Peer("127.0.0.1", is_local=True)
CODES = {"INVALID_REQUEST", "UNAVAILABLE", "FORBIDDEN", "NOT_PAIRED", "APPROVAL_NOT_FOUND"}
"""Every error code of version 4."""
FOREIGN = {"key": "agent:nobody:main", "sessionKey": "agent:nobody:main", "agentId": "nobody", "runId": "nobodys"}
OPERATOR = [each for each in REGISTRY.operations if each.role is not Role.NODE and each.name not in REMOVED_IN_V4]
NODE = [each for each in REGISTRY.operations if each.role is Role.NODE and each.name not in REMOVED_IN_V4]


async def check(client: RawClient, method: str, params: Any) -> Frame:
    """Make a call whose answer has to be well formed and to tell nothing of the inside."""
    answer = await client.call(method, params)
    assert set(answer) <= {"type", "id", "ok", "payload", "error"}
    text = json.dumps(answer)
    assert TOKEN not in text
    assert "Traceback" not in text
    error = answer.get("error")
    if error is not None:
        assert error["code"] in CODES, (method, error)
        assert "failed unexpectedly" not in error["message"], (method, params)
        assert (error["code"] == "FORBIDDEN") == ("missingScope" in error.get("details", {})), (method, error)
    return answer


async def test_every_operation_refuses_a_caller_without_scopes_with_the_scope_it_lacks(gateway: Running) -> None:
    async with connected(gateway.url, scopes=[], **V4) as client:
        for operation in OPERATOR:
            answer = await check(client, operation.name, {})
            required = scopes_of_call(4, operation.name, operation.scope, dict)
            if not required:
                assert operation.name == "health"
                continue
            wanted = required[0]
            assert answer["error"] == {
                "code": "FORBIDDEN", "message": f"missing scope: {wanted}",
                "details": {"code": "MISSING_SCOPE", "missingScope": wanted, "requiredScopes": list(required)},
            }  # fmt: skip


@pytest.mark.parametrize("scope", sorted(set(Scope) - {Scope.ADMIN}))
def test_a_scope_opens_what_it_covers_and_nothing_else(scope: Scope) -> None:
    caller = Caller("c", PEER, scopes=frozenset({scope}), protocol=4)
    for operation in OPERATOR:
        missing = [each for each in scopes_of_call(4, operation.name, operation.scope, dict) if each != scope]
        missing = [each for each in missing if not has_scope({scope}, each)]
        if not missing:
            assert REGISTRY.authorise(operation.name, caller, {}) is operation
        else:
            with pytest.raises(Exception, match=f"missing scope: {missing[0]}"):
                REGISTRY.authorise(operation.name, caller, {})


async def test_every_operation_refuses_the_other_role(gateway: Running) -> None:
    for start in range(0, len(OPERATOR), 10):
        async with connected(gateway.url, role="node", scopes=[], **V4) as node:
            for operation in (each for each in OPERATOR[start : start + 10] if each.role is Role.OPERATOR):
                error = (await check(node, operation.name, {}))["error"]
                assert error == {"code": "INVALID_REQUEST", "message": "unauthorized role: node"}
    for start in range(0, len(NODE), 10):
        async with connected(gateway.url, **V4) as operator:
            for operation in NODE[start : start + 10]:
                error = (await check(operator, operation.name, {}))["error"]
                assert error == {"code": "INVALID_REQUEST", "message": "unauthorized role: operator"}


@pytest.mark.parametrize("name", sorted(REMOVED_IN_V4))
async def test_removed_methods_are_unknown(gateway: Running, name: str) -> None:
    async with connected(gateway.url, **V4) as client:
        error = (await check(client, name, {}))["error"]
    assert error in (
        {"code": "INVALID_REQUEST", "message": f"unknown method: {name}"},
        {"code": "INVALID_REQUEST", "message": "unauthorized role: operator"},
    )


@pytest.mark.parametrize("each", [each for each in VALIDATED if each.name not in REMOVED_IN_V4], ids=lambda o: o.name)
async def test_parameters_of_later_clients_are_passed_over(gateway: Running, each: Any) -> None:
    async with connected(gateway.url, **allowed_role(each), **V4) as client:
        for params in ({"someday": 1}, {"someday": {"a": [None]}, "expectedLater": "x"}):
            error = (await check(client, each.name, params)).get("error", {})
            assert "unexpected property" not in error.get("message", "")
        listed = (await check(client, each.name, []))["error"]
        assert listed["message"] == f"invalid {each.name} params: must be object"


@pytest.mark.parametrize("protocol", [3, 4])
async def test_sessions_of_others_are_neither_changed_nor_shown(gateway: Running, protocol: int) -> None:
    version: Frame = {"minProtocol": protocol, "maxProtocol": protocol}
    async with connected(gateway.url, **version) as owner:
        send = {"sessionKey": "agent:main:secret", "message": "the word is tangerine", "idempotencyKey": "s1"}
        assert (await owner.call("chat.send", send))["ok"]
    async with connected(gateway.url, scopes=["operator.approvals"], **version) as stranger:
        for operation in OPERATOR:
            known = set(operation.params.model_json_schema().get("properties", {}))
            mine = {"key": "agent:main:secret", "sessionKey": "agent:main:secret", "sessionId": "s1", "runId": "s1"}
            answer = await check(stranger, operation.name, {k: v for k, v in mine.items() if k in known})
            assert "tangerine" not in json.dumps(answer), operation.name
        assert "tangerine" not in json.dumps(stranger.events)
    async with connected(gateway.url, **version) as owner:
        for operation in OPERATOR:
            known = set(operation.params.model_json_schema().get("properties", {}))
            given = {name: value for name, value in FOREIGN.items() if name in known}
            if given and "approval" not in operation.name:
                assert "tangerine" not in json.dumps(await check(owner, operation.name, given)), operation.name


@pytest.mark.parametrize("each", REGISTRY.operations, ids=NAMES)
async def test_junk_is_answered_and_never_breaks_the_connection(gateway: Running, each: Any) -> None:
    async with connected(gateway.url, **allowed_role(each), **V4) as client:
        for seed in range(15):
            await check(client, each.name, junk(seed))
        await check(client, each.name, {"message": "x" * 300_000, "key": "k" * 300_000, "id": "i" * 300_000})
        assert (await client.call("health"))["ok"]
