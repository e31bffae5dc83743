"""The client's end of a WebSocket against servers that behave, and against some that do not."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import WSMsgType, web

from homarus.clock import SystemClock
from homarus.errors import Transient
from homarus.protocol.client_errors import ConnectionLost, NotRunning
from homarus.protocol.client_socket import ClientSocket, open_socket
from homarus.protocol.frames import MAX_PAYLOAD

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(talk: Talk) -> AsyncGenerator[str]:
    """A server that says whatever `talk` says and hangs up; yields its address."""
    talks: list[asyncio.Task[None]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.create_task(answer(reader, writer)))

    async with await asyncio.start_server(begin, "127.0.0.1", 0) as listening:
        yield f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
    await asyncio.gather(*talks)


async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the upgrade as RFC 6455 §4.2.2 says."""
    head = await reader.readuntil(b"\r\n\r\n")
    [key] = re.findall(rb"Sec-WebSocket-Key: (\S+)", head)
    proof = base64.b64encode(
        hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
    )
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nSEC-WEBSOCKET-ACCEPT:  " + proof + b"\r\n\r\n")


@asynccontextmanager
async def connected(sent: bytes, heard: asyncio.Future[bytes] | None = None) -> AsyncGenerator[ClientSocket]:
    """A socket whose other end says `sent` and then listens until the client goes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        writer.write(sent)
        said = await reader.read(-1)
        if heard is not None:
            heard.set_result(said)

    async with server(talk) as url:
        socket = await open_socket(url, SystemClock())
        try:
            yield socket
        finally:
            socket._writer.close()  # pyright: ignore[reportPrivateUsage]


async def test_messages_go_both_ways_in_every_size() -> None:
    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            assert message.type is WSMsgType.TEXT
            await socket.send_str(message.data)
        return socket

    app = web.Application()
    app.router.add_get("/", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    socket = await open_socket(f"ws://127.0.0.1:{runner.addresses[0][1]}", SystemClock())
    for size in (0, 1, 125, 126, 65_535, 65_536, 1_000_000):
        text = ("\u00e9" + "x" * size)[:size]
        await socket.send_text(text)
        assert await socket.receive_text() == text
    await socket.close()
    await runner.cleanup()


async def test_parts_of_a_message_are_put_together_around_a_ping_that_is_answered() -> None:
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    async with connected(b"\x01\x02on" + b"\x89\x02hi" + b"\x80\x01e", heard) as socket:
        assert await socket.receive_text() == "one"
    said = await heard
    mask, data = said[2:6], said[6:8]
    assert said[:2] == b"\x8a\x82"
    assert bytes(one ^ other for one, other in zip(data, mask, strict=False)) == b"hi"


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"\x88\x05\x03\xf4why", r"the gateway closed the connection \(1012: why\)"),
        (b"\x88\x00", r"the gateway closed the connection \(1005\)"),
        (b"\x82\x01x", "something else than text"),
        (b"\x80\x01x", "something else than text"),
        (b"\x01\x01x\x81\x01y", "something else than text"),
        (b"\x81\x81maskx", "a frame no gateway sends"),
        (b"\x81\x7f" + (MAX_PAYLOAD + 1).to_bytes(8, "big"), "too large"),
    ],
)
async def test_an_end_says_why(sent: bytes, why: str) -> None:
    async with connected(sent) as socket:
        with pytest.raises(ConnectionLost, match=why):
            await socket.receive_text()


async def test_an_end_without_a_word_is_told_too() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        writer.write(b"\x81\x05ha")

    async with server(hang_up) as url:
        socket = await open_socket(url, SystemClock())
        with pytest.raises(ConnectionLost, match="1006"):
            await socket.receive_text()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 503 Busy\r\n\r\n", r"no gateway, or it is too busy \(HTTP 503\)"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "HTTP 200"),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "HTTP nothing"),
        (b"HTTP/1.1 101 Switching\r\nSec-WebSocket-Accept: bm8=\r\n\r\n", "another client's handshake"),
        (b"HTTP/1.1 101", "does not answer as a gateway does"),
        (b"x" * 200_000, "does not answer as a gateway does"),
    ],
)
async def test_what_is_no_gateway_is_told(answer: bytes, why: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    async with server(talk) as url:
        with pytest.raises(Transient, match=why):
            await open_socket(url, SystemClock())


async def test_nothing_there_is_told_as_not_running() -> None:
    async with server(accept) as url:
        pass
    with pytest.raises(NotRunning, match="connection refused"):
        await open_socket(url, SystemClock())
