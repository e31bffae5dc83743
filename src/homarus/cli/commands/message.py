"""`homarus message send`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from homarus.cli.files import data_urls
from homarus.cli.gateway import session
from homarus.cli.options import AsJson, group
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, text
from homarus.cli.screen import say, show_json, warn
from homarus.errors import UserError

app = group("Send a message out through a channel.")


@app.command()
def send(  # noqa: PLR0917 - typer makes an option of each
    to: Annotated[str, typer.Option("--to", "-t", help="Who or where: a nick, a room, a chat id.")],
    message: Annotated[str, typer.Option("--message", "-m", help="The text.")] = "",
    media: Annotated[list[Path] | None, typer.Option("--media", help="A file to send; may be repeated.")] = None,
    channel: Annotated[
        str | None, typer.Option("--channel", help="The channel; needed when there are several.")
    ] = None,
    account: Annotated[str | None, typer.Option("--account", help="Which account of the channel.")] = None,
    thread: Annotated[str | None, typer.Option("--thread", help="A topic or thread in it.")] = None,
    session_key: Annotated[str | None, typer.Option("--session", help="Also note it in this conversation.")] = None,
    key: Annotated[str | None, typer.Option("--key", help="Sends once per key, however often it is run.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send a text, files or both as they are; no model is asked. Waits up to half a minute for the platform."""
    if not message.strip() and not media:
        raise UserError("there is nothing to send", fix="give --message TEXT or --media FILE")
    params: Row = {"to": to, "message": message, "idempotencyKey": key or str(uuid4())}
    params |= {"mediaUrls": data_urls(media)} if media else {}
    named = {"channel": channel, "accountId": account, "threadId": thread, "sessionKey": session_key}
    params |= {name: value for name, value in named.items() if value}
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("send", params, timeout=60))
    if as_json:
        show_json(found)
    elif found.get("state") == "queued":
        why = f": {text(found, 'detail')}" if found.get("detail") else ""
        warn(f"{text(found, 'channel')} has not taken it yet{why}")
        say("It is stored and goes out by itself; homarus channels status shows the connection.")
    else:
        say(f"Sent to {to} on {text(found, 'channel')} (message {text(found, 'messageId')}).")
