"""Whether a text addresses somebody by name, on word borders and under the network's case rules."""

from __future__ import annotations

from collections.abc import Callable

Fold = Callable[[str], str]
"""Maps text to the form in which names compare equal; must keep the length of the text."""

_NAME_MARKS = frozenset("-_[]\\`^{}|")  # besides letters and digits, what a nick may contain (RFC 2812 section 2.3.1)
_SEPARATORS = ":,"


def ascii_fold(text: str) -> str:
    """Return text with A to Z lowered and nothing else changed."""
    return text.translate(_ASCII_LOWER)


_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def is_mentioned(text: str, name: str, fold: Fold = ascii_fold) -> bool:
    """Return whether `name` stands in `text` as a word of its own."""
    if not name:
        return False
    folded, wanted = fold(text), fold(name)
    start = folded.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        if _is_border(folded, start - 1) and _is_border(folded, end):
            return True
        start = folded.find(wanted, end)
    return False


def strip_address(text: str, name: str, fold: Fold = ascii_fold) -> str | None:
    """Return the text after a leading `name:` or `name,` (with an optional @), None when it does not begin so."""
    body = text.lstrip().removeprefix("@")
    if not name or fold(body[: len(name)]) != fold(name):
        return None
    rest = body[len(name) :]
    return rest[1:].strip() if rest[:1] and rest[0] in _SEPARATORS else None


def _is_border(text: str, index: int) -> bool:
    if not 0 <= index < len(text):
        return True
    return not (text[index].isalnum() or text[index] in _NAME_MARKS)
