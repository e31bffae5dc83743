from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homarus.channels.contract import OutboundPart
from homarus.channels.irc.outbound import lines_of, message, wrap
from homarus.channels.irc.view import View
from homarus.errors import Permanent
from homarus.ids import Address


def part(text: str, chat: str = "#pier", thread: str | None = None) -> OutboundPart:
    return OutboundPart("p", Address("irc", "default", chat, thread), text)


@given(text=st.text(max_size=900))
def test_no_line_is_longer_than_others_receive_it_and_none_holds_a_break(text: str) -> None:
    view = View("homarus")
    view.learn_prefix("homarus!~h@srv.example")
    try:
        lines = lines_of(part(text), view)
    except Permanent:
        return
    for line in lines:
        seen = b":homarus!~h@srv.example " + message("#pier", line)
        assert len(seen) <= 512
        assert not set(seen[:-2]) & set(b"\0\r\n\x01")


def test_every_line_of_a_part_is_a_message_and_blank_ones_are_left_out() -> None:
    assert lines_of(part("one\n\n  two\r\n\x02\x02\nthree\tx"), View("homarus")) == ("one", "  two", "three    x")


def test_a_long_line_is_cut_at_spaces_and_its_style_goes_on() -> None:
    pieces = wrap("\x02" + "tide " * 30 + "\x02", 60)
    assert all(len(piece.encode()) <= 60 for piece in pieces)
    assert all(piece.startswith("\x02") for piece in pieces)
    assert " ".join(piece.strip("\x02") for piece in pieces).split() == ["tide"] * 30


def test_a_longer_limit_of_the_server_is_used() -> None:
    view = View("homarus")
    short = len(lines_of(part("x" * 1500), view))
    view.isupport.update(["LINELEN=2048"])
    assert short > 1
    assert len(lines_of(part("x" * 1500), view)) == 1


@pytest.mark.parametrize("chat", ["", "a b", "a,b", ":a", "a\r\nb", "x" * 500])
def test_a_target_that_no_server_would_take_is_permanent(chat: str) -> None:
    with pytest.raises(Permanent):
        lines_of(part("hi", chat), View("homarus"))


@pytest.mark.parametrize("text", ["", "\n\n", "\x02\x1d", "\x00"])
def test_a_part_without_text_is_permanent(text: str) -> None:
    with pytest.raises(Permanent, match="no text"):
        lines_of(part(text), View("homarus"))


def test_more_lines_than_anybody_wants_are_permanent() -> None:
    with pytest.raises(Permanent, match="at most 40"):
        lines_of(part("x\n" * 41), View("homarus"))
