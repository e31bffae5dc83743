from __future__ import annotations

import pytest

from homarus.protocol.client_errors import NotRunning
from homarus.protocol.client_frames import Opcode, encode_frame, payload_size, read_header, read_place, reason_of

MASK = b"\x37\xfa\x21\x3d"


def test_a_masked_text_is_that_of_the_standard() -> None:
    assert encode_frame(Opcode.TEXT, b"Hello", MASK).hex() == "818537fa213d7f9f4d5158"


@pytest.mark.parametrize(
    ("size", "head"),
    [(0, "8180"), (125, "81fd"), (126, "81fe007e"), (65_535, "81feffff"), (65_536, "81ff" + "0" * 11 + "10000")],
)
def test_a_size_takes_as_few_bytes_as_it_may(size: int, head: str) -> None:
    frame = encode_frame(Opcode.TEXT, bytes(size), MASK)
    assert frame.hex().startswith(head + MASK.hex())
    assert len(frame) == len(head) // 2 + 4 + size


@pytest.mark.parametrize(
    "two",
    [b"\x81\x85", b"\xc1\x05", b"\x09\x00", b"\x89\x7e"],
    ids=["masked", "reserved", "part of a ping", "large ping"],
)
def test_what_no_server_may_send_is_no_header(two: bytes) -> None:
    assert read_header(two) is None


@pytest.mark.parametrize(
    ("two", "more", "size"),
    [(b"\x81\x05", b"", 5), (b"\x81\x7e", b"\x01\x00", 256), (b"\x01\x7f", b"\0" * 5 + b"\x01\0\0", 65_536)],
)
def test_sizes_of_frames_are_read(two: bytes, more: bytes, size: int) -> None:
    header = read_header(two)
    assert header is not None
    assert header.more == len(more)
    assert payload_size(header, more) == size


@pytest.mark.parametrize(("data", "found"), [(b"", (1005, "")), (b"\x03", (1005, "")), (b"\x03\xf4why", (1012, "why"))])
def test_a_close_says_why(data: bytes, found: tuple[int, str]) -> None:
    assert reason_of(data) == found


@pytest.mark.parametrize(
    ("url", "host", "port", "authority", "target"),
    [
        ("ws://127.0.0.1:1/", "127.0.0.1", 1, b"127.0.0.1:1", b"/"),
        ("wss://Far.Example", "far.example", 443, b"far.example", b"/"),
        ("ws://[::1]:7/a b?c=d e", "::1", 7, b"[::1]:7", b"/a%20b?c=d%20e"),
        ("wss://b\u00fccher.example/x", "xn--bcher-kva.example", 443, b"xn--bcher-kva.example", b"/x"),
    ],
)
def test_an_address_leads_somewhere(url: str, host: str, port: int, authority: bytes, target: bytes) -> None:
    place = read_place(url)
    assert (place.host, place.port, place.authority, place.target) == (host, port, authority, target)
    assert place.is_secure == url.startswith("wss")


@pytest.mark.parametrize(
    "url", ["http://host", "ws://", "ws://host:99999", "ws://[::1", "", f"ws://{'a' * 70}.example"]
)
def test_what_is_no_address_is_told_as_nothing_running_there(url: str) -> None:
    with pytest.raises(NotRunning):
        read_place(url)
