"""JSON-RPC over WebSocket: the first frame decides the dialect, and nobody gets in without a secret."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.conftest import Running, start, stop
from tests.gateway.fake_services import TOKEN
from tests.gateway.json_rpc.conftest import BEARER, RpcClient, rpc
from tests.gateway.raw_client import connected

from homarus.gateway.settings import AuthSettings, GatewaySettings, LimitSettings
from homarus.protocol.scopes import ALL_SCOPES

PHONE = {"id": "openclaw-ios", "version": "1", "platform": "ios", "mode": "ui"}
CREATE = {"jsonrpc": "2.0", "id": 1, "method": "session.create", "params": {"channel": "discord", "userId": "123456"}}


async def test_the_first_frame_decides_the_dialect_on_any_path(gateway: Running) -> None:
    async with rpc(gateway.url, BEARER, path="/") as client:
        assert (await client.receive())["event"] == "connect.challenge"
        await client.send(CREATE)
        assert (await client.response())["result"]["sessionId"] == "agent:main:discord:direct:123456"
    async with connected(gateway.url) as other:
        assert (await other.call("health"))["ok"]


async def test_its_own_path_sends_no_challenge(gateway: Running) -> None:
    async with rpc(gateway.url, BEARER) as client:
        await client.send(CREATE)
        assert (await client.receive())["id"] == 1


async def test_connect_takes_the_secret_and_tells_what_there_is(gateway: Running) -> None:
    async with rpc(gateway.url) as client:
        greeting = (await client.call("connect", {"token": TOKEN}))["result"]
        assert greeting["auth"]["scopes"] == sorted(ALL_SCOPES)
        assert {"session.create", "sessions.list", "tool.invoke"} <= set(greeting["methods"])
        assert greeting["notifications"] == ["presence.update", "session.new", "channel.message"]
        again = await client.call("connect", {"token": TOKEN})
        assert again["error"]["message"] == "connect is only valid as the first request"


@pytest.mark.parametrize("first", [CREATE, {**CREATE, "method": "health"}, [CREATE], {"jsonrpc": "2.0"}])
async def test_without_a_secret_nothing_but_connect_is_answered(gateway: Running, first: Any) -> None:
    async with rpc(gateway.url) as client:
        await client.send(first)
        answer = await client.receive()
        assert (answer["error"]["code"], "authenticate first" in answer["error"]["message"]) == (-32001, True)
        assert (await client.receive())["closed"] == 1008


@pytest.mark.parametrize("params", [{"token": "wrong"}, {"password": "wrong"}, {}, {"token": ""}])
async def test_a_wrong_secret_is_refused_and_the_connection_closed(gateway: Running, params: dict[str, str]) -> None:
    async with rpc(gateway.url) as client:
        answer = await client.call("connect", params)
        assert answer["error"]["code"] == -32001
        assert (await client.receive())["closed"] == 1008


async def test_a_connect_with_wrong_parameters_names_them(gateway: Running) -> None:
    async with rpc(gateway.url) as client:
        answer = await client.call("connect", {"tokens": TOKEN})
        assert answer["error"]["code"] == -32602
        assert "unexpected property 'tokens'" in answer["error"]["message"]


async def test_connect_can_keep_some_scopes_only(gateway: Running) -> None:
    async with rpc(gateway.url) as client:
        greeting = await client.call("connect", {"token": TOKEN, "scopes": ["operator.read"]})
        assert greeting["result"]["auth"]["scopes"] == ["operator.read"]
        refused = await client.call("session.message", {"sessionId": "main", "message": "x"})
        assert (refused["error"]["code"], refused["error"]["message"]) == (-32003, "missing scope: operator.write")
        assert "result" in await client.call("session.list")
    async with rpc(gateway.url) as client:
        assert (await client.call("connect", {"token": TOKEN, "scopes": []}))["result"]["auth"]["scopes"] == []


async def test_a_device_token_gives_what_the_device_may(gateway: Running) -> None:
    async with connected(gateway.url, scopes=["operator.read"]) as paired:
        token = paired.hello["auth"]["deviceToken"]
    async with rpc(gateway.url) as client:
        greeting = await client.call("connect", {"token": token, "scopes": ["operator.admin", "operator.read"]})
        assert greeting["result"]["auth"] == {"role": "operator", "scopes": ["operator.read"], "method": "device-token"}


async def test_an_open_gateway_asks_for_nothing(open_gateway: Running) -> None:
    async with rpc(open_gateway.url) as client:
        assert "result" in await client.call("session.list")


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}])
async def test_foreign_pages_are_refused_even_there(open_gateway: Running, headers: dict[str, str]) -> None:
    for path in ("/rpc", "/"):
        async with rpc(open_gateway.url, headers, path) as client:
            await client.send(CREATE)
            answer = await client.receive()
            if "event" in answer:
                answer = await client.receive()
            assert answer["error"]["code"] == -32003
            assert (await client.receive())["closed"] == 1008


async def test_guessing_is_limited_like_any_login(tmp_path: Path) -> None:
    limits = LimitSettings(attempts=2, is_loopback_exempt=False)
    running = await start(tmp_path, GatewaySettings(auth=AuthSettings(token=TOKEN), limits=limits))
    try:
        for _ in range(2):
            async with rpc(running.url) as client:
                await client.call("connect", {"token": "wrong"})
        async with rpc(running.url) as client:
            answer = await client.call("connect", {"token": TOKEN})
            assert answer["error"]["code"] == -32029
            assert answer["error"]["data"]["retryAfterMs"] > 200_000
    finally:
        await stop(running)


async def test_a_first_frame_is_small_and_later_ones_may_be_large(gateway: Running) -> None:
    async with rpc(gateway.url) as client:
        await client.send({**CREATE, "method": "connect", "params": {"token": "x" * 70_000}})
        assert (await client.receive())["closed"] == 1009
    async with rpc(gateway.url, BEARER) as client:
        await client.call("session.create", {"sessionId": "long"})
        answer = await client.call("session.message", {"sessionId": "long", "message": "x" * 500_000})
        assert answer["result"]["status"] == "started"


async def test_what_is_not_json_is_answered_and_the_connection_lives(client: RpcClient) -> None:
    await client.call("health")
    await client.send("{")
    assert (await client.response())["error"]["code"] == -32700
    assert "result" in await client.call("health")


async def test_a_stopping_gateway_closes_the_connection(gateway: Running) -> None:
    async with rpc(gateway.url, BEARER) as client:
        await client.call("health")
        stopping = asyncio.create_task(gateway.server.stop())
        while "closed" not in (message := await client.receive()):
            assert message["method"] in {"shutdown", "presence.update", "health"}
        assert message["closed"] == 1012
        await stopping


async def test_what_a_client_watched_is_forgotten_with_it(gateway: Running) -> None:
    core = gateway.server.core
    async with rpc(gateway.url, BEARER) as client:
        await client.call("sessions.messages.subscribe", {"key": "main"})
        assert core.hub.has_session_watchers
    async with connected(gateway.url) as other:
        await other.call("health")
    assert not core.hub.has_session_watchers
    assert core.hub.connections == ()


async def test_presence_new_sessions_and_runs_are_notified(gateway: Running, client: RpcClient) -> None:
    await client.call("health")
    async with connected(gateway.url, client=PHONE):
        pass
    await client.hear("presence.update")
    made = await client.call("session.create", {"sessionId": "notes"})
    new = await client.hear("session.new")
    assert (new["sessionId"], new["transcriptId"]) == ("agent:main:notes", made["result"]["transcriptId"])
    run = await client.call("session.message", {"sessionId": "notes", "message": "hi"})
    chat = await client.hear("chat")
    assert (chat["runId"], chat["sessionKey"]) == (run["result"]["runId"], "agent:main:notes")


async def test_reader_hears_no_pairing(gateway: Running) -> None:
    async with rpc(gateway.url, {**BEARER, "x-openclaw-scopes": "operator.read"}) as reader:
        await reader.call("health")
        async with connected(gateway.url, client=PHONE):
            pass
        await reader.hear("presence.update")
        assert [each["method"] for each in reader.heard if each["method"].startswith("device.")] == []


async def test_no_text_of_the_gateway_protocol_is_taken_for_json_rpc() -> None:
    from homarus.gateway.json_rpc.opening import speaks_json_rpc  # noqa: PLC0415

    assert not speaks_json_rpc(json.dumps({"type": "req", "id": "1", "method": "connect", "params": {}}))
    assert not speaks_json_rpc("")
    assert speaks_json_rpc(' \n[{"jsonrpc":"2.0"}]')
    assert speaks_json_rpc(json.dumps(CREATE))
