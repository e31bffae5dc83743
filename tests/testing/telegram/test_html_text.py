from __future__ import annotations

import pytest

from homarus.testing.telegram.html_text import MarkupError, read_html


def test_offsets_are_in_utf16_units() -> None:
    text, entities = read_html("\U0001f41f<b>x</b>&lt;&amp;")
    assert text == "\U0001f41fx<&"
    assert entities == [{"type": "bold", "offset": 2, "length": 1}]


def test_an_empty_tag_is_no_entity() -> None:
    assert read_html("a<b></b>") == ("a", [])


@pytest.mark.parametrize("text", ["<b>", "</b>", "<b><i></b></i>", "<img>"])
def test_what_is_not_balanced_or_unknown_is_refused(text: str) -> None:
    with pytest.raises(MarkupError):
        read_html(text)
