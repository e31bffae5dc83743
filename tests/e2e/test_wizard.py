"""The questions of a real gateway, answered over a connection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.e2e.process import gateway

ANSWERS = {"Which model answers?": "basic", "Connect a chat channel?": "irc", "Write this": True}


def answer_to(step: dict[str, Any], host: str) -> object:
    """Return what a person would answer."""
    if step["type"] == "note":
        return None
    message = str(step["message"])
    if message.lower().endswith(" host"):
        return host
    if message.lower().endswith(" nick"):
        return "homarus"
    return next((value for start, value in ANSWERS.items() if message.startswith(start)), "")


async def test_a_gateway_is_set_up_by_questions_and_takes_it_over(tmp_path: Path) -> None:
    async with gateway(tmp_path / "home") as running, running.client() as client:
        found: Any = await client.call("wizard.start", {"workspace": str(tmp_path / "ws")})
        run, messages = found["sessionId"], [found["step"]["message"]]
        while not found["done"]:
            answer = {"stepId": found["step"]["id"], "value": answer_to(found["step"], "127.0.0.1")}
            found = await client.call("wizard.next", {"sessionId": run, "answer": answer})
            messages.append(str(found.get("step")))
        assert found == {"done": True, "status": "done"}, messages
        written = json.loads((running.home / "homarus.json").read_text())
        assert written["agents"]["defaults"]["workspace"] == str(tmp_path / "ws")
        assert written["channels"]["irc"]["host"] == "127.0.0.1"
        listed: Any = await client.call("channels.status", {})
        assert "irc" in listed["channelAccounts"]
