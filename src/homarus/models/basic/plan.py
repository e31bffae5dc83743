"""Turns an intent into tool calls or a direct answer."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from homarus.models.basic.envelope import Said
from homarus.models.basic.intent import Intent

_FILE_LIKE = re.compile(r"[^\s,]+\.\w{1,8}|[\w.-]+/[\w./-]*|[A-Z][A-Z0-9_-]+")


class PlannedCall(Struct, frozen=True):
    """A tool call to make."""

    tool: str
    arguments: dict[str, str]


def plan_calls(intent: Intent, said: Said) -> tuple[PlannedCall, ...]:
    """Return the calls an intent needs, none when it can be answered at once."""
    planner = _PLANNERS.get(intent.name)
    return planner(intent, said) if planner else ()


def _list(intent: Intent, _said: Said) -> tuple[PlannedCall, ...]:
    path = intent.slots.get("path", ".").rstrip("/") or "/"
    named = path.lower() in {"workspace", "current folder", "current directory", "here", "working directory", "this"}
    return (PlannedCall("list", {"path": "." if named else path}),)


def _read(intent: Intent, _said: Said) -> tuple[PlannedCall, ...]:
    path = intent.slots["path"]
    parts = [part.strip("\"'` ") for part in re.split(r",? and |,", path)]
    paths = parts if all(_FILE_LIKE.fullmatch(part) for part in parts) else [path]
    return tuple(PlannedCall("read", {"path": part}) for part in paths[:5])


def _write(intent: Intent, _said: Said) -> tuple[PlannedCall, ...]:
    content = intent.slots.get("content") or intent.slots.get("content2", "")
    return (PlannedCall("write", {"path": intent.slots["path"], "content": _as_lines(content)}),)


def _note(intent: Intent, said: Said) -> tuple[PlannedCall, ...]:
    content = intent.slots["content"]
    path = intent.slots.get("path") or f"notes/{_stamp(said)}{_slug(intent.slots.get('name') or content)}.md"
    return (PlannedCall("write", {"path": path, "content": _as_lines(content)}),)


def _edit(intent: Intent, _said: Said) -> tuple[PlannedCall, ...]:
    slots = intent.slots
    return (PlannedCall("edit", {"path": slots["path"], "old": slots["old"], "new": slots.get("new", "")}),)


def _exec(intent: Intent, _said: Said) -> tuple[PlannedCall, ...]:
    return (PlannedCall("exec", {"command": intent.slots["command"]}),)


def _remember(intent: Intent, _said: Said) -> tuple[PlannedCall, ...]:
    return (PlannedCall("remember", {"fact": intent.slots["fact"]}),)


def _recall(intent: Intent, _said: Said) -> tuple[PlannedCall, ...]:
    return (PlannedCall("recall", {"query": intent.slots["query"]}),)


def _status(_intent: Intent, _said: Said) -> tuple[PlannedCall, ...]:
    return (PlannedCall("session_status", {}),)


def _clock(_intent: Intent, said: Said) -> tuple[PlannedCall, ...]:
    return () if said.at else (PlannedCall("session_status", {}),)


_PLANNERS: dict[str, Callable[[Intent, Said], tuple[PlannedCall, ...]]] = {
    "list": _list,
    "read": _read,
    "write": _write,
    "note": _note,
    "edit": _edit,
    "exec": _exec,
    "remember": _remember,
    "recall": _recall,
    "status": _status,
    "time": _clock,
    "date": _clock,
}


def _as_lines(content: str) -> str:
    return content if not content or content.endswith("\n") else f"{content}\n"


def _stamp(said: Said) -> str:
    return f"{said.at:%Y-%m-%d-%H%M}-" if said.at else ""


def _slug(text: str) -> str:
    """Return up to six words of a text as a file name."""
    words = re.findall(r"\w+", text.lower())[:6]
    return "-".join(words)[:60] or "note"
