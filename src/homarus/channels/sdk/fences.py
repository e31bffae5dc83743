"""Where fenced code blocks begin and end in Markdown."""

from __future__ import annotations

import re
from bisect import bisect_right

from msgspec import Struct

_FENCE = re.compile(r"^ {0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)$")


class Fence(Struct, frozen=True):
    """An open code block: its marks and the language after them."""

    marks: str
    info: str

    def is_closed_by(self, line: str) -> bool:
        """Return whether a line ends this block: the same mark, at least as many, nothing after."""
        stripped = line.strip()
        return len(stripped) >= len(self.marks) and not stripped.strip(self.marks[0]) and not line.startswith("    ")


def opening(line: str) -> Fence | None:
    """Return the fence that a line opens, None for any other line. The line comes without its newline."""
    match = _FENCE.match(line)
    return Fence(match.group(1), match.group(2).strip()) if match else None


class FenceMap:
    """For every offset of a text, the code block it lies in. Built once, in one pass."""

    def __init__(self, text: str) -> None:
        self._starts: list[int] = []
        self._fences: list[Fence | None] = []
        self._marker_lines: set[int] = set()
        self._closer_starts: set[int] = set()
        self._scan(text)

    def at(self, offset: int) -> Fence | None:
        """Return the block that is open just before `offset`; a marker line belongs to the state before it."""
        return self._fences[bisect_right(self._starts, offset) - 1] if self._starts else None

    def is_in_marker(self, offset: int) -> bool:
        """Return whether `offset` lies inside a line that opens or closes a block, after its first character."""
        index = bisect_right(self._starts, offset) - 1
        return index in self._marker_lines and self._starts[index] != offset

    def is_before_closer(self, offset: int) -> bool:
        """Return whether a closing line begins at `offset`."""
        return offset in self._closer_starts

    def _scan(self, text: str) -> None:
        offset, current = 0, None
        for index, line in enumerate(text.split("\n")):
            self._starts.append(offset)
            self._fences.append(current)
            bare = line.rstrip("\r")
            if current is None:
                current = opening(bare)
                if current is not None:
                    self._marker_lines.add(index)
            elif current.is_closed_by(bare):
                self._marker_lines.add(index)
                self._closer_starts.add(offset)
                current = None
            offset += len(line) + 1
