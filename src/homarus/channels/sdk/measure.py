"""Length of text in the unit a platform counts in."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from enum import StrEnum


class Unit(StrEnum):
    """What one step of a limit is: a code point, a UTF-16 code unit or a UTF-8 byte."""

    CHARS = "chars"
    UTF16 = "utf16"
    BYTES = "bytes"


_JOINERS = frozenset("\u200d\ufe0e\ufe0f")
_MOST_MARKS = 16  # a longer run of combining marks is cut: nobody writes it


def measure(text: str, unit: Unit) -> int:
    """Return the length of text in `unit`."""
    if unit is Unit.CHARS:
        return len(text)
    if unit is Unit.UTF16:
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text.encode("utf-8", "surrogatepass"))


def fit(text: str, start: int, budget: int, unit: Unit) -> int:
    """Return the largest end for which `text[start:end]` is at most `budget` long."""
    stop = min(len(text), start + max(0, budget))
    if unit is Unit.CHARS:
        return stop
    size = _WIDTHS[unit]
    used = 0
    for index in range(start, stop):
        used += size(text[index])
        if used > budget:
            return index
    return stop


def whole_character(text: str, start: int, end: int) -> int:
    """Return `end` moved back so that no character loses its marks; `end` itself if that leaves nothing."""
    for back in range(_MOST_MARKS):
        index = end - back
        if index <= start:
            return end
        if index >= len(text) or not _is_continued(text, index):
            return index
    return end


def _is_continued(text: str, index: int) -> bool:
    after = text[index]
    return after in _JOINERS or text[index - 1] == "\u200d" or unicodedata.combining(after) != 0


def _utf8_width(char: str) -> int:
    code = ord(char)
    return 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4


def _utf16_width(char: str) -> int:
    return 2 if ord(char) > 0xFFFF else 1


_WIDTHS: dict[Unit, Callable[[str], int]] = {Unit.UTF16: _utf16_width, Unit.BYTES: _utf8_width}
