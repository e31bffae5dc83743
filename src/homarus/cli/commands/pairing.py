"""`homarus pairing`: strangers who wrote to the assistant."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from homarus.cli.gateway import session
from homarus.cli.options import AsJson, group
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, rows, text
from homarus.cli.screen import ago, clean, say, show_json, table

app = group("Let people in who wrote to the assistant for the first time.")

Channel = Annotated[str | None, typer.Option("--channel", help="Only this channel.")]


@app.command("list")
def list_requests(channel: Channel = None, as_json: AsJson = False) -> None:
    """List who waits, with the code each was given."""
    with session(find_gateway()) as gateway:
        found = gateway.call("pairing.list", {"channel": channel} if channel else {})
    if as_json:
        show_json(found)
        return
    now = time.time_ns() // 1_000_000
    lines = [_line(row, now) for row in rows(found, "requests")]
    table(("CHANNEL", "CODE", "ASKED", "WHO"), lines, empty="Nobody waits.")


@app.command()
def approve(
    channel: Annotated[str, typer.Argument(help="The channel the stranger wrote on, such as irc.")],
    code: Annotated[str, typer.Argument(help="The code the stranger was given.")],
    notify: Annotated[bool, typer.Option("--notify/--no-notify", help="Send them a word about it.")] = True,
    as_json: AsJson = False,
) -> None:
    """Let the person in who was given a code."""
    params: Row = {"channel": channel, "code": code.strip().upper(), "notify": notify}
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("pairing.approve", params))
    if as_json:
        show_json(found)
    else:
        say(clean(f"{_who(found)} may now write to the assistant on {channel}."))


def _line(row: Row, now: int) -> tuple[str, ...]:
    return text(row, "channel"), text(row, "code"), ago(row.get("createdAtMs"), now), _who(row)


def _who(row: Row) -> str:
    name, identifier = text(row, "senderName"), text(row, "senderId")
    return f"{name} ({identifier})" if name and name != identifier else identifier
