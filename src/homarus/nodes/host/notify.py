"""Notifications on this machine's desktop, by the program its system has for them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

from homarus.nodes.host.failure import CommandFailed, bad_request
from homarus.nodes.host.plan import find_program
from homarus.nodes.host.process import run_program

TIMEOUT: Final = 10.0
MAX_TITLE: Final = 200
MAX_BODY: Final = 4000
_SILENT: Final = frozenset({"none", "silent", "off", "false", "0"})
_URGENCY: Final = {"passive": "low", "active": "normal", "timeSensitive": "critical"}
# The texts are arguments of the script, never part of it.
_SCRIPT: Final = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv) sound name (item 3 of argv)",
    "end run",
)


def notifier(path: str) -> str | None:
    """Return the program that shows notifications here, None when there is none."""
    return find_program("osascript" if sys.platform == "darwin" else "notify-send", path)


async def notify(params: dict[str, object], variables: Mapping[str, str]) -> None:
    """Show a notification. Raises CommandFailed."""
    title, body = (_text(params.get(name)) for name in ("title", "body"))
    if not title and not body:
        raise bad_request("empty notification")
    program = notifier(variables["PATH"])
    if program is None:
        raise CommandFailed("UNAVAILABLE", "NOTIFICATION_FAILED: this node has no notify-send or osascript")
    done = await run_program(_arguments(program, title[:MAX_TITLE], body[:MAX_BODY], params), None, variables, TIMEOUT)
    if done.exit_code != 0:
        raise CommandFailed("UNAVAILABLE", f"NOTIFICATION_FAILED: {done.stderr.strip()[:200] or 'no answer'}")


def _arguments(program: str, title: str, body: str, params: dict[str, object]) -> tuple[str, ...]:
    if program.endswith("osascript"):
        sound = "" if str(params.get("sound", "none")).lower() in _SILENT else "default"
        lines = (word for line in _SCRIPT for word in ("-e", line))
        return (program, *lines, title, body, sound)
    urgency = _URGENCY.get(str(params.get("priority")), "normal")
    return (program, f"--urgency={urgency}", "--app-name=Homarus", "--", title or body, body if title else "")


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) and "\x00" not in value else ""
