from __future__ import annotations

import pytest

from homarus.automation.heartbeat.reply import Answer, read_answer


@pytest.mark.parametrize("text", ["HEARTBEAT_OK", " **HEARTBEAT_OK** ", "<b>HEARTBEAT_OK</b>.", "`HEARTBEAT_OK`!"])
def test_the_token_alone_means_that_all_is_well(text: str) -> None:
    assert read_answer(text, 300) == Answer("", is_ok=True)


@pytest.mark.parametrize("text", ["HEARTBEAT_OK - all quiet", "all quiet. HEARTBEAT_OK"])
def test_a_short_remark_beside_the_token_is_dropped(text: str) -> None:
    assert read_answer(text, 300).is_ok


def test_a_long_remark_is_told_without_the_token() -> None:
    found = read_answer("HEARTBEAT_OK\n" + "x" * 301, 300)
    assert (found.is_ok, found.text) == (False, "x" * 301)


@pytest.mark.parametrize("text", ["the word HEARTBEAT_OK in between", "HEARTBEAT_OKAY", "The boiler leaks."])
def test_anything_else_is_to_be_told(text: str) -> None:
    assert read_answer(text, 300) == Answer(text, is_ok=False)


@pytest.mark.parametrize("text", ["", "  \n", "NO_REPLY"])
def test_silence_is_fine(text: str) -> None:
    assert read_answer(text, 300) == Answer("", is_ok=True, is_empty=True)
