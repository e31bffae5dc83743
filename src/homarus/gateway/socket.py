"""The WebSocket of one client, with the small bound on what it may send before it is authenticated."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Protocol, cast

from aiohttp import WSCloseCode, WSMessage, WSMsgType
from aiohttp.http_websocket import WebSocketError
from aiohttp.web import BaseRequest, WebSocketResponse

from homarus.protocol.frames import MAX_PAYLOAD, MAX_PREAUTH_PAYLOAD

if TYPE_CHECKING:
    from aiohttp.http_websocket import WebSocketWriter

_FRAME_OVERHEAD = 14
"""Bytes of the largest WebSocket frame header, mask included."""
_TEXT = 0x81
"""First byte of a text frame that is whole."""
_PING = b"\x89\x00"
"""An empty ping."""
_SHORT = 126
_MEDIUM = 0xFFFF
_TEXT_MEDIUM = Struct(">BBH")
_TEXT_LONG = Struct(">BBQ")
CLOSE_TIMEOUT = 2.0
"""Seconds to wait for the other side to confirm a close."""


class _Reader(Protocol):
    """What aiohttp's connection feeds with the bytes it receives."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]: ...

    def feed_eof(self) -> None: ...


class _PreauthReader:
    """Counts bytes on their way to the real reader, so that strangers cannot make the gateway hold much.

    aiohttp fixes the largest message when the upgrade is answered, long before the client has said who it is.
    """

    def __init__(self, reader: _Reader, fail: _Failure) -> None:
        self._reader = reader
        self._fail = fail
        self._left = MAX_PREAUTH_PAYLOAD + _FRAME_OVERHEAD

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Pass bytes on, or fail the connection when there are too many."""
        self._left -= len(data)
        if self._left < 0:
            self._fail(WebSocketError(WSCloseCode.MESSAGE_TOO_BIG, "preauth payload too large"))
            return False, b""
        return self._reader.feed_data(data)

    def feed_eof(self) -> None:
        """Pass on that the client is gone."""
        self._reader.feed_eof()


class _Failure(Protocol):
    def __call__(self, exc: BaseException) -> None: ...


class ClientSocket(WebSocketResponse):
    """A WebSocket that takes 64 KiB in all until `trust` is called, then frames of up to 25 MiB.

    Compression is off: it would let a small frame become a large one.
    """

    def __init__(self) -> None:
        super().__init__(max_msg_size=MAX_PAYLOAD, compress=False, timeout=CLOSE_TIMEOUT, autoping=False)
        self._guarded_request: BaseRequest | None = None
        self.awaits_pong = False
        """Whether a ping is not answered yet."""

    def _post_start(self, request: BaseRequest, protocol: str | None, writer: WebSocketWriter) -> None:
        super()._post_start(request, protocol, writer)
        # Every request keeps its headers twice; this one lives as long as the connection.
        request._message = request._message._replace(raw_headers=())  # noqa: SLF001 - aiohttp has no way to forget
        reader, queue = self._parser, self._reader
        if reader is None or queue is None:
            return
        self._guarded_request = request
        guard = _PreauthReader(cast("_Reader", reader), queue.set_exception)
        request.protocol._payload_parser = guard  # noqa: SLF001 - aiohttp has no public way to bound bytes before a message

    def trust(self) -> None:
        """Lift the bound: the client is authenticated."""
        request, self._guarded_request = self._guarded_request, None
        if request is not None and isinstance(request.protocol._payload_parser, _PreauthReader):  # noqa: SLF001
            request.protocol._payload_parser = self._parser  # noqa: SLF001

    async def receive(self, timeout: float | None = None) -> WSMessage:
        """Return the next message that is not about the connection itself: pings are answered, pongs noted."""
        while True:
            message = await super().receive(timeout)
            if message.type is WSMsgType.PING:
                await self.pong(message.data)
            elif message.type is WSMsgType.PONG:
                self.awaits_pong = False
            else:
                return message

    def ping_now(self) -> None:
        """Ping the client without waiting, even while its buffers are full; somebody else has to be receiving."""
        writer = self._writer
        if writer is not None and not self.closed and not writer.transport.is_closing():
            self.awaits_pong = True
            writer.transport.write(_PING)

    async def send_text(self, frame: bytes) -> None:
        """Send an encoded text frame; waits while the client's buffers are full."""
        await self.send_frame(frame, WSMsgType.TEXT)

    async def send_texts(self, frames: list[bytes]) -> None:
        """Send text frames with one write, as a write costs more than all else; waits while buffers are full."""
        writer = self._writer
        if writer is None or self.closed or len(frames) == 1:
            for frame in frames:
                await self.send_text(frame)
            return
        writer.transport.write(b"".join(part for frame in frames for part in (_text_header(len(frame)), frame)))
        await writer.protocol._drain_helper()  # noqa: SLF001 - what aiohttp itself waits for after its writes


def _text_header(length: int) -> bytes:
    """Return the header of a whole, unmasked text frame (RFC 6455 §5.2)."""
    if length < _SHORT:
        return bytes((_TEXT, length))
    if length <= _MEDIUM:
        return _TEXT_MEDIUM.pack(_TEXT, _SHORT, length)
    return _TEXT_LONG.pack(_TEXT, _SHORT + 1, length)
