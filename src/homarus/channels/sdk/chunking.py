"""Cuts text into parts that fit a platform's limit, and never leaves a code block open.

`split` is exact: the bodies of the parts, joined, are the text. `chunk` gives the texts to send: bodies with the
fences that were closed and reopened at the cuts, without blank edges and without blank parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from homarus.channels.sdk.fences import Fence, FenceMap
from homarus.channels.sdk.measure import Unit, fit, measure, whole_character

LEAST_LIMIT = 16
"""The smallest limit: two bare fences and one character of every width fit into it."""

_PARAGRAPH = re.compile(r"\n[ \t]*\n+")
_NEWLINE = re.compile(r"\n")
_SENTENCE = re.compile(r"[.!?…。！？][\"')\]]?\s")  # noqa: RUF001 - full-width marks end sentences too
_SPACE = re.compile(r"[ \t]")
# What to cut after, best first, and the share of a part that must be full for the place to be worth taking.
_PLACES = ((_PARAGRAPH, 0.4), (_NEWLINE, 0.4), (_SENTENCE, 0.4), (_SPACE, 0.0))
_TRIES = 3


class Part(Struct, frozen=True):
    """One part: `body` is text of the original; `before` and `after` are inserted fences, empty outside code."""

    body: str
    before: str = ""
    after: str = ""

    @property
    def text(self) -> str:
        """Return what is sent."""
        return f"{self.before}{self.body}{self.after}"


def chunk(text: str, *, limit: int, unit: Unit = Unit.CHARS, by_paragraph: bool = False) -> list[str]:
    """Return the texts to send, each at most `limit` long in `unit`, none of them blank.

    With `by_paragraph` every blank line outside code starts a new part. Raises ValueError for a limit below 16.
    """
    pieces = paragraphs(text) if by_paragraph else [text]
    texts = (part.text.strip("\n").rstrip() for piece in pieces for part in split(piece, limit=limit, unit=unit))
    return [item for item in texts if item.strip()]


def paragraphs(text: str) -> list[str]:
    """Return text cut after every blank line outside code blocks; joined they are the text."""
    fences, pieces, start = FenceMap(text), list[str](), 0
    for match in _PARAGRAPH.finditer(text):
        if fences.at(match.end()) is None:
            pieces.append(text[start : match.end()])
            start = match.end()
    return [piece for piece in [*pieces, text[start:]] if piece]


def split(text: str, *, limit: int, unit: Unit = Unit.CHARS) -> list[Part]:
    """Return the parts of a text, none with an empty body. Raises ValueError for a limit below 16."""
    if limit < LEAST_LIMIT:
        raise ValueError(f"the limit must be at least {LEAST_LIMIT}, not {limit}")
    return list(_Cutter(text, limit, unit).parts())


class _Cutter:
    """Walks over a text once, cutting greedily at the best place of every window."""

    def __init__(self, text: str, limit: int, unit: Unit) -> None:
        self._text = text
        self._limit = limit
        self._unit = unit
        self._fences = FenceMap(text)

    def parts(self) -> Iterator[Part]:
        start = 0
        while start < len(self._text):
            before = self._reopened(self._fence_at(start))
            budget = self._limit - measure(before, self._unit)
            end = fit(self._text, start, budget, self._unit)
            if end < len(self._text):
                end = self._cut(start, end, budget)
            body = self._text[start:end]
            yield Part(body, before, self._closed(body, end))
            start = end

    def _cut(self, start: int, end: int, budget: int) -> int:
        """Return where the part from `start` ends so that it fits with the fence that closes it."""
        for place in self._places(start, end):
            if self._is_good(start, place, budget):
                return place
        return self._hard(start, end, budget)

    def _places(self, start: int, end: int) -> Iterator[int]:
        window = self._text[start : end + 1]
        for pattern, fill in _PLACES:
            least = start + int((end - start) * fill)
            ends = [start + match.end() for match in pattern.finditer(window)]
            # Three tries per kind bound the work; the window is full of other places if those fail.
            yield from [place for place in reversed(ends) if max(start, least) < place <= end][:_TRIES]

    def _is_good(self, start: int, place: int, budget: int) -> bool:
        if self._fences.is_in_marker(place) or self._fences.is_before_closer(place):
            return False
        return self._size(start, place) <= budget

    def _hard(self, start: int, end: int, budget: int) -> int:
        fence = self._fence_at(end)
        if fence is not None or self._size(start, end) > budget:
            end = max(start + 1, fit(self._text, start, budget - self._closing_room(start, end), self._unit))
        return whole_character(self._text, start, end)

    def _closing_room(self, start: int, end: int) -> int:
        fences = (self._fence_at(start), self._fence_at(end))
        return max((1 + measure(fence.marks, self._unit) for fence in fences if fence), default=0)

    def _size(self, start: int, place: int) -> int:
        body = self._text[start:place]
        return measure(body, self._unit) + measure(self._closed(body, place), self._unit)

    def _fence_at(self, offset: int) -> Fence | None:
        """Return the block to close and reopen at a cut; None for one whose marks alone would fill a part."""
        fence = self._fences.at(offset)
        if fence is None or 2 * (measure(fence.marks, self._unit) + 1) > self._limit // 2:
            return None
        return fence

    def _closed(self, body: str, end: int) -> str:
        fence = self._fence_at(end) if end < len(self._text) else None
        if fence is None:
            return ""
        return fence.marks if body.endswith("\n") else f"\n{fence.marks}"

    def _reopened(self, fence: Fence | None) -> str:
        if fence is None:
            return ""
        full = f"{fence.marks}{fence.info}\n"
        is_short = 2 * measure(full, self._unit) <= self._limit // 2
        return full if is_short else f"{fence.marks}\n"
