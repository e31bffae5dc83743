from __future__ import annotations

import pytest

from homarus.config.units import parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("90s", 90), ("1h30m", 5400), ("7d", 604800), ("0", 0), ("2", 0.002), (1500, 1.5)],
)
def test_durations_are_read_in_seconds(text: str | float, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1s", "1h 2", "1x", "1h2"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(("text", "count"), [("10mb", 10485760), ("1.5k", 1536), ("7", 7), (9, 9), ("2TB", 2 << 40)])
def test_sizes_are_read_in_bytes(text: str | float, count: int) -> None:
    assert parse_size(text) == count


def test_other_texts_are_no_sizes() -> None:
    with pytest.raises(ValueError, match="size"):
        parse_size("10 apples")
