from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homarus.channels.irc.isupport import Isupport
from homarus.channels.irc.wire import Line, WireError, parse, serialise

WORD = st.text(alphabet=st.characters(blacklist_characters="\0\r\n ", blacklist_categories=("Cs",)), min_size=1).filter(
    lambda word: not word.startswith(":")
)
TEXT = st.text(alphabet=st.characters(blacklist_characters="\0\r\n", blacklist_categories=("Cs",)))
KEY = st.from_regex(r"\+?[a-z][a-z/-]{0,10}", fullmatch=True)
VALUE = st.text(alphabet=st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=40)


@given(words=st.lists(WORD, max_size=4), text=TEXT, tags=st.dictionaries(KEY, VALUE, max_size=4))
def test_what_is_written_is_read_again(words: list[str], text: str, tags: dict[str, str]) -> None:
    raw = serialise("PRIVMSG", *words, text, tags=tags)
    assert raw.count(b"\n") == 1
    line = parse(raw)
    assert line.command == "PRIVMSG"
    assert line.params == (*words, text)
    assert line.tags == tags


def test_a_full_line_is_taken_apart() -> None:
    raw = rb"@time=2026-11-20T08:15:11.004Z;msgid=7Qw1;a=x\:\s\\y\q\ :ines!~i@boat.example PRIVMSG #pier :homarus: hi?"
    line = parse(raw)
    assert line.tags["a"] == "x; \\yq"
    assert line.source == "ines!~i@boat.example"
    assert line.nick == "ines"
    assert line.params == ("#pier", "homarus: hi?")


@pytest.mark.parametrize("raw", [b"", b":only.source", b"@a=b", b"12 x", b"\x00\x01", b":s :trailing"])
def test_garbage_is_no_line(raw: bytes) -> None:
    with pytest.raises(WireError):
        parse(raw)


@pytest.mark.parametrize(
    "params", [("#a", "x\r\nQUIT"), ("#a\n", "x"), ("#a b", "x"), ("", "x"), (":a", "x"), ("#a", "\0")]
)
def test_a_parameter_that_would_break_the_line_is_refused(params: tuple[str, str]) -> None:
    with pytest.raises(WireError):
        serialise("PRIVMSG", *params)


def test_too_many_tags_are_refused() -> None:
    with pytest.raises(WireError, match="4094"):
        serialise("TAGMSG", "#a", tags={"+x": "y" * 5000})


def test_bytes_that_are_no_utf8_are_read_as_latin1() -> None:
    assert parse(b":a!b@c PRIVMSG x :caf\xe9").param(1) == "café"


def test_a_missing_parameter_is_empty() -> None:
    assert Line("PING").param(0) == ""
    assert Line("PING").param(-1) == ""


def test_names_compare_as_the_server_says() -> None:
    features = Isupport()
    assert features.fold("Nick[]\\^") == "nick{}|~"
    features.update(["CASEMAPPING=ascii", "STATUSMSG=@+", "CLIENTTAGDENY=*,-reply", "LINELEN=2048", "BOT=B"])
    assert features.fold("Nick[]") == "nick[]"
    assert features.split_status("@#pier") == ("@", "#pier")
    assert features.are_tags_allowed("reply")
    assert not features.are_tags_allowed("typing")
    assert features.line_bytes == 2048
    assert features.bot_mode == "B"
    features.update(["-LINELEN", "-CLIENTTAGDENY"])
    assert features.line_bytes == 512
    assert features.are_tags_allowed("typing")
