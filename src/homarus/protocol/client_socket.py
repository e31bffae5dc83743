"""The client's end of a WebSocket (RFC 6455): the upgrade, text messages, pings answered, the close.

aiohttp has one too, but importing it takes longer than all else a command does that asks one question and ends.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from homarus.errors import Transient
from homarus.protocol.client_errors import ConnectionLost, not_running, unknown_certificate, wrong_certificate
from homarus.protocol.client_frames import Opcode, Place, encode_frame, payload_size, read_header, read_place, reason_of
from homarus.protocol.frames import MAX_PAYLOAD

if TYPE_CHECKING:
    import ssl

    from homarus.clock import Clock

CLOSE_TIMEOUT: Final = 2.0
"""Seconds to wait for the gateway to confirm a close."""
_ACCEPT_KEY: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_SWITCHING: Final = 101
NORMAL: Final = 1000
_ABNORMAL, _PROTOCOL_ERROR, _NO_TEXT, _TOO_BIG = 1006, 1002, 1003, 1009


class _Frame(Struct):
    opcode: int
    is_last: bool
    data: bytes


class ClientSocket:
    """An open WebSocket. One task may receive while others send."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, clock: Clock) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._is_ending = False

    async def send_text(self, text: str) -> None:
        """Send a message. Raises ConnectionError when the connection is gone."""
        await self._send(Opcode.TEXT, text.encode())

    async def receive_text(self) -> str:
        """Return the next message. Raises ConnectionLost when there is none."""
        data = b""
        is_begun = False
        while True:
            frame = await self._frame(MAX_PAYLOAD - len(data))
            if frame.opcode == Opcode.CLOSE:
                raise await self._closed(frame.data)
            if frame.opcode == Opcode.PING:
                await self._answer(Opcode.PONG, frame.data)
            if frame.opcode >= Opcode.CLOSE:
                continue
            if frame.opcode != (Opcode.MORE if is_begun else Opcode.TEXT):
                raise await self._fail(_NO_TEXT, "something else than text")
            data, is_begun = data + frame.data, True
            if frame.is_last:
                return data.decode(errors="replace")

    async def close(self, code: int = NORMAL, reason: bytes = b"") -> None:
        """Say that this is the end, wait a little for the gateway to agree, and close."""
        with contextlib.suppress(OSError, ConnectionLost, TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._end(code, reason)
                while not self._writer.is_closing():
                    await self.receive_text()
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._writer.wait_closed()

    async def _frame(self, limit: int) -> _Frame:
        """Return the next frame of at most `limit` bytes."""
        try:
            header = read_header(await self._reader.readexactly(2))
            if header is None:
                raise await self._fail(_PROTOCOL_ERROR, "a frame no gateway sends")
            size = payload_size(header, await self._reader.readexactly(header.more))
            if size > limit:
                raise await self._fail(_TOO_BIG, "a message that is too large")
            return _Frame(header.opcode, header.is_last, await self._reader.readexactly(size))
        except (asyncio.IncompleteReadError, OSError):
            self._writer.close()
            raise ConnectionLost(f"the gateway closed the connection ({_ABNORMAL})") from None

    async def _closed(self, data: bytes) -> ConnectionLost:
        """Confirm the gateway's close and return what to raise for it."""
        code, reason = reason_of(data)
        with contextlib.suppress(OSError):
            await self._end(code, b"")
        self._writer.close()
        return ConnectionLost(f"the gateway closed the connection ({code}{reason and f': {reason}'})")

    async def _fail(self, code: int, what: str) -> ConnectionLost:
        with contextlib.suppress(OSError):
            await self._end(code, b"")
        self._writer.close()
        return ConnectionLost(f"the gateway sent {what}")

    async def _end(self, code: int, reason: bytes) -> None:
        """Send a close frame unless one was sent; a code that only stands for none is left out."""
        if not self._is_ending:
            self._is_ending = True
            await self._send(Opcode.CLOSE, b"" if code == _ABNORMAL else code.to_bytes(2, "big") + reason)

    async def _answer(self, opcode: Opcode, data: bytes) -> None:
        with contextlib.suppress(OSError):
            await self._send(opcode, data)

    async def _send(self, opcode: Opcode, data: bytes) -> None:
        # Three random bytes are four characters, which is how long a mask is.
        self._writer.write(encode_frame(opcode, data, self._clock.token(3).encode()))
        await self._writer.drain()


async def open_socket(url: str, clock: Clock, pin: bytes | None = None) -> ClientSocket:
    """Connect to ws:// or wss://; `pin` is the SHA-256 of the certificate that is expected.

    Raises NotRunning, AuthFailed for a certificate that is not trusted, Transient when it is no gateway that answers.
    """
    place = read_place(url)
    try:
        reader, writer = await asyncio.open_connection(place.host, place.port, ssl=_context(place, pin))
    except (OSError, UnicodeError) as error:
        raise _unreachable(url, error) from error
    try:
        _check_pin(url, writer, pin)
        await _upgrade(place, reader, writer, clock)
    except BaseException:
        writer.close()
        raise
    return ClientSocket(reader, writer, clock)


def _context(place: Place, pin: bytes | None) -> ssl.SSLContext | None:
    """Return how the certificate is checked: by the system's authorities, or, with a pin, by nothing but the pin."""
    if not place.is_secure:
        return None
    import ssl  # noqa: PLC0415 - a gateway on this machine is asked without

    context = ssl.create_default_context()
    if pin is not None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _unreachable(url: str, error: Exception) -> Exception:
    if type(error).__name__ == "SSLCertVerificationError":
        return unknown_certificate(url, str(error))
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    is_refused = "refused" in text.lower() or "Connect call failed" in text
    return not_running(url, "connection refused" if is_refused else text)


def _check_pin(url: str, writer: asyncio.StreamWriter, pin: bytes | None) -> None:
    if pin is None:
        return
    shown: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
    certificate = None if shown is None else shown.getpeercert(binary_form=True)
    got = hashlib.sha256(certificate or b"").digest()
    if certificate is None or got != pin:
        raise wrong_certificate(url, got)


async def _upgrade(place: Place, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, clock: Clock) -> None:
    # Twelve random bytes are sixteen characters, which is how long a key is before it is encoded.
    key = base64.b64encode(clock.token(12).encode())
    writer.write(
        b"GET %b HTTP/1.1\r\nHost: %b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n\r\n" % (place.target, place.authority, key)
    )
    try:
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError) as error:
        raise Transient(f"{place.url} does not answer as a gateway does", fix="look at `homarus logs`") from error
    _check_answer(place.url, head, base64.b64encode(hashlib.sha1(key + _ACCEPT_KEY, usedforsecurity=False).digest()))


def _check_answer(url: str, head: bytes, proof: bytes) -> None:
    """Raise Transient unless the gateway took the upgrade, proven by the answer to our key (RFC 6455 §4.1)."""
    status, *lines = head.split(b"\r\n")
    _version, code, *_text = [*status.split(b" ", 2), b"", b""]
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    if code != b"%d" % _SWITCHING:
        shown = code.decode("ascii", "replace") or "nothing"
        raise Transient(f"{url} is no gateway, or it is too busy (HTTP {shown})")
    if headers.get(b"sec-websocket-accept") != proof:
        raise Transient(f"{url} is no gateway: it answered another client's handshake")
