"""What the scripted model says in every crash test: a command, a file, an answer - told by the request alone.

A gateway that asks again after a crash is answered as before, so the script cannot hide a step done twice.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import cast

from homarus.testing.model_server import JsonObject, Reply, Say, last_user_text

STEPS = 3
"""Requests one message makes: before the command, before the file, before the answer."""
LEDGER = "ledger.txt"
_TOKEN = re.compile(r"token-\d+")


def token_of(text: str) -> str:
    """Return the token of a text; a message without one is a mistake of the test."""
    found = _TOKEN.search(text)
    assert found is not None, f"no token in {text!r}"
    return found[0]


def question(token: str) -> str:
    return f"please work on {token}"


def final_text(token: str) -> str:
    return f"all done with {token}."


def answer(body: JsonObject) -> Reply:
    """Append the token to the ledger (not idempotent), write a file (idempotent), then answer."""
    token = token_of(last_user_text(body))
    done = tools_since_user(body)
    if done == 0:
        return Say(calls=(("exec", json.dumps({"command": f"echo {token} >> {LEDGER}"})),))
    if done == 1:
        return Say(calls=(("write", json.dumps({"path": f"{token}.txt", "content": token})),))
    return Say(final_text(token))


def tools_since_user(body: JsonObject) -> int:
    """Return how many tool results the request has since its last user message."""
    rows = _messages(body)
    last = max(index for index, row in enumerate(rows) if row["role"] == "user")
    return sum(row["role"] == "tool" for row in rows[last:])


def side_effects(workspace: Path, token: str) -> int:
    """Return how often the command of a token has run, and check that its file says what it should."""
    assert (workspace / f"{token}.txt").read_text() == token
    ledger = workspace / LEDGER
    return ledger.read_text().split().count(token) if ledger.exists() else 0


def check_request(body: JsonObject) -> None:
    """Fail for a request whose tool calls and results are not paired one to one, in order."""
    waiting: list[str] = []
    for row in _messages(body):
        if row["role"] == "tool":
            assert waiting, f"a result without its call: {row}"
            assert row["tool_call_id"] == waiting.pop(0)
            continue
        assert not waiting, f"calls without results before {row}: {waiting}"
        calls = cast("list[JsonObject]", row.get("tool_calls") or [])
        waiting = [str(call["id"]) for call in calls]
    assert not waiting, f"calls without results at the end: {waiting}"


def _messages(body: JsonObject) -> list[JsonObject]:
    return cast("list[JsonObject]", body["messages"])
