"""Server-sent events: bytes in, event data out, whatever way the bytes are cut."""

from __future__ import annotations

import re

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class LineTooLong(ValueError):
    """A line, or the data of one event, is longer than allowed."""


class SseDecoder:
    """Decodes one stream. Comments and fields other than `data` are dropped; memory is bounded by `max_line` bytes."""

    def __init__(self, max_line: int = 4 * 1024 * 1024) -> None:
        self._max_line = max_line
        self._buffer = b""
        self._scanned = 0
        self._skip_newline = False
        self._is_first = True
        self._data: list[str] = []
        self._data_size = 0

    def feed(self, data: bytes) -> list[str]:
        """Return the data of every event completed by these bytes. Raises LineTooLong."""
        if self._skip_newline and data:
            data = data.removeprefix(b"\n")
            self._skip_newline = False
        self._buffer += data
        return [event for line in self._take_lines() if (event := self._take_event(line)) is not None]

    def close(self) -> list[str]:
        """Return what the end of the stream completes: servers often leave out the last blank line."""
        last, self._buffer, self._scanned = self._buffer, b"", 0
        events = [self._take_event(last)] if last else []
        events.append(self._take_event(b""))
        return [event for event in events if event is not None]

    def _take_lines(self) -> list[bytes]:
        lines: list[bytes] = []
        start = 0
        for match in _LINE_END.finditer(self._buffer, self._scanned):
            lines.append(self._buffer[start : match.start()])
            start = match.end()
        # A stream may be cut between the two characters of one line end.
        self._skip_newline = start > 0 and start == len(self._buffer) and self._buffer.endswith(b"\r")
        self._buffer = self._buffer[start:]
        self._scanned = len(self._buffer)
        if len(self._buffer) > self._max_line:
            raise LineTooLong(f"a line is longer than {self._max_line} bytes")
        return lines

    def _take_event(self, line: bytes) -> str | None:
        if self._is_first:
            line, self._is_first = line.removeprefix(_BOM), False
        if not line:
            return self._end_event()
        name, _, value = line.partition(b":")
        if name == b"data":
            self._add_data(value.removeprefix(b" "))
        return None

    def _add_data(self, value: bytes) -> None:
        self._data_size += len(value) + 1
        if self._data_size > self._max_line + 1:
            raise LineTooLong(f"one event is longer than {self._max_line} bytes")
        self._data.append(value.decode("utf-8", errors="replace"))

    def _end_event(self) -> str | None:
        if not self._data:
            return None
        event = "\n".join(self._data)
        self._data.clear()
        self._data_size = 0
        return event
