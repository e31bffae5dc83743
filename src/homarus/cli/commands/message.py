"""`homarus message send`."""

from __future__ import annotations

from typing import Annotated
from uuid import uuid4

import typer

from homarus.cli.gateway import session
from homarus.cli.options import AsJson, group
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, text
from homarus.cli.screen import say, show_json

app = group("Send a message out through a channel.")


@app.command()
def send(
    channel: Annotated[str, typer.Option("--channel", help="The channel, such as irc.")],
    to: Annotated[str, typer.Option("--to", "-t", help="Who or where: a nick, a room, a chat id.")],
    message: Annotated[str, typer.Option("--message", "-m", help="The text.")],
    account: Annotated[str | None, typer.Option("--account", help="Which account of the channel.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send a text as it is; no model is asked."""
    params: Row = {"channel": channel, "to": to, "message": message, "idempotencyKey": str(uuid4())}
    if account:
        params["accountId"] = account
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("send", params, timeout=60))
    if as_json:
        show_json(found)
    else:
        say(f"Sent to {to} on {channel} (message {text(found, 'messageId', 'without id')}).")
