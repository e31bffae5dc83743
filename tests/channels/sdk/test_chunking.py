from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homarus.channels.sdk.chunking import LEAST_LIMIT, chunk, paragraphs, split
from homarus.channels.sdk.measure import Unit, measure

PROSE = st.text(alphabet="ab .!\n\t`~é日😀\u0301", max_size=400)
WITH_CODE = st.lists(
    st.sampled_from(["```py\n", "```\n", "~~~~\n", "x = 1\n", "words and words. ", "\n\n", "日本語", "😀", "``` a\n"]),
    max_size=60,
).map("".join)
UNITS = st.sampled_from(list(Unit))
LIMITS = st.integers(LEAST_LIMIT, 120)


@given(text=PROSE | WITH_CODE, limit=LIMITS, unit=UNITS)
def test_the_bodies_of_the_parts_are_the_text(text: str, limit: int, unit: Unit) -> None:
    assert "".join(part.body for part in split(text, limit=limit, unit=unit)) == text


@given(text=PROSE | WITH_CODE, limit=LIMITS, unit=UNITS)
def test_every_part_fits_and_none_is_empty(text: str, limit: int, unit: Unit) -> None:
    for part in split(text, limit=limit, unit=unit):
        assert part.body
        assert measure(part.text, unit) <= limit


@given(text=PROSE | WITH_CODE, limit=LIMITS, unit=UNITS, by_paragraph=st.booleans())
def test_no_sent_text_is_blank_or_too_long(text: str, limit: int, unit: Unit, by_paragraph: bool) -> None:
    for item in chunk(text, limit=limit, unit=unit, by_paragraph=by_paragraph):
        assert item.strip()
        assert measure(item, unit) <= limit


@given(text=WITH_CODE)
def test_paragraphs_joined_are_the_text(text: str) -> None:
    assert "".join(paragraphs(text)) == text


def test_a_code_block_is_closed_and_reopened_with_its_header() -> None:
    text = "Look:\n```python\n" + "print('tide')\n" * 12 + "```\nDone."
    parts = chunk(text, limit=80)
    assert len(parts) > 2
    assert all(part.count("```") % 2 == 0 for part in parts)
    assert all(part.startswith("```python\n") for part in parts[1:-1])


def test_a_cut_prefers_a_paragraph_then_a_line_then_a_sentence_then_a_space() -> None:
    assert chunk("one two.\n\nthree four five six", limit=20)[0] == "one two."
    assert chunk("one two\nthree four five six", limit=18)[0] == "one two"
    assert chunk("One two. Three four five six", limit=18)[0] == "One two."
    assert chunk("one two three four five", limit=16)[0] == "one two three"
    assert chunk("x" * 40, limit=16) == ["x" * 16, "x" * 16, "x" * 8]


def test_a_character_keeps_its_marks() -> None:
    parts = split("a" * 15 + "e\u0301" + "b" * 5, limit=16)
    assert [part.body[:1] for part in parts] == ["a", "e"]


def test_paragraph_mode_starts_a_part_at_every_blank_line_outside_code() -> None:
    text = "one\n\ntwo\n\n```\na\n\nb\n```"
    assert chunk(text, limit=100, by_paragraph=True) == ["one", "two", "```\na\n\nb\n```"]


def test_a_limit_too_small_for_fences_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        split("text", limit=15)


def test_a_megabyte_is_cut_in_one_pass() -> None:
    text = ("```\n" + "word " * 50 + "\n") * 4000
    parts = split(text, limit=350, unit=Unit.BYTES)
    assert "".join(part.body for part in parts) == text
