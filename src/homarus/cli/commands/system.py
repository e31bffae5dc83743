"""`homarus system`: tell the assistant of events, see its heartbeat and who is connected."""

from __future__ import annotations

import time
from typing import Annotated, Literal

import typer

from homarus.cli.gateway import session
from homarus.cli.options import AsJson, group
from homarus.cli.reach import find_gateway
from homarus.cli.reply import as_row, rows, text
from homarus.cli.screen import ago, facts, say, show_json, table

app = group("Tell the assistant of events, see its heartbeat, and who is connected.")
heartbeat = group("See the last heartbeat, and switch heartbeats until the next start.")
app.add_typer(heartbeat, name="heartbeat")


@app.command()
def event(
    said: Annotated[str, typer.Option("--text", help="What has happened.")],
    mode: Annotated[
        Literal["now", "next-heartbeat"], typer.Option("--mode", help="A turn at once, or with the next one.")
    ] = "next-heartbeat",
    as_json: AsJson = False,
) -> None:
    """Tell the main session of an event."""
    with session(find_gateway()) as gateway:
        found = gateway.call("wake", {"mode": mode, "text": said})
    if as_json:
        show_json(found)
    else:
        say("Told; a turn begins." if mode == "now" else "Told; it is in the next turn.")


@app.command()
def presence(as_json: AsJson = False) -> None:
    """List who is or was just connected."""
    with session(find_gateway()) as gateway:
        found = gateway.call("system-presence")
    if as_json:
        show_json(found)
        return
    now = time.time_ns() // 1_000_000
    lines = [
        (text(row, "host"), text(row, "mode"), text(row, "version"), text(row, "reason"), ago(row.get("ts"), now))
        for row in rows({"entries": found}, "entries")
    ]
    table(("HOST", "MODE", "VERSION", "WHY", "SEEN"), lines, empty="Nobody is connected.")


@heartbeat.command()
def last(as_json: AsJson = False) -> None:
    """Show the last heartbeat."""
    with session(find_gateway()) as gateway:
        found = gateway.call("last-heartbeat")
    row = as_row(found)
    if as_json:
        show_json(found)
    elif not row:
        say("There was no heartbeat yet.")
    else:
        shown = [("When", ago(row.get("ts"), time.time_ns() // 1_000_000)), ("Outcome", text(row, "status"))]
        labels = (("reason", "Why"), ("preview", "Said"), ("channel", "Channel"), ("to", "To"))
        facts([*shown, *((label, text(row, name)) for name, label in labels if row.get(name))])


@heartbeat.command()
def enable(as_json: AsJson = False) -> None:
    """Let agents have heartbeats, as configured."""
    _switch(is_enabled=True, as_json=as_json)


@heartbeat.command()
def disable(as_json: AsJson = False) -> None:
    """Switch heartbeats off until the gateway starts again."""
    _switch(is_enabled=False, as_json=as_json)


def _switch(*, is_enabled: bool, as_json: bool) -> None:
    with session(find_gateway()) as gateway:
        found = gateway.call("set-heartbeats", {"enabled": is_enabled})
    if as_json:
        show_json(found)
    else:
        say("Heartbeats are on." if is_enabled else "Heartbeats are off until the gateway starts again.")
