from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from homarus.sandbox.output import OutputBuffer


def test_short_output_stays_whole() -> None:
    buffer = OutputBuffer(100)
    buffer.feed(b"one ")
    buffer.feed(b"two")
    assert (buffer.text(), buffer.is_truncated) == ("one two", False)


def test_a_flood_keeps_its_beginning_and_end_and_says_what_is_missing() -> None:
    buffer = OutputBuffer(20)
    for number in range(1000):
        buffer.feed(b"%03d," % number)
    assert buffer.text() == "000,001,00\n[... 3980 bytes left out ...]\n7,998,999,"
    assert buffer.is_truncated


def test_live_output_never_splits_a_character() -> None:
    pieces: list[str] = []
    buffer = OutputBuffer(1000, pieces.append)
    for byte in "grün €".encode():
        buffer.feed(bytes([byte]))
    assert "".join(pieces) == "grün €"


def test_live_output_stops_at_the_limit_and_says_so_once() -> None:
    pieces: list[str] = []
    buffer = OutputBuffer(10, pieces.append)
    for _ in range(50):
        buffer.feed(b"abcd")
    assert "".join(pieces) == "abcdabcdab\n[... more output is not shown live ...]\n"


@given(st.lists(st.binary(max_size=60), max_size=40), st.integers(2, 64))
def test_what_is_kept_is_bounded_and_is_the_beginning_and_the_end(pieces: list[bytes], limit: int) -> None:
    buffer = OutputBuffer(limit)
    for piece in pieces:
        buffer.feed(bytes(byte & 0x7F for byte in piece))
    whole = bytes(byte & 0x7F for byte in b"".join(pieces)).decode()
    half = limit // 2
    if len(whole) <= 2 * half:
        assert buffer.text() == whole
    else:
        assert buffer.text().startswith(whole[:half])
        assert buffer.text().endswith(whole[-half:])
        assert len(buffer.text()) < limit + 60
