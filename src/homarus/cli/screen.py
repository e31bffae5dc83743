"""Text on the terminal: aligned tables, relative times, and colours when a person looks."""

from __future__ import annotations

import json
import os
import shutil
import sys
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_GAP = "  "
_MIN_LAST_COLUMN = 8


def has_colour(stream: TextIO) -> bool:
    """Tell whether to colour: a terminal, no NO_COLOR, and not a dumb one."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, style: str, stream: TextIO | None = None) -> str:
    """Return the text in a style (bold, dim, red, green, yellow, cyan) when the stream shows colours."""
    if not has_colour(sys.stdout if stream is None else stream):
        return text
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def say(text: str = "") -> None:
    """Print a line to standard output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def show_json(value: object) -> None:
    """Print a value as indented JSON."""
    say(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def report(message: str, fix: str | None = None) -> None:
    """Print an error: what is wrong, and what to do about it."""
    sys.stderr.write(f"{paint('error:', 'red', sys.stderr)} {clean(message, keep_lines=True)}\n")
    if fix:
        sys.stderr.write(f"{paint('fix:', 'green', sys.stderr)}   {clean(fix, keep_lines=True)}\n")
    sys.stderr.flush()


def warn(message: str) -> None:
    """Print a warning to standard error."""
    sys.stderr.write(f"{paint('warning:', 'yellow', sys.stderr)} {clean(message, keep_lines=True)}\n")
    sys.stderr.flush()


def clean(text: str, *, keep_lines: bool = False) -> str:
    """Return text without control characters: what strangers wrote must not drive the terminal."""
    kept = "\n\t" if keep_lines else ""
    return "".join(
        char if char in kept or unicodedata.category(char) not in ("Cc", "Cf", "Cs") else " " for char in text
    )


def ago(moment_ms: object, now_ms: int) -> str:
    """Return how long ago a moment was, such as `5 min ago`; `-` for anything that is no moment."""
    if not isinstance(moment_ms, (int, float)) or isinstance(moment_ms, bool) or moment_ms <= 0:
        return "-"
    seconds = (now_ms - moment_ms) / 1000
    return f"{duration(seconds)} ago" if seconds >= 1 else "now"


def duration(seconds: float) -> str:
    """Return a span in its largest unit, such as `3 h`."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "0 s"


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """Print rows under headers, columns aligned; all but the first give way to a narrow terminal."""
    lines = [[clean(cell) for cell in row] for row in rows]
    if not lines:
        say(paint(empty, "dim"))
        return
    widths = [max(_width(line[column]) for line in [list(headers), *lines]) for column in range(len(headers))]
    if sys.stdout.isatty():
        _narrow(widths, [_width(header) for header in headers])
    room = _room_for_last(widths)
    say(paint(_line(headers, widths, room), "dim"))
    for line in lines:
        say(_line(line, widths, room))


def facts(pairs: Iterable[tuple[str, str]]) -> None:
    """Print names and values in two columns."""
    listed = [(name, clean(value)) for name, value in pairs]
    width = max((len(name) for name, _ in listed), default=0)
    for name, value in listed:
        say(f"{paint(name.ljust(width), 'dim')}{_GAP}{value}")


def _narrow(widths: list[int], least: Sequence[int]) -> None:
    """Take columns between the first and the last from the widest until the last has a quarter; headers stay whole."""
    columns = shutil.get_terminal_size().columns
    last = min(widths[-1], columns // 4)
    excess = sum(widths[:-1]) + last + len(_GAP) * (len(widths) - 1) - columns
    while excess > 0:
        widest = max(range(1, len(widths) - 1), key=lambda column: widths[column] - least[column], default=0)
        if widest == 0 or widths[widest] <= least[widest]:
            return
        widths[widest] -= 1
        excess -= 1


def _room_for_last(widths: list[int]) -> int | None:
    """Return the width of the last column, None when the output is not a terminal."""
    if not sys.stdout.isatty():
        return None
    used = sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)
    return max(_MIN_LAST_COLUMN, shutil.get_terminal_size().columns - used)


def _line(cells: Sequence[str], widths: Sequence[int], room: int | None) -> str:
    *first, last = cells
    cut = [shorten(cell, width) for cell, width in zip(first, widths[:-1], strict=True)]
    padded = [cell + " " * (width - _width(cell)) for cell, width in zip(cut, widths[:-1], strict=True)]
    return _GAP.join([*padded, last if room is None else shorten(last, room)]).rstrip()


def shorten(text: str, width: int) -> str:
    """Return the text cut to a number of columns, with an ellipsis when something was cut."""
    if _width(text) <= width:
        return text
    kept = ""
    for char in text:
        if _width(kept) + _width(char) > width - 1:
            break
        kept += char
    return f"{kept}…"


def _width(text: str) -> int:
    """Return the columns a text takes: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
