"""`homarus messages`: the journal of incoming messages."""

from __future__ import annotations

import re
import sys
import time
from typing import Annotated, Literal

import typer

from homarus.cli.exits import UsageFailure
from homarus.cli.gateway import Session, session
from homarus.cli.options import AsJson, Limit, group
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, rows, text
from homarus.cli.screen import ago, clean, paint, say, show_json, table
from homarus.cli.story import show_timeline, show_totals

app = group("See what became of each incoming message, and retry failed ones.")

MessageId = Annotated[str, typer.Argument(metavar="ID", help="The message's id, or the first 8 characters of it.")]
State = Literal["queued", "running", "replied", "delivered", "silent", "dropped", "failed"]
_SHORT = 8
_SEARCHED = 1000
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DEVICE = re.compile(r"[0-9a-f]{64}")
_COLOURS = {"delivered": "green", "failed": "red", "dropped": "yellow"}


@app.command("list")
def list_messages(
    state: Annotated[State | None, typer.Option("--state", help="Only these.")] = None,
    channel: Annotated[str | None, typer.Option("--channel", help="Only this channel.")] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List messages, newest first, with the state each ended in."""
    params: Row = {"limit": limit}
    params |= {name: value for name, value in (("state", state), ("channel", channel)) if value}
    with session(find_gateway()) as gateway:
        found = gateway.call("messages.list", params)
    if as_json:
        show_json(found)
        return
    now = time.time_ns() // 1_000_000
    lines = [_line(row, now) for row in rows(found, "messages")]
    table(("ID", "RECEIVED", "CHANNEL", "FROM", "STATE", "TEXT"), lines, empty="No messages.")


@app.command()
def show(message_id: MessageId, as_json: AsJson = False) -> None:
    """Tell the whole story of one message."""
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("messages.show", {"id": _whole_id(gateway, message_id)}))
    if as_json:
        show_json(found)
        return
    say(_describe(found))
    say()
    show_timeline(found)
    show_totals(found)


@app.command()
def retry(message_id: MessageId, as_json: AsJson = False) -> None:
    """Take a failed message up again."""
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("messages.retry", {"id": _whole_id(gateway, message_id)}))
    if as_json:
        show_json(found)
    else:
        say(f"Message {text(found, 'id')} is {text(found, 'state')} again.")


def _line(row: Row, now: int) -> tuple[str, ...]:
    state, reason = text(row, "state"), text(row, "reason")
    where = f"{text(row, 'channel')}/{text(row, 'chat')}"
    outcome = f"{state} ({reason})" if reason else state
    sender = sender_of(row)
    return _short(text(row, "id")), ago(row.get("receivedAtMs"), now), where, sender, outcome, text(row, "text")


def _short(identifier: str) -> str:
    """Return the beginning of an id for people, which `show` takes as well; all of it for scripts."""
    return identifier[:_SHORT] if sys.stdout.isatty() and _UUID.fullmatch(identifier) else identifier


def _whole_id(gateway: Session, beginning: str) -> str:
    """Return the id that begins so, among the last messages; what is no beginning is passed on as it is."""
    if _UUID.fullmatch(beginning) or len(beginning) < _SHORT:
        return beginning
    listed = rows(gateway.call("messages.list", {"limit": _SEARCHED}), "messages")
    found = [text(row, "id") for row in listed if text(row, "id").startswith(beginning)]
    if len(found) > 1:
        raise UsageFailure(f"{len(found)} messages begin with {beginning}", fix="write more of the id")
    return found[0] if found else beginning


def sender_of(row: Row) -> str:
    """Return who wrote; a device, whose id nobody can read, by the beginning of that."""
    name = text(row, "senderName") or text(row, "senderId")
    return f"device {name[:8]}" if _DEVICE.fullmatch(name) else name


def _describe(row: Row) -> str:
    state = text(row, "state")
    sender = clean(sender_of(row))
    where = clean(f"{text(row, 'channel')}/{text(row, 'account')}/{text(row, 'chat')}")
    reason = f" ({clean(text(row, 'reason'))})" if row.get("reason") else ""
    head = f"{paint(text(row, 'id'), 'bold')}  {paint(state, _COLOURS.get(state, 'cyan'))}{reason}"
    return f"{head}\n{sender} on {where}\n{clean(text(row, 'text'), keep_lines=True)}"
