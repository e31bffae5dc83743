"""Transcript entries to model messages: a pure function that is total.

Whatever prefix of a transcript a crash left behind, the result is a valid request: every assistant tool call is
followed by exactly one result, in call order, and no result stands without its call.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import cast

from homarus.models.contract import (
    AssistantMessage,
    Content,
    Image,
    Message,
    Text,
    ToolCall,
    ToolResultMessage,
    UserMessage,
)
from homarus.storage.records import Entry

HEARD = "[Since your last answer here; context only, nobody asked you]"
STORED = "heard"
"""The kind of a note that is such a line, stored when it was said."""
MAX_HEARD = 32_000
"""Characters of these lines before one message; older ones are left out."""
UNKNOWN_OUTCOME = (
    "[outcome unknown: the run was interrupted before this call's result was stored; check before repeating]"
)


def build_messages(entries: Sequence[Entry]) -> tuple[Message, ...]:
    """Return the messages a transcript amounts to, beginning with the first user message."""
    messages: list[Message] = []
    stored: list[str] = []
    for index, entry in enumerate(entries):
        if entry.type == "user":
            messages.append(_user(entry, stored))
            stored = []
        elif entry.type == "note" and entry.payload.get("kind") == STORED:
            stored.append(str(entry.payload.get("text") or ""))
        elif entry.type == "assistant":
            messages.extend(_assistant(entry, islice(entries, index + 1, None)))
    start = next((i for i, message in enumerate(messages) if isinstance(message, UserMessage)), len(messages))
    return tuple(messages[start:])


def unanswered_calls(entries: Sequence[Entry], run_id: str) -> tuple[ToolCall, ...]:
    """Return the calls of a run's last response that have no stored result yet."""
    for index in range(len(entries) - 1, -1, -1):
        if entries[index].type == "assistant":
            if entries[index].run_id != run_id:
                return ()
            answered = _results(entries[index + 1 :])
            return tuple(call for call in calls_of(entries[index]) if call.id not in answered)
    return ()


def calls_of(entry: Entry) -> tuple[ToolCall, ...]:
    """Return the tool calls of an assistant entry, with ids that are unique within it."""
    calls: list[ToolCall] = []
    seen: set[str] = set()
    for raw in _dicts(entry.payload.get("tool_calls")):
        call_id = str(raw.get("id") or "")
        if call_id and call_id not in seen:
            seen.add(call_id)
            calls.append(ToolCall(call_id, str(raw.get("name") or ""), str(raw.get("arguments") or "")))
    return tuple(calls)


def _user(entry: Entry, stored: Sequence[str]) -> UserMessage:
    """Return what the user said, with what was noted about it in front: what was said in the group to others, that it
    comes late, its time, its speaker."""
    lead = " ".join(part for part in (_line(entry, name) for name in ("late", "stamp", "speaker")) if part)
    text = str(entry.payload.get("text") or "")
    content: list[Content] = [Text(f"{_heard(entry, stored)}{lead} {text}" if lead else text)]
    content.extend(_images(entry.payload.get("images")))
    return UserMessage(tuple(content))


def _heard(entry: Entry, stored: Sequence[str]) -> str:
    """Return what others said in the group as lines that cannot be taken for anything else; empty when there is none.

    `stored` are the lines that the transcript has from before. `homarus.models.basic.envelope` reads this form.
    """
    lines = _newest([*stored, *map(str, cast("list[object]", entry.payload.get("heard") or []))])
    return "\n".join((HEARD, *(f"- {line}" for line in lines), "\n")) if lines else ""


def _newest(lines: list[str]) -> list[str]:
    """Return the last lines that have room."""
    room, first = MAX_HEARD, len(lines)
    while first and room >= len(lines[first - 1]):
        first -= 1
        room -= len(lines[first])
    return lines[first:]


def _line(entry: Entry, name: str) -> str:
    return " ".join(str(entry.payload.get(name) or "").split())


def _assistant(entry: Entry, following: Iterable[Entry]) -> Iterable[Message]:
    calls = calls_of(entry)
    text = str(entry.payload.get("text") or "")
    if not calls and not text:
        return
    yield AssistantMessage(text, calls)
    results = _results(following) if calls else {}
    for call in calls:
        yield results.get(call.id) or ToolResultMessage(call.id, call.name, UNKNOWN_OUTCOME, is_error=True)


def _results(following: Iterable[Entry]) -> dict[str, ToolResultMessage]:
    results: dict[str, ToolResultMessage] = {}
    for entry in following:
        if entry.type == "assistant":
            break
        if entry.type == "tool_result":
            call_id = str(entry.payload.get("call_id") or "")
            results.setdefault(call_id, _result(call_id, entry))
    return results


def _result(call_id: str, entry: Entry) -> ToolResultMessage:
    return ToolResultMessage(
        call_id,
        str(entry.payload.get("name") or ""),
        str(entry.payload.get("text") or ""),
        is_error=bool(entry.payload.get("is_error")),
        images=tuple(_images(entry.payload.get("images"))),
    )


def _images(value: object) -> Iterable[Image]:
    for raw in _dicts(value):
        try:
            data = base64.b64decode(str(raw.get("data") or ""), validate=True)
        except binascii.Error:
            continue
        if data:
            yield Image(str(raw.get("mime") or "image/png"), data)


def _dicts(value: object) -> Iterable[dict[str, object]]:
    if isinstance(value, list):
        for item in cast("list[object]", value):
            if isinstance(item, dict):
                yield cast("dict[str, object]", item)
