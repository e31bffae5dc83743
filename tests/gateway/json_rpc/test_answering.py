"""What JSON-RPC 2.0 says about requests, notifications, batches and errors, over both of its transports."""

from __future__ import annotations

import io
import json
from typing import Any

import aiohttp
import pytest
from tests.gateway.conftest import Running
from tests.gateway.fake_services import TOKEN
from tests.gateway.json_rpc.conftest import BEARER, RpcClient

HEALTH = {"jsonrpc": "2.0", "id": 1, "method": "health"}


async def post(gateway: Running, body: Any, **headers: str) -> tuple[int, Any, dict[str, str]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    merged = {**BEARER, "Content-Type": "application/json", **headers}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{gateway.http}/rpc", data=io.BytesIO(data), headers=merged) as answer,
    ):
        text = await answer.text()
        return answer.status, json.loads(text) if text else None, dict(answer.headers)


@pytest.mark.parametrize(
    ("message", "code", "identifier"),
    [
        (1, -32600, None),
        ({}, -32600, None),
        ({"jsonrpc": "1.0", "id": 3, "method": "health"}, -32600, 3),
        ({"jsonrpc": "2.0", "id": 3}, -32600, 3),
        ({"jsonrpc": "2.0", "id": 3, "method": 5}, -32600, 3),
        ({"jsonrpc": "2.0", "id": True, "method": "health"}, -32600, None),
        ({"jsonrpc": "2.0", "id": [], "method": "health"}, -32600, None),
        ({"jsonrpc": "2.0", "id": 3, "method": "health", "params": "x"}, -32600, 3),
        ({"jsonrpc": "2.0", "id": 3, "method": "health", "extra": 1}, -32600, 3),
        ({"jsonrpc": "2.0", "id": 3, "method": "health", "params": [1]}, -32602, 3),
        ({"jsonrpc": "2.0", "id": "a", "method": "no.such"}, -32601, "a"),
        ({"jsonrpc": "2.0", "id": 1.5, "method": "rpc.discover"}, -32601, 1.5),
        ({"jsonrpc": "2.0", "id": "a", "method": "sessions.list", "params": {"limit": 0}}, -32602, "a"),
        ({"jsonrpc": "2.0", "id": "a", "method": "session.list", "params": {"limit": "x"}}, -32602, "a"),
        ({"jsonrpc": "2.0", "id": "a", "method": "session.message", "params": {}}, -32602, "a"),
        ([], -32600, None),
        ([HEALTH] * 51, -32600, None),
    ],
)
async def test_errors_have_the_codes_of_the_specification(
    gateway: Running, client: RpcClient, message: Any, code: int, identifier: Any
) -> None:
    status, answer, _ = await post(gateway, message)
    assert (status, answer["error"]["code"], answer["id"]) == (200, code, identifier)
    assert set(answer) == {"jsonrpc", "id", "error"}
    await client.send(message)
    assert await client.response() == answer


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[1,", b"[" * 50_000, b'{"a":NaN}', b""])
async def test_what_is_not_json_is_a_parse_error(gateway: Running, body: bytes) -> None:
    status, answer, _ = await post(gateway, body)
    assert (status, answer["error"]["code"], answer["id"]) == (200, -32700, None)


async def test_a_batch_is_answered_in_order_without_its_notifications(gateway: Running, client: RpcClient) -> None:
    told = {"jsonrpc": "2.0", "method": "session.create", "params": {"sessionId": "told"}}
    batch = [{**HEALTH, "id": "a"}, told, 7, {**HEALTH, "id": None}, {**HEALTH, "method": "no.such", "id": "b"}]
    for answers in ((await post(gateway, batch))[1], await _over(client, batch)):
        assert [each["id"] for each in answers] == ["a", None, None, "b"]
        assert ["result" in each for each in answers] == [True, False, True, False]
    listed = await client.call("session.list")
    assert [row["sessionId"] for row in listed["result"]["sessions"]] == ["agent:main:told"]


async def test_an_operation_that_breaks_is_an_internal_error_and_the_rest_of_its_batch_is_answered(
    gateway: Running, client: RpcClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_args: object) -> None:
        raise ZeroDivisionError("the inner workings")

    monkeypatch.setattr(type(gateway.server.core), "identity", breaks)
    batch = [{"jsonrpc": "2.0", "id": "broken", "method": "gateway.identity.get"}, {**HEALTH, "id": "b"}]
    for answers in ((await post(gateway, batch))[1], await _over(client, batch)):
        assert [each["id"] for each in answers] == ["broken", "b"]
        assert answers[0]["error"]["code"] == -32603
        assert "inner workings" not in json.dumps(answers)
        assert "log" in answers[0]["error"]["message"]
        assert "result" in answers[1]


async def _over(client: RpcClient, message: Any) -> Any:
    await client.send(message)
    return await client.response()


async def test_notifications_are_done_and_never_answered(gateway: Running, client: RpcClient) -> None:
    told = {"jsonrpc": "2.0", "method": "session.create", "params": {"sessionId": "quiet"}}
    status, answer, _ = await post(gateway, [told, {"jsonrpc": "2.0", "method": "no.such"}])
    assert (status, answer) == (204, None)
    await client.call("health")
    await client.send({**told, "params": {"sessionId": "quieter"}})
    assert (await client.hear("session.new"))["sessionId"] == "agent:main:quieter"
    listed = await client.call("session.list")
    assert {row["sessionId"] for row in listed["result"]["sessions"]} == {"agent:main:quiet", "agent:main:quieter"}


async def test_posting_needs_a_secret(gateway: Running) -> None:
    status, answer, headers = await post(gateway, HEALTH, Authorization="Bearer wrong")
    assert (status, answer["error"]["code"], headers["WWW-Authenticate"]) == (401, -32001, "Bearer")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_what_a_foreign_form_can_send_is_not_taken(gateway: Running, kind: str) -> None:
    assert (await post(gateway, HEALTH, **{"Content-Type": kind}))[0] == 415


async def test_foreign_pages_may_not_post(gateway: Running) -> None:
    assert (await post(gateway, HEALTH, Origin="https://evil.example"))[0] == 403


async def test_a_message_over_the_limit_is_not_read(gateway: Running) -> None:
    status, answer, _ = await post(gateway, b" " * (16 * 1024 * 1024 + 1))
    assert (status, answer["error"]["code"]) == (413, -32602)


async def test_other_verbs_are_told_which_to_use(gateway: Running) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{gateway.http}/rpc") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "OPTIONS, POST")


async def test_each_request_of_a_batch_counts(gateway: Running) -> None:
    answers = [each for _ in range(13) for each in (await post(gateway, [HEALTH] * 50))[1]]
    refused = [each["error"] for each in answers if "error" in each]
    assert 1 <= len(refused) <= 50
    assert {error["code"] for error in refused} == {-32029}
    assert refused[0]["data"]["retryAfterMs"] >= 1000


async def test_watching_by_post_leaves_nothing_behind(gateway: Running) -> None:
    watch = {"jsonrpc": "2.0", "id": 1, "method": "sessions.messages.subscribe", "params": {"key": "main"}}
    assert "result" in (await post(gateway, watch))[1]
    assert not gateway.server.core.hub.has_session_watchers


async def test_answers_hold_no_secret_and_no_traceback(gateway: Running, client: RpcClient) -> None:
    for method in ("config.get", "health", "status", "no.such"):
        text = json.dumps(await client.call(method))
        assert TOKEN not in text
        assert "Traceback" not in text
