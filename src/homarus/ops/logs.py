"""Reading the log file: its last lines, and what is added, over rotations."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, cast

from msgspec import Struct

LEVELS: Final = {"trace": 5, "debug": 10, "info": 20, "warn": 30, "error": 40, "fatal": 50}
MAX_BACKLOG: Final = 16 * 1024 * 1024
"""Bytes from the end that are searched for the last lines."""
MAX_OLD_FILES: Final = 9
"""Rotated files that are searched for the last lines."""
_KNOWN = ("time", "level", "subsystem", "message")


class LogLine(Struct, frozen=True):
    """One line. `level` is None when the line is no JSON record; `clock` is local time: YYYY-MM-DD HH:MM:SS.mmm."""

    raw: str
    level: str | None = None
    clock: str = ""
    component: str = ""
    message: str = ""
    fields: tuple[tuple[str, str], ...] = ()


class LogReader:
    """Reads one log file and, for the last lines, those it was rotated to. Keeps its place between calls.

    `least` is a number of LEVELS; `component` a subsystem or a beginning of one at a dot, empty for all. What any part
    says of a channel belongs to `channels.NAME` too. Lines that are no records are only given when nothing is filtered.
    `left_out` collects the components that `component` left out.
    """

    def __init__(self, path: Path, least: int = 0, component: str = "") -> None:
        self.path = path
        self._least = least
        self._component = component
        self._inode = 0
        self._offset = 0
        self._rest = b""
        self.left_out: set[str] = set()

    def last(self, limit: int) -> list[LogLine]:
        """Return the last `limit` lines that pass the filter, over rotations; `added` goes on behind them."""
        found = deque(self._wanted(self._read_end(self.path)), maxlen=limit)
        for number in range(1, MAX_OLD_FILES + 1):
            older = self._rotated(number)
            if len(found) >= limit or not older.exists():
                break
            lines = list(LogReader(older, self._least, self._component).last_here())
            found.extendleft(reversed(lines[-(limit - len(found)) :]))
        return list(found)

    def last_here(self) -> Iterator[LogLine]:
        """Yield the lines at the end of this one file."""
        return self._wanted(self._read_end(self.path))

    def added(self) -> Iterator[LogLine]:
        """Yield the lines written since the last call; what was written before a rotation comes first."""
        try:
            state = self.path.stat()
        except OSError:
            return
        if state.st_ino != self._inode:
            for older in self._since_then():
                yield from self._wanted(self._read(older))
                self._offset, self._rest = 0, b""
        if state.st_ino != self._inode or state.st_size < self._offset:
            self._inode, self._offset, self._rest = state.st_ino, 0, b""
        yield from self._wanted(self._read(self.path))

    def _rotated(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    def _since_then(self) -> list[Path]:
        """Return the files rotated away since the last call, oldest first: the one read then, and later ones."""
        newer: list[Path] = []
        for number in range(1, MAX_OLD_FILES + 1):
            path = self._rotated(number)
            try:
                inode = path.stat().st_ino
            except OSError:
                break
            newer.append(path)
            if inode == self._inode:
                return newer[::-1]
        return []

    def _read_end(self, path: Path) -> list[str]:
        try:
            state = path.stat()
        except OSError:
            return []
        start = max(0, state.st_size - MAX_BACKLOG)
        self._inode, self._offset, self._rest = state.st_ino, start, b""
        lines = self._read(path)
        return lines[1:] if start > 0 else lines

    def _wanted(self, lines: Iterable[str]) -> Iterator[LogLine]:
        for raw in lines:
            if raw:
                line = parse_line(raw)
                if self._passes(line):
                    yield line

    def _read(self, path: Path) -> list[str]:
        try:
            with path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(MAX_BACKLOG)
        except OSError:
            return []
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line.decode("utf-8", "replace") for line in lines]

    def _passes(self, line: LogLine) -> bool:
        if line.level is None:
            return self._least <= LEVELS["debug"] and not self._component
        if LEVELS.get(line.level, LEVELS["info"]) < self._least:
            return False
        names = _names(line)
        is_wanted = not self._component or any(f"{name}.".startswith(f"{self._component}.") for name in names)
        if not is_wanted:
            self.left_out.update(names)
        return is_wanted


def _names(line: LogLine) -> tuple[str, ...]:
    """Return what a line belongs to: who said it, and the channel it is about."""
    channel = dict(line.fields).get("channel")
    return (line.component, f"channels.{channel}") if channel else (line.component,)


def parse_line(raw: str) -> LogLine:
    """Return a line of the file; one that is no record keeps only its text."""
    try:
        value: object = json.loads(raw)
    except (ValueError, RecursionError):
        return LogLine(raw)
    if not isinstance(value, dict):
        return LogLine(raw)
    record = cast("dict[str, object]", value)
    fields = tuple((name, str(item)) for name, item in record.items() if name not in _KNOWN)
    return LogLine(
        raw=raw,
        level=str(record.get("level", "info")),
        clock=_clock(str(record.get("time", ""))),
        component=str(record.get("subsystem", "")),
        message=str(record.get("message", "")),
        fields=fields,
    )


def _clock(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text).astimezone()
    except ValueError:
        return text
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"
