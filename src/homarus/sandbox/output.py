"""Collects a command's output within a bound: the beginning and the end stay, the middle is counted."""

from __future__ import annotations

import codecs
from collections.abc import Callable


class OutputBuffer:
    """Keeps the first and last half of `limit` bytes, and passes the first `limit` bytes on live, decoded."""

    def __init__(self, limit: int, on_output: Callable[[str], None] | None = None) -> None:
        self._half = max(1, limit // 2)
        self._limit = max(1, limit)
        self._on_output = on_output
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._head = bytearray()
        self._tail = bytearray()
        self.total = 0

    def feed(self, data: bytes) -> None:
        """Take the next piece."""
        self._tell(data)
        self.total += len(data)
        room = self._half - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        # trimmed at twice the size, so that a flood of small pieces does not move the tail each time
        if len(self._tail) > 2 * self._half:
            del self._tail[: -self._half]

    @property
    def is_truncated(self) -> bool:
        """Tell whether bytes in the middle were left out."""
        return self.total > 2 * self._half

    def text(self) -> str:
        """Return what was kept, with a marker where bytes are missing."""
        if not self.is_truncated:
            return (self._head + self._tail).decode("utf-8", "replace")
        missing = self.total - 2 * self._half
        tail = self._tail[-self._half :].decode("utf-8", "replace")
        return f"{self._head.decode('utf-8', 'replace')}\n[... {missing} bytes left out ...]\n{tail}"

    def _tell(self, data: bytes) -> None:
        room = self._limit - self.total
        if self._on_output is None or room <= 0:
            return
        text = self._decoder.decode(data[:room])
        if len(data) >= room:
            text += "\n[... more output is not shown live ...]\n"
        if text:
            self._on_output(text)
