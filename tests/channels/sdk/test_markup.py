from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homarus.channels.contract import Capabilities
from homarus.channels.sdk.markup import render
from homarus.channels.sdk.parts import parts_of


@pytest.mark.parametrize(
    ("markdown", "plain", "irc"),
    [
        ("**bold** and *it*", "bold and it", "\x02bold\x02 and \x1dit\x1d"),
        ("# Title #", "Title", "\x02Title\x02"),
        ("~~gone~~ `a*b*c`", "gone a*b*c", "\x1egone\x1e \x11a*b*c\x11"),
        ("[pier](https://x.test/a_b_c)", "pier (https://x.test/a_b_c)", "pier (https://x.test/a_b_c)"),
        ("<https://x.test>", "https://x.test", "https://x.test"),
        ("snake_case_name 5 * 3 * 2", "snake_case_name 5 * 3 * 2", "snake_case_name 5 * 3 * 2"),
        ("- one\n  2. two", "- one\n  2. two", "- one\n  2. two"),
        ("> said", "> said", "> said"),
        ("```py\n**x**\n```", "**x**", "**x**"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a | b\n1 | 2", "a | b\n1 | 2"),
        (r"\*literal\* ``a ` b``", "*literal* a ` b", "*literal* \x11a ` b\x11"),
        ("**open and *never closed", "**open and *never closed", "**open and *never closed"),
    ],
)
def test_markdown_becomes_the_markup_of_the_platform(markdown: str, plain: str, irc: str) -> None:
    assert render(markdown, "plain") == plain
    assert render(markdown, "irc") == irc
    assert render(markdown, "markdown") == markdown


@given(st.text(max_size=300))
def test_plain_text_never_holds_control_characters(text: str) -> None:
    assert not [char for char in render(text, "plain") if ord(char) < 32 and char not in "\n\t"]


@given(st.text(alphabet="ab*_~`[]()\n\\#-|> ", max_size=300))
def test_every_irc_style_is_closed_within_its_line(text: str) -> None:
    for line in render(text, "irc").split("\n"):
        assert all(line.count(code) % 2 == 0 for code in "\x02\x11\x1d\x1e")


def test_codes_written_by_the_model_itself_are_removed() -> None:
    assert render("\x01ACTION\x01 \x02hi\x03", "irc") == "ACTION hi"


def test_an_unknown_dialect_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="available: markdown, plain, irc"):
        render("x", "html5")


@pytest.mark.parametrize(
    "piece", ["[", "*", "x`` ``` ", "**a", "[a](", "<https://", "# #", "`a", "_a", "|-", "| |-x", "- -", "![x]("]
)
def test_long_hostile_lines_are_read_in_linear_time(piece: str) -> None:
    assert render(piece * 60_000, "irc")


def test_parts_follow_the_capabilities_of_the_channel() -> None:
    capabilities = Capabilities(max_text=350, text_unit="bytes", markup="irc")
    assert parts_of("**hi**", capabilities) == ["\x02hi\x02"]
    assert parts_of(" \n\n", capabilities) == []
    assert max(len(part.encode()) for part in parts_of("é" * 900, capabilities)) <= 350
    assert max(len(part) for part in parts_of("a" * 900, capabilities, limit=100)) <= 100
