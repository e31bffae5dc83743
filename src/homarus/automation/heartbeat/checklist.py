"""HEARTBEAT.md: what an agent is to look at, and which of its tasks are due.

A file that says nothing costs nothing: no model is asked. A block `tasks:` names things with intervals of their own:

    tasks:
    - name: inbox
      interval: 2h
      prompt: Look for letters that need an answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from homarus.config.units import parse_duration

FILE: Final = "HEARTBEAT.md"
MAX_CHARS: Final = 20_000
"""Characters of the file that are read; a prompt file is cut there as well."""
MAX_TASKS: Final = 50
_NOTHING = re.compile(r"\s*(#+\s.*|#+|[-*+]\s*(\[[ xX]?\])?|<!--.*-->)?\s*")
_FIELD = re.compile(r"\s+(name|interval|prompt)\s*:\s*(.*)")
_ITEM = re.compile(r"\s*-\s+(name)\s*:\s*(.*)")


class Task(Struct, frozen=True):
    """A thing to look at every `interval` seconds."""

    name: str
    interval: float
    prompt: str

    def is_due(self, now_ms: int, last_ms: int | None) -> bool:
        """Tell whether it was never done, or long enough ago."""
        return last_ms is None or now_ms - last_ms >= self.interval * 1000


class Checklist(Struct, frozen=True):
    """The file: its tasks, and the text around them."""

    tasks: tuple[Task, ...] = ()
    text: str = ""

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to look at: only blanks, headings, comments and empty bullets."""
        return not self.tasks and all(_NOTHING.fullmatch(line) for line in self.text.splitlines())

    def due(self, now_ms: int, done: Mapping[str, int]) -> tuple[Task, ...]:
        """Return the tasks that are due; `done` says when each was done last, in milliseconds."""
        return tuple(task for task in self.tasks if task.is_due(now_ms, done.get(task.name)))


def read_checklist(workspace: Path) -> Checklist:
    """Return the checklist of a workspace, an empty one when it has none. Raises OSError for one that is unreadable."""
    path = workspace / FILE
    if path.is_symlink() or not path.is_file():
        return Checklist()
    with path.open(encoding="utf-8", errors="replace") as file:
        return parse_checklist(file.read(MAX_CHARS))


def parse_checklist(text: str) -> Checklist:
    """Return what a text asks for; an item that cannot be read stays in the text, so that the agent sees it."""
    lines = text.splitlines()
    start = next((index for index, line in enumerate(lines) if line.strip() == "tasks:"), None)
    if start is None:
        return Checklist((), text.strip())
    end = next((i for i in range(start + 1, len(lines)) if not _is_of_block(lines[i])), len(lines))
    tasks, unread = _tasks(lines[start + 1 : end])
    rest = [*lines[:start], *unread, *lines[end:]]
    return Checklist(tasks, "\n".join(rest).strip())


def _is_of_block(line: str) -> bool:
    return not line.strip() or line[0] in " \t" or line.lstrip().startswith("- ")


def _tasks(lines: list[str]) -> tuple[tuple[Task, ...], list[str]]:
    found: list[Task] = []
    unread: list[str] = []
    for group in _groups(lines):
        task = _task(group)
        if task is None or len(found) >= MAX_TASKS:
            unread += group
        else:
            found.append(task)
    return tuple(found), unread


def _groups(lines: list[str]) -> list[list[str]]:
    groups: list[list[str]] = []
    for line in (line for line in lines if line.strip()):
        if line.lstrip().startswith("- ") or not groups:
            groups.append([])
        groups[-1].append(line)
    return groups


def _task(lines: list[str]) -> Task | None:
    pairs = [_ITEM.fullmatch(line) or _FIELD.fullmatch(line) for line in lines]
    fields = {pair[1]: pair[2].strip().strip("\"'") for pair in pairs if pair is not None}
    try:
        interval = parse_duration(fields.get("interval", ""), unit="m")
    except ValueError:
        return None
    if None in pairs or not fields.get("name") or not fields.get("prompt"):
        return None
    return Task(fields["name"], interval, fields["prompt"])
