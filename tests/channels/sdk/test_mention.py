from __future__ import annotations

import pytest

from homarus.channels.sdk.mention import is_mentioned, strip_address


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        ("homarus: tide?", True),
        ("ask HOMARUS about it", True),
        ("is that homarus's boat", True),
        ("(homarus)", True),
        ("homarus2 knows", False),
        ("homarus-dev knows", False),
        ("[homarus]", False),
        ("xhomarus homarus", True),
        ("", False),
    ],
)
def test_a_mention_is_a_whole_word(text: str, is_there: bool) -> None:
    assert is_mentioned(text, "homarus") is is_there


def test_an_empty_name_is_never_mentioned() -> None:
    assert not is_mentioned("anything", "")
    assert strip_address(": x", "") is None


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("homarus: tide?", "tide?"),
        ("@Homarus, tide?", "tide?"),
        ("homarus tide?", None),
        ("homarus:", ""),
        ("the homarus: tide", None),
    ],
)
def test_a_leading_address_is_taken_off(text: str, rest: str | None) -> None:
    assert strip_address(text, "homarus") == rest
