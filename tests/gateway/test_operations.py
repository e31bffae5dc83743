"""Walks every operation: no scope, wrong role, junk of every shape. The right code, never a crash, never a leak."""

from __future__ import annotations

import ast
import json
import pkgutil
import random
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest
from tests.gateway.conftest import Running
from tests.gateway.fake_services import TOKEN
from tests.gateway.raw_client import RawClient, connected

from homarus.gateway import operations
from homarus.gateway.caller import Caller
from homarus.gateway.operations.catalogue import OPERATIONS, UNLISTED, build_registry
from homarus.gateway.operations.registry import declared_in
from homarus.gateway.peer import Peer
from homarus.protocol.base import IgnoredParams, LooseParams
from homarus.protocol.errors import UNAVAILABLE
from homarus.protocol.method_scopes import NODE_METHODS, scope_of
from homarus.protocol.scopes import Role, Scope
from homarus.protocol.versions import NEW_IN_V4

REGISTRY = build_registry()
NAMES = [operation.name for operation in REGISTRY.operations]
SCOPED = [each for each in REGISTRY.operations if each.scope is not None and each.name not in NEW_IN_V4]
VALIDATED = [each for each in REGISTRY.operations if not issubclass(each.params, LooseParams)]
OLD = [each for each in REGISTRY.operations if each.name not in NEW_IN_V4]
PEER = Peer("127.0.0.1", is_local=True)


def allowed_role(operation: Any) -> dict[str, Any]:
    """Return how to connect in order to be let through to an operation."""
    return {"role": "node", "scopes": []} if operation.role is Role.NODE else {}


def junk(seed: int) -> Any:
    """Return a random JSON value, often with names and values that operations know."""
    dice = random.Random(seed)  # noqa: S311 - repeatable junk, no secret
    names = ["key", "sessionKey", "message", "idempotencyKey", "limit", "id", "runId", "keys", "label", "x" * 300]
    leaves = [
        None,
        True,
        -1,
        0,
        2**70,
        1.5,
        "",
        "main",
        "agent:main:main",
        "agent:x",
        "\x00",
        "é" * 2000,
        "\ud800",
        "../..",
    ]

    def value(depth: int) -> Any:
        kind = dice.randrange(4 if depth < 3 else 2)
        if kind == 2:
            return [value(depth + 1) for _ in range(dice.randrange(4))]
        if kind == 3:
            return {dice.choice(names): value(depth + 1) for _ in range(dice.randrange(6))}
        return dice.choice(leaves)

    return {dice.choice(names): value(0) for _ in range(dice.randrange(7))} if dice.random() < 0.9 else value(0)


@pytest.mark.parametrize("each", REGISTRY.operations, ids=NAMES)
def test_operation_is_documented_and_has_the_scope_of_the_reference(each: Any) -> None:
    assert each.summary.endswith(".") or each.summary.endswith(";") or len(each.summary) > 20
    assert each.scope is not None or each.name == "health" or each.role is Role.NODE
    families = ("device.", "node.", "exec.approval", "plugin.approval", "voicewake.")
    known = {"sessions.create", "sessions.send", "sessions.abort"} | {n for n in NAMES if n.startswith(families)}
    if each.name in known - NEW_IN_V4:
        assert each.scope == scope_of(each.name)


def test_the_table_of_operations_names_what_the_modules_declare() -> None:
    modules = [each.name for each in pkgutil.iter_modules(operations.__path__)]
    loaded = {name: import_module(f"{operations.__name__}.{name}") for name in modules}
    declared = {name: {each.name for each in declared_in(module)} for name, module in loaded.items()}
    assert {name: names for name, names in declared.items() if names} == {n: set(t) for n, t in OPERATIONS.items()}
    assert set(NAMES) >= UNLISTED


def test_nothing_is_loaded_before_it_is_called() -> None:
    mine = "n.startswith('homarus.gateway.operations.')"
    code = f"import sys, homarus.gateway.app; print([n for n in sys.modules if {mine}])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    needed = ("answer", "call", "catalogue", "registry")
    assert set(ast.literal_eval(found)) == {f"homarus.gateway.operations.{name}" for name in needed}


def test_listed_methods_are_those_that_exist_and_are_listed_in_the_reference() -> None:
    unlisted = {"sessions.get", "sessions.resolve", "chat.inject", "exec.approval.list", "plugin.approval.list"}
    unlisted |= {
        "node.runnerInventory.update",
        "openclaw.approval.list",
        "progressCard.get",
        "sessions.companion.state",
        "config.openFile",
        "poll",
        "device.pair.setupCode",
        "sessions.steer",
        "sessions.usage",
        "sessions.usage.timeseries",
        "sessions.usage.logs",
    }
    assert set(REGISTRY.listed) == set(NAMES) - unlisted
    assert {each.name for each in REGISTRY.operations if each.role is Role.NODE} == NODE_METHODS


