"""WebSocket frames as a client writes and reads them (RFC 6455 §5), and what an address says."""

from __future__ import annotations

from enum import IntEnum
from typing import Final
from urllib.parse import quote, urlsplit

from msgspec import Struct

from homarus.protocol.client_errors import not_running

_LAST: Final = 0x80
_MASKED: Final = 0x80
_RESERVED: Final = 0x70
_CODE: Final = 0x0F
_SHORT: Final = 125
_MEDIUM: Final = 126
_LONG: Final = 127
_SIZES: Final = {_MEDIUM: 2, _LONG: 8}
_PATH: Final = "/%:@!$&'()*+,;=~"
_NO_CODE: Final = 1005


class Opcode(IntEnum):
    """What a frame is; those from CLOSE on are about the connection itself."""

    MORE = 0
    TEXT = 1
    CLOSE = 8
    PING = 9
    PONG = 10


class Header(Struct, frozen=True):
    """The first two bytes of a frame; `more` bytes follow that hold the size."""

    opcode: int
    is_last: bool
    size: int

    @property
    def more(self) -> int:
        """Return how many bytes of the size are still to be read."""
        return _SIZES.get(self.size, 0)


class Place(Struct, frozen=True):
    """Where an address leads."""

    url: str
    host: str
    port: int
    is_secure: bool
    authority: bytes
    target: bytes


def read_place(url: str) -> Place:
    """Return where a ws:// or wss:// address leads. Raises NotRunning for anything that is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "wss" else 80)
        host = (parts.hostname or "").encode("idna").decode() if ":" not in (parts.hostname or "") else parts.hostname
    except (ValueError, UnicodeError) as error:
        raise not_running(url, str(error)) from None
    if not host or parts.scheme not in ("ws", "wss"):
        raise not_running(url, "no address of a gateway")
    shown = f"[{host}]" if ":" in host else host
    authority = f"{shown}:{parts.port}" if parts.port else shown
    query = f"?{quote(parts.query, safe=_PATH + '?')}" if parts.query else ""
    target = f"{quote(parts.path, safe=_PATH) or '/'}{query}"
    return Place(url, host, port, parts.scheme == "wss", authority.encode(), target.encode())


def encode_frame(opcode: Opcode, data: bytes, mask: bytes) -> bytes:
    """Return a whole frame; `mask` is four random bytes, as clients must mask what they send."""
    size = len(data)
    if size <= _SHORT:
        head = bytes((_LAST | opcode, _MASKED | size))
    elif size < 1 << 16:
        head = bytes((_LAST | opcode, _MASKED | _MEDIUM)) + size.to_bytes(2, "big")
    else:
        head = bytes((_LAST | opcode, _MASKED | _LONG)) + size.to_bytes(8, "big")
    return b"%b%b%b" % (head, mask, _masked(data, mask))


def read_header(two: bytes) -> Header | None:
    """Return what the first two bytes of a server's frame say, None when no server may say it."""
    first, second = two
    opcode, size = first & _CODE, second & ~_MASKED
    is_last = bool(first & _LAST)
    is_broken_control = opcode >= Opcode.CLOSE and (not is_last or size > _SHORT)
    if first & _RESERVED or second & _MASKED or is_broken_control:
        return None
    return Header(opcode, is_last, size)


def payload_size(header: Header, more: bytes) -> int:
    """Return the bytes of a frame's payload."""
    return int.from_bytes(more, "big") if more else header.size


def reason_of(data: bytes) -> tuple[int, str]:
    """Return code and reason of a close frame."""
    code = int.from_bytes(data[:2], "big") if len(data) > 1 else _NO_CODE
    return code, data[2:].decode(errors="replace")


def _masked(data: bytes, mask: bytes) -> bytes:
    repeated = (mask * (len(data) // 4 + 1))[: len(data)]
    both = int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")
    return both.to_bytes(len(data), "big")
