"""Calls whose parameters decide which scopes they take, made by clients of both versions and over REST."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from tests.gateway.conftest import Running
from tests.gateway.fake_services import TOKEN
from tests.gateway.raw_client import Frame, connected

READ, WRITE, ADMIN = "operator.read", "operator.write", "operator.admin"
PAIRING, SECRETS = "operator.pairing", "operator.talk.secrets"


def invoke(command: str, params: object = None) -> Frame:
    return {"nodeId": "n", "command": command, "params": params, "idempotencyKey": "k"}


def agent(message: str) -> Frame:
    return {"message": message, "idempotencyKey": "k"}


APPROVE = {"channel": "irc", "accountId": "default", "requestId": "AAAA"}
WIDER: list[tuple[str, Frame, list[str], str]] = [
    ("node.invoke", invoke("fs.listDir"), [WRITE], ADMIN),
    ("node.invoke", invoke("  fs.listDir "), [WRITE], ADMIN),
    ("node.invoke", invoke("terminal.upload"), [WRITE], ADMIN),
    ("node.invoke", invoke("browser.proxy", {"method": "POST", "path": "/act"}), [WRITE], ADMIN),
    ("node.invoke", invoke("browser.proxy", {"method": "get", "path": "/tabs"}), [WRITE], ADMIN),
    ("node.invoke", invoke("browser.proxy.upload.v1"), [WRITE], ADMIN),
    ("agent", agent(" /New"), [WRITE], ADMIN),
    ("agent", agent("/reset now"), [WRITE], ADMIN),
    ("talk.config", {"includeSecrets": True}, [READ], SECRETS),
    ("talk.config", {"includeSecrets": True}, [SECRETS], READ),
    ("channels.pairing.approve", {**APPROVE, "bootstrapCommandOwner": True}, [PAIRING], ADMIN),
    ("fs.listDir", {"path": "/"}, [WRITE], ADMIN),
]
ENOUGH: list[tuple[str, Frame, list[str]]] = [
    ("node.invoke", invoke("camera.list"), [WRITE]),
    ("node.invoke", invoke("system.which"), [WRITE]),
    ("node.invoke", invoke("system.run"), [WRITE]),
    ("node.invoke", invoke("browser.proxy", {"method": "GET", "path": "/tabs"}), [WRITE]),
    ("node.invoke", invoke("system.run"), [ADMIN]),
    ("agent", agent("what is /new"), [WRITE]),
    ("agent", agent("/new"), [ADMIN]),
    ("talk.config", {}, [READ]),
    ("talk.config", {"includeSecrets": True}, [READ, SECRETS]),
    ("talk.config", {"includeSecrets": True}, [ADMIN]),
    ("channels.pairing.approve", APPROVE, [PAIRING]),
]


@pytest.mark.parametrize(("method", "params", "scopes", "missing"), WIDER)
async def test_parameters_that_ask_for_more_take_a_wider_scope(
    gateway: Running, method: str, params: Frame, scopes: list[str], missing: str
) -> None:
    async with connected(gateway.url, scopes=scopes, minProtocol=4, maxProtocol=4) as client:
        error = (await client.call(method, params))["error"]
    assert (error["code"], error["message"]) == ("FORBIDDEN", f"missing scope: {missing}")
    assert error["details"]["missingScope"] == missing
    assert missing in error["details"]["requiredScopes"]


@pytest.mark.parametrize(
    ("method", "params", "scopes", "missing"), [case for case in WIDER if "pairing" not in case[0]]
)
async def test_asking_for_the_older_version_does_not_get_around_it(
    gateway: Running, method: str, params: Frame, scopes: list[str], missing: str
) -> None:
    async with connected(gateway.url, scopes=scopes) as client:
        error = (await client.call(method, params))["error"]
    assert error == {"code": "INVALID_REQUEST", "message": f"missing scope: {missing}"}


@pytest.mark.parametrize(("method", "params", "scopes"), ENOUGH)
async def test_a_scope_that_is_enough_is_not_asked_for_more(
    gateway: Running, method: str, params: Frame, scopes: list[str]
) -> None:
    async with connected(gateway.url, scopes=scopes, minProtocol=4, maxProtocol=4) as client:
        answer: dict[str, Any] = await client.call(method, params)
    assert "missing scope" not in str(answer.get("error", ""))


async def test_secrets_of_talk_take_both_scopes_and_say_so(gateway: Running) -> None:
    async with connected(gateway.url, scopes=[READ], minProtocol=4, maxProtocol=4) as client:
        details = (await client.call("talk.config", {"includeSecrets": True}))["error"]["details"]
    assert details["requiredScopes"] == [READ, SECRETS]


async def test_a_parameter_in_the_path_of_a_route_counts_as_well(gateway: Running) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "X-OpenClaw-Scopes": WRITE}
    url = f"{gateway.http}/api/nodes/n/invoke"
    body = {"command": "fs.listDir", "idempotencyKey": "k"}
    async with aiohttp.ClientSession(headers=headers) as session, session.post(url, json=body) as answer:
        shown = await answer.json()
    assert answer.status == 403, shown
    assert "operator.admin" in str(shown)
