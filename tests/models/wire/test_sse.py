from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homarus.models.wire.sse import LineTooLong, SseDecoder

STREAM = '\ufeff: comment\r\ndata: {"a":"é€😀"}\r\n\r\nevent: x\ndata:one\ndata: two\n\nid: 1\r\rdata: [DONE]'.encode()
EVENTS = ['{"a":"é€😀"}', "one\ntwo", "[DONE]"]


def cut(data: bytes, at: list[int]) -> list[bytes]:
    points = sorted({0, len(data), *(point % (len(data) + 1) for point in at)})
    return [data[start:end] for start, end in itertools.pairwise(points)]


@given(st.lists(st.integers(0, 500), max_size=30))
def test_any_split_of_the_bytes_gives_the_same_events(at: list[int]) -> None:
    decoder = SseDecoder()
    events = [event for piece in cut(STREAM, at) for event in decoder.feed(piece)]
    assert events + decoder.close() == EVENTS


@pytest.mark.parametrize("data", [b"data: " + b"x" * 100, b"data: " + b"x" * 30 + b"\ndata: " + b"x" * 30 + b"\n"])
def test_a_line_or_event_beyond_the_bound_is_refused(data: bytes) -> None:
    decoder = SseDecoder(max_line=40)
    with pytest.raises(LineTooLong):
        decoder.feed(data)


def test_broken_utf8_becomes_replacement_characters() -> None:
    assert SseDecoder().feed(b"data: \xff\n\n") == ["\ufffd"]