async def test_every_scoped_operation_refuses_a_caller_without_scopes(gateway: Running) -> None:
    async with connected(gateway.url, scopes=[]) as client:
        for operation in SCOPED:
            answer = await client.call(operation.name, junk(len(operation.name)))
            assert answer["error"] == {"code": "INVALID_REQUEST", "message": f"missing scope: {operation.scope}"}


@pytest.mark.parametrize("scope", [Scope.READ, Scope.WRITE, Scope.APPROVALS, Scope.PAIRING])
def test_one_scope_opens_its_operations_and_what_it_implies_only(scope: Scope) -> None:
    caller = Caller("c", PEER, scopes=frozenset({scope}))
    opens = {scope, *([Scope.READ] if scope is Scope.WRITE else []), None}
    for operation in (each for each in OLD if each.role is not Role.NODE):
        if operation.scope in opens:
            assert REGISTRY.authorise(operation.name, caller) is operation
        else:
            with pytest.raises(Exception, match=f"missing scope: {operation.scope}"):
                REGISTRY.authorise(operation.name, caller)


async def test_every_operator_operation_refuses_a_node_and_closes_after_eleven(gateway: Running) -> None:
    operations = [each for each in OLD if each.role is Role.OPERATOR]
    for start in range(0, len(operations), 10):
        async with connected(gateway.url, role="node", scopes=[]) as node:
            for operation in operations[start : start + 10]:
                answer = await node.call(operation.name, {})
                assert answer["error"] == {"code": "INVALID_REQUEST", "message": "unauthorized role: node"}
            assert (await node.call("health"))["ok"]
    async with connected(gateway.url, role="node", scopes=[]) as node:
        for _ in range(11):
            await node.call("sessions.list", {})
        assert await node.receive() == {"closed": 1008, "reason": "repeated unauthorized calls"}


async def test_node_methods_refuse_operators(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        answer = await client.call("skills.bins", {})
    assert answer["error"]["message"] == "unauthorized role: operator"


async def test_unknown_methods_are_unknown_to_admins_and_out_of_scope_for_others(gateway: Running) -> None:
    async with connected(gateway.url) as admin:
        assert (await admin.call("no.such"))["error"]["message"] == "unknown method: no.such"
    async with connected(gateway.url, scopes=["operator.read"]) as reader:
        assert (await reader.call("no.such"))["error"]["message"] == "missing scope: operator.admin"
        assert (await reader.call("exec.approval.resolve"))["error"]["message"] == "missing scope: operator.approvals"


@pytest.mark.parametrize("each", [each for each in VALIDATED if each in OLD], ids=lambda each: each.name)
async def test_unexpected_property_is_named(gateway: Running, each: Any) -> None:
    async with connected(gateway.url, **allowed_role(each)) as client:
        error = (await client.call(each.name, {"bogus": 1}))["error"]
        assert error["code"] == "INVALID_REQUEST"
        assert error["message"].startswith(f"invalid {each.name} params: ")
        assert "at root: unexpected property 'bogus'" in error["message"]
        listed = (await client.call(each.name, []))["error"]
        assert listed["message"] == f"invalid {each.name} params: must be object"


@pytest.mark.parametrize("each", REGISTRY.operations, ids=NAMES)
async def test_junk_is_answered_and_never_breaks_the_connection(gateway: Running, each: Any) -> None:
    async with connected(gateway.url, **allowed_role(each)) as client:
        for seed in range(25):
            await check_junk(client, each.name, junk(seed))
        assert (await client.call("health"))["ok"]


async def check_junk(client: RawClient, method: str, params: Any) -> None:
    answer = await client.call(method, params)
    assert set(answer) <= {"type", "id", "ok", "payload", "error"}
    if not answer["ok"]:
        assert answer["error"]["message"]
        assert "failed unexpectedly" not in answer["error"]["message"], (method, params)
        assert answer["error"]["code"] in {"INVALID_REQUEST", UNAVAILABLE}
    assert TOKEN not in json.dumps(answer)
    assert "Traceback" not in json.dumps(answer)


@pytest.mark.parametrize("name", ["chat.send", "chat.inject", "sessions.list", "agent"])
async def test_large_params_are_answered(gateway: Running, name: str) -> None:
    async with connected(gateway.url) as client:
        answer = await client.call(name, {"message": "x" * 3_000_000, "search": "y" * 3_000_000})
        assert answer["error"]["code"] == "INVALID_REQUEST"
        assert len(answer["error"]["message"]) < 2100


def test_ignored_params_are_not_even_looked_at() -> None:
    ignored = {each.name for each in REGISTRY.operations if each.params is IgnoredParams}
    assert {"status", "system-presence", "last-heartbeat", "sessions.unsubscribe"} <= ignored
