"""Clients that send nonsense or too much: they are told or cut off, and everybody else is served."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncGenerator

import aiohttp
import pytest
import pytest_asyncio
from tests.e2e.process import TOKEN, GatewayProcess, gateway
from tests.gateway.raw_client import connected, open_client

from homarus.protocol.frames import UNKNOWN_ID

MEBIBYTE = 1024 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[GatewayProcess]:
    async with gateway(tmp_path_factory.mktemp("frames")) as process:
        yield process
        errors = (process.home / "stderr.txt").read_text()
        assert "Traceback" not in errors
        assert "unexpected" not in errors.lower()


async def is_well(running: GatewayProcess) -> bool:
    async with aiohttp.ClientSession() as session, session.get(f"{running.url}/health") as answer:
        return answer.status == 200


BEFORE = {
    "no JSON": "hello",
    "a number": "5",
    "a list": "[]",
    "another call first": json.dumps({"type": "req", "id": "1", "method": "health"}),
    "connect without parameters": json.dumps({"type": "req", "id": "1", "method": "connect"}),
    "connect with wrong types": json.dumps({"type": "req", "id": "1", "method": "connect", "params": {"auth": 5}}),
    "deep nesting": '{"type":"req","id":"1","method":"connect","params":' + '{"a":' * 5_000 + "1" + "}" * 5_001,
    "too much": "x" * (70 * 1024),
    "far too much": "x" * (3 * MEBIBYTE),
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", BEFORE)
async def test_a_stranger_who_sends_nonsense_is_cut_off(running: GatewayProcess, kind: str) -> None:
    async with open_client(running.ws_url) as client:
        await client.challenge()
        try:
            await client.send(BEFORE[kind])
            frame = await client.receive()
            while "closed" not in frame:
                assert frame.get("ok") is False
                frame = await client.receive()
        except ConnectionError:
            frame = {"closed": 1009}  # cut off while it was still sending
        assert frame["closed"] is not None
    assert await is_well(running)


@pytest.mark.asyncio(loop_scope="module")
async def test_bytes_instead_of_text_end_a_handshake(running: GatewayProcess) -> None:
    async with open_client(running.ws_url) as client:
        await client.challenge()
        await client.socket.send_bytes(b"\x00\x01\x02")
        assert "closed" in await client.receive()
    assert await is_well(running)


NO_JSON = {
    "a word": "hello",
    "deep nesting": '{"type":"req","id":"x1","method":"health","params":' + '{"a":' * 50_000 + "1" + "}" * 50_001,
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", NO_JSON)
async def test_what_a_client_sends_that_is_no_json_is_passed_over(running: GatewayProcess, kind: str) -> None:
    async with connected(running.ws_url, token=TOKEN) as client:
        await client.send(NO_JSON[kind])
        assert (await client.call("health"))["ok"] is True
        assert [frame for frame in client.events if frame.get("type") == "res"] == []
    assert await is_well(running)


REFUSED = {
    "a number": ("5", UNKNOWN_ID, "must be object"),
    "no id": (json.dumps({"type": "req", "method": "health"}), UNKNOWN_ID, "required property 'id'"),
    "an object as id": (
        json.dumps({"type": "req", "id": {}, "method": "health"}),
        UNKNOWN_ID,
        "at /id: must be string",
    ),
    "no method": (json.dumps({"type": "req", "id": "x1"}), "x1", "required property 'method'"),
    "unknown method": (json.dumps({"type": "req", "id": "x1", "method": "no.such"}), "x1", "unknown method: no.such"),
    "unknown type": (json.dumps({"type": "mystery"}), UNKNOWN_ID, "at /type"),
    "parameters that are a list": (
        json.dumps({"type": "req", "id": "x1", "method": "sessions.list", "params": []}),
        "x1",
        "invalid sessions.list params: must be object",
    ),
    "half a surrogate": (
        (
            '{"type":"req","id":"x1","method":"chat.send","params":{"sessionKey":"main",'
            '"message":"\\ud800","idempotencyKey":"k"}}'
        ),
        "x1",
        "message or attachment required",
    ),
    "a huge number": (
        '{"type":"req","id":"x1","method":"sessions.list","params":{"limit":1e400}}',
        "x1",
        "at /limit: must be integer",
    ),
}
"""What a client sends, the id its answer carries, and what the answer says."""


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", REFUSED)
async def test_a_client_that_sends_nonsense_is_told_and_goes_on(running: GatewayProcess, kind: str) -> None:
    sent, identifier, told = REFUSED[kind]
    async with connected(running.ws_url, token=TOKEN) as client:
        await client.send(sent)
        answer = await client.answer_to(identifier)
        assert answer.get("ok") is False, answer
        assert told in answer["error"]["message"]
        assert (await client.call("health"))["ok"] is True
    assert await is_well(running)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_session_key_that_climbs_names_an_empty_session_and_no_file(running: GatewayProcess) -> None:
    key = "../../etc/passwd"
    async with connected(running.ws_url, token=TOKEN) as client:
        answer = await client.call("chat.history", {"sessionKey": key})
        assert answer.get("ok") is True, answer
        assert answer["payload"] == {"sessionKey": key, "messages": [], "thinkingLevel": "off"}
        listed = await client.call("sessions.list")
        assert not [row["key"] for row in listed["payload"]["sessions"] if "passwd" in row["key"]]
    assert await is_well(running)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_frame_over_the_limit_ends_that_connection_only(running: GatewayProcess) -> None:
    async with connected(running.ws_url, token=TOKEN) as other, connected(running.ws_url, token=TOKEN) as client:
        with_room = {"type": "req", "id": "big", "method": "health", "params": {"x": "y" * (26 * MEBIBYTE)}}
        try:
            await client.send(with_room)
            frame = await client.answer_to("big")
        except ConnectionError:
            frame = {"closed": 1009}
        assert frame.get("closed") in (1009, 1006), frame
        assert (await other.call("health"))["ok"] is True


@pytest.mark.asyncio(loop_scope="module")
async def test_a_large_message_within_the_limit_is_answered_not_cut(running: GatewayProcess) -> None:
    async with connected(running.ws_url, token=TOKEN) as client:
        params = {"sessionKey": "main", "message": "y" * (2 * MEBIBYTE), "idempotencyKey": "large"}
        answer = await client.call("chat.send", params)
        if not answer["ok"]:
            assert "large" in answer["error"]["message"] or "long" in answer["error"]["message"], answer
        assert (await client.call("health"))["ok"] is True


@pytest.mark.asyncio(loop_scope="module")
async def test_sockets_that_never_authenticate_are_bounded_and_leave_room_for_others(running: GatewayProcess) -> None:
    async with aiohttp.ClientSession() as session:
        sockets: list[aiohttp.ClientWebSocketResponse] = []
        refused = 0
        for _ in range(40):
            try:
                sockets.append(await session.ws_connect(running.ws_url))
            except aiohttp.WSServerHandshakeError as error:
                refused += error.status == 503
        assert refused >= 8
        assert await is_well(running)
        await asyncio.gather(*(socket.close() for socket in sockets))
    async with connected(running.ws_url, token=TOKEN) as client:
        assert (await client.call("health"))["ok"] is True


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("method", "path", "size", "statuses"),
    [
        ("POST", "/api/login", 5_000, {400, 413}),
        ("POST", "/api/login", 3 * MEBIBYTE, {400, 413}),
        ("POST", "/health", 3 * MEBIBYTE, {405, 413}),
        ("PUT", "/", 3 * MEBIBYTE, {405, 413}),
        ("POST", "/api/nothing", 3 * MEBIBYTE, {404, 413}),
    ],
)
async def test_a_body_that_is_too_large_is_refused(
    running: GatewayProcess, method: str, path: str, size: int, statuses: set[int]
) -> None:
    async with aiohttp.ClientSession() as session:
        try:
            async with session.request(method, running.url + path, data=io.BytesIO(b"x" * size)) as answer:
                assert answer.status in statuses
        except aiohttp.ClientConnectionError:
            pass  # cut off while it was still sending
    assert await is_well(running)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "raw", [b"\x00\x01\x02\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 100_000, b"X" * 9]
)
async def test_bytes_that_are_no_http_are_refused(running: GatewayProcess, raw: bytes) -> None:
    host, _, port = running.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(raw + b"\r\n\r\n")
    async with asyncio.timeout(45):
        answer = await reader.read(4096)
    writer.close()
    assert not answer or b" 400 " in answer.split(b"\r\n")[0], answer
    assert await is_well(running)
