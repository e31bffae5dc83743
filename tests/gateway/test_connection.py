from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.gateway.conftest import Running, start, stop
from tests.gateway.raw_client import connected, open_client

from homarus.gateway.budget import MAX_UNAUTHENTICATED
from homarus.gateway.connection import MAX_CONCURRENT, Connection


async def test_malformed_frames_are_answered_with_what_is_wrong(gateway: Running) -> None:
    cases: list[tuple[Any, str, str]] = [
        ([], "invalid", "must be object"),
        ({"type": "req"}, "invalid", "must have required property 'id'; must have required property 'method'"),
        ({"type": "req", "id": "x", "method": "health", "extra": 1}, "x", "at root: unexpected property 'extra'"),
        (
            {"type": "event", "event": "x"},
            "invalid",
            (
                "must have required property 'id'; must have required property 'method'; "
                "at root: unexpected property 'event'; at /type: must be equal to constant"
            ),
        ),
        ({"type": "req", "id": "", "method": "health"}, "invalid", "at /id: must NOT have fewer than 1 characters"),
        ({"type": "req", "id": 5, "method": "health"}, "invalid", "at /id: must be string"),
    ]
    async with connected(gateway.url) as client:
        for frame, identifier, problem in cases:
            await client.send(frame)
            answer = await client.answer_to(identifier)
            assert answer["error"] == {"code": "INVALID_REQUEST", "message": f"invalid request frame: {problem}"}


async def test_text_that_is_not_json_is_passed_over(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        for text in ("not json", "[" * 100_000, "NaN", '{"type":"req","id":"a","method":"health","params":Infinity}'):
            await client.send(text)
        await client.socket.send_bytes(b"\x00\x01")
        assert (await client.call("health"))["ok"]


async def test_second_connect_is_refused_and_the_connection_stays(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        answer = await client.call("connect", {})
        assert answer["error"]["message"] == "connect is only valid as the first request"
        assert (await client.call("health"))["ok"]


async def test_strangers_may_send_64_kib_and_no_more(gateway: Running) -> None:
    async with open_client(gateway.url) as client:
        await client.challenge()
        await client.send({"type": "req", "id": "a", "method": "connect", "params": {"pathEnv": "x" * 70_000}})
        assert (await client.receive())["closed"] == 1009
    async with open_client(gateway.url) as client:
        await client.challenge()
        await client.send({"type": "req", "id": "a", "method": "connect", "params": {"pathEnv": "x" * 60_000}})
        assert "invalid connect params" in (await client.answer_to("a"))["error"]["message"]


async def test_clients_may_send_large_frames_once_they_are_in(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        answer = await client.call("health", {"padding": "x" * 5_000_000})
        assert answer["ok"]


async def test_frames_beyond_25_mib_close_the_connection(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        with contextlib.suppress(ConnectionError):  # refused by its length, before all of it is read
            await client.send('"' + "x" * (25 * 1024 * 1024 + 10) + '"')
        assert (await client.receive())["closed"] in {1006, 1009}
    async with connected(gateway.url) as client:
        assert (await client.call("health"))["ok"]


async def test_one_address_holds_at_most_32_unauthenticated_sockets(gateway: Running) -> None:
    async with aiohttp.ClientSession() as session:
        held = [await session.ws_connect(gateway.url) for _ in range(MAX_UNAUTHENTICATED)]
        async with session.get(gateway.http, headers={"Connection": "Upgrade", "Upgrade": "websocket"}) as refused:
            assert refused.status == 503
            assert await refused.text() == "Too many unauthenticated sockets"
        for socket in held:
            await socket.close()
    async with connected(gateway.url) as client:
        assert (await client.call("health"))["ok"]


async def test_authenticated_clients_are_not_counted(gateway: Running) -> None:
    async with asyncio.TaskGroup() as tasks:
        ready = [asyncio.Event() for _ in range(MAX_UNAUTHENTICATED + 3)]
        done = asyncio.Event()

        async def hold(event: asyncio.Event) -> None:
            async with connected(gateway.url) as client:
                event.set()
                await done.wait()
                assert (await client.call("health"))["ok"]

        for event in ready:
            tasks.create_task(hold(event))
            await event.wait()
        done.set()


async def test_too_many_requests_at_once_are_refused_not_queued(manual_gateway: Running) -> None:
    async with connected(manual_gateway.url) as client:
        send = {"sessionKey": "main", "message": "hi", "idempotencyKey": "run"}
        assert (await client.call("chat.send", send))["ok"]
        wait = {"runId": "run", "timeoutMs": 60_000}
        for number in range(MAX_CONCURRENT):
            await client.send({"type": "req", "id": f"w{number}", "method": "agent.wait", "params": wait})
        refused = await client.call("health")
        assert refused["error"]["code"] == "UNAVAILABLE"
        assert refused["error"]["retryable"] is True
        manual_gateway.runs.finish("run", text="done")
        assert (await client.answer_to("w0"))["payload"]["status"] == "ok"


async def test_any_upgrade_path_is_the_gateway(gateway: Running) -> None:
    async with connected(f"{gateway.url}/some/base/path") as client:
        assert (await client.call("health"))["ok"]


async def test_stop_tells_clients_and_closes_with_1012(tmp_path: Path) -> None:
    running = await start(tmp_path)
    async with connected(running.url) as client:
        stopping = asyncio.create_task(stop(running))
        assert await client.event("shutdown") == {"reason": "service restart", "restartExpectedMs": None}
        assert await client.receive() == {"closed": 1012, "reason": "service restart"}
        await stopping


async def test_a_client_that_is_just_leaving_does_not_keep_the_gateway_from_stopping(
    gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_leaving, may_leave, close = asyncio.Event(), asyncio.Event(), Connection._close

    async def close_later(connection: Connection, closing: Any) -> None:
        is_leaving.set()
        await may_leave.wait()
        await close(connection, closing)

    monkeypatch.setattr(Connection, "_close", close_later)
    async with connected(gateway.url) as client:
        await client.socket.close()
        await is_leaving.wait()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(gateway.server.stop())
        await asyncio.sleep(0)
        may_leave.set()


async def test_lone_surrogates_come_back_as_valid_json(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        await client.send('{"type":"req","id":"s","method":"\\ud800"}')
        answer = await client.answer_to("s")
        assert answer["error"]["message"] == "unknown method: " + json.loads('"\\ud800"')


async def test_frames_that_leave_together_arrive_one_by_one_whatever_their_size(gateway: Running) -> None:
    sizes = [2, 125, 126, 127, 65535, 65536, 200_000, 3]
    async with connected(gateway.url) as client:
        [connection] = gateway.server.core.hub.connections
        for size in sizes:
            connection.outbox.put(b'"' + b"x" * (size - 2) + b'"')
        received = [len(await client.socket.receive_str()) for _ in sizes]
        assert received == sizes
        assert (await client.call("health"))["ok"]
