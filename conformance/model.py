"""The model behind every gateway here: its answer depends on the last messages alone."""

from __future__ import annotations

from itertools import takewhile
from typing import cast

from homarus.testing.model_server import JsonObject, Reply, Say, Stall, last_user_text

NAME = "mock-1"
USE_TOOL, TOOL_OUTPUT = "please use the tool", "conformance-tool-output"
HOLD = "please never finish"


def answer(body: JsonObject) -> Reply:
    """Call a tool, hold a run until it is aborted, say what a tool said, or repeat the user."""
    messages = cast("list[JsonObject]", body.get("messages") or [{}])
    if messages[-1].get("role") == "tool":
        return Say(f"the tool said: {str(messages[-1].get('content'))[:200]}")
    text = _said_last(messages)
    if USE_TOOL in text:
        return Say(calls=(("exec", f'{{"command": "echo {TOOL_OUTPUT}"}}'),))
    if HOLD in text:
        return Stall("one two three")
    return Say(f"echo: {text}")


def _said_last(messages: list[JsonObject]) -> str:
    """Return all that was said since the last answer: a gateway may put notes of its own behind the user's message."""
    recent = list(takewhile(lambda row: row.get("role") == "user", reversed(messages)))
    return "\n".join(last_user_text({"messages": [row]}) for row in reversed(recent))
