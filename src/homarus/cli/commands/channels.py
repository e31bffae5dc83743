"""`homarus channels`."""

from __future__ import annotations

from typing import Annotated

import typer

from homarus.cli.commands.status import state_of
from homarus.cli.gateway import session
from homarus.cli.options import AsJson, group
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, number, rows, text
from homarus.cli.screen import ago, show_json, table

app = group("See how the chat channels stand.")

_PROBE_SECONDS = 15


@app.command("status")
def show_status(
    probe: Annotated[bool, typer.Option("--probe", help="Make a round trip to each platform.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show every account of every channel."""
    with session(find_gateway()) as gateway:
        params: Row = {"probe": True, "timeoutMs": _PROBE_SECONDS * 1000} if probe else {}
        found = as_row(gateway.call("channels.status", params, timeout=2 * _PROBE_SECONDS))
    if as_json:
        show_json(found)
        return
    accounts = as_row(found.get("channelAccounts"))
    now = number(found, "ts")
    lines = [_line(channel, row, now) for channel in accounts for row in rows(accounts, channel)]
    table(("CHANNEL", "ACCOUNT", "RECEIVED", "SENT", "STATE"), lines, empty="No channel is configured.")


def _line(channel: str, row: Row, now: int) -> tuple[str, ...]:
    probed = as_row(row.get("probe"))
    outcome = text(probed, "detail") or text(probed, "error")
    state = state_of(row) + (f"; probe: {outcome}" if probed else "")
    received, sent = ago(row.get("lastInboundAt"), now), ago(row.get("lastOutboundAt"), now)
    return channel, text(row, "accountId"), received, sent, state
