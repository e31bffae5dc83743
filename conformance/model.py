"""The model behind every gateway here: its answer depends on the last message alone."""

from __future__ import annotations

from typing import cast

from homarus.testing.model_server import JsonObject, Reply, Say, Stall, last_user_text

NAME = "mock-1"
USE_TOOL, TOOL_OUTPUT = "please use the tool", "conformance-tool-output"
HOLD = "please never finish"


def answer(body: JsonObject) -> Reply:
    """Call a tool, hold a run until it is aborted, say what a tool said, or repeat the user."""
    messages = cast("list[JsonObject]", body.get("messages") or [{}])
    last = messages[-1]
    if last.get("role") == "tool":
        return Say(f"the tool said: {str(last.get('content'))[:200]}")
    text = last_user_text(body)
    if USE_TOOL in text:
        return Say(calls=(("exec", f'{{"command": "echo {TOOL_OUTPUT}"}}'),))
    if HOLD in text:
        return Stall("one two three")
    return Say(f"echo: {text}")
