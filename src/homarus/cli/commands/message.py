"""`homarus message`: sending, and what is done to sent messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, cast
from uuid import uuid4

import typer

from homarus.cli.files import data_urls
from homarus.cli.gateway import session
from homarus.cli.options import AsJson, group
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, text
from homarus.cli.screen import say, show_json, warn
from homarus.errors import UserError

app = group("Send messages out through a channel; react to them, edit and delete them.")

To = Annotated[str, typer.Option("--to", "-t", help="Who or where: a nick, a room, a chat id.")]
OnChannel = Annotated[str, typer.Option("--channel", help="The channel.")]
Account = Annotated[str | None, typer.Option("--account", help="Which account of the channel.")]
MessageId = Annotated[str, typer.Option("--message-id", help="The platform's id of the message.")]


@app.command()
def send(  # noqa: PLR0917 - typer makes an option of each
    to: To,
    message: Annotated[str, typer.Option("--message", "-m", help="The text.")] = "",
    media: Annotated[
        list[str] | None, typer.Option("--media", help="A file to send, or its address; may be repeated.")
    ] = None,
    channel: Annotated[
        str | None, typer.Option("--channel", help="The channel; needed when there are several.")
    ] = None,
    account: Account = None,
    thread: Annotated[str | None, typer.Option("--thread", help="A topic or thread in it.")] = None,
    reply_to: Annotated[
        str | None, typer.Option("--reply-to", help="The platform's id of the message to answer.")
    ] = None,
    buttons: Annotated[
        str | None,
        typer.Option("--buttons", help='Rows of buttons as JSON: [[{"text": "Yes", "callback_data": "yes"}]].'),
    ] = None,
    silent: Annotated[bool, typer.Option("--silent", help="Without a notification.")] = False,
    session_key: Annotated[str | None, typer.Option("--session", help="Also note it in this conversation.")] = None,
    key: Annotated[str | None, typer.Option("--key", help="Sends once per key, however often it is run.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send a text, files or both as they are; no model is asked. Waits up to half a minute for the platform."""
    if not message.strip() and not media:
        raise UserError("there is nothing to send", fix="give --message TEXT or --media FILE")
    params: Row = {"to": to, "message": message, "idempotencyKey": key or str(uuid4())}
    params |= {"mediaUrls": _media(media)} if media else {}
    named = {"channel": channel, "accountId": account, "threadId": thread, "replyToId": reply_to}
    named["sessionKey"] = session_key
    params |= {name: value for name, value in named.items() if value}
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call(*_sending(params, buttons, is_silent=silent), timeout=60))
    if as_json:
        show_json(found)
    elif found.get("state") == "queued":
        why = f": {text(found, 'detail')}" if found.get("detail") else ""
        warn(f"{text(found, 'channel')} has not taken it yet{why}")
        say("It is stored and goes out by itself; homarus channels status shows the connection.")
    else:
        say(f"Sent to {to} on {text(found, 'channel')} (message {text(found, 'messageId')}).")


def _sending(params: Row, buttons: str | None, *, is_silent: bool) -> tuple[str, Row]:
    """Return the operation that sends, and its parameters; only one of the two knows buttons."""
    if buttons is None and not is_silent:
        return "send", params
    urls = cast("list[str]", params.get("mediaUrls") or [])
    if not params.get("channel") or len(urls) > 1:
        raise UserError("--buttons and --silent need --channel, and take one --media at most")
    try:
        rows: object = json.loads(buttons or "[]")
    except ValueError as error:
        fix = 'write [[{"text": "Yes", "callback_data": "yes"}]]'
        raise UserError(f"--buttons is no JSON: {error}", fix=fix) from None
    given: Row = {**params, "buttons": rows, "silent": is_silent, "replyTo": params.get("replyToId")}
    given |= {"mediaUrl": urls[0]} if urls else {}
    head = {name: params[name] for name in ("channel", "accountId", "sessionKey", "idempotencyKey") if name in params}
    return "message.action", {**head, "action": "send", "params": given}


def _media(given: list[str]) -> list[str]:
    """Return files as the gateway takes them; an address of the web is the gateway's to fetch."""
    files = iter(data_urls(Path(each) for each in given if not _is_address(each)))
    return [each if _is_address(each) else next(files) for each in given]


def _is_address(given: str) -> bool:
    return given[:8].lower().startswith(("http://", "https://"))


@app.command()
def poll(  # noqa: PLR0917 - typer makes an option of each
    to: To,
    channel: OnChannel,
    question: Annotated[str, typer.Option("--question", "-q", help="What is asked.")],
    option: Annotated[list[str], typer.Option("--option", "-o", help="An answer; two at least.")],
    multi: Annotated[bool, typer.Option("--multi", help="Several answers may be chosen.")] = False,
    public: Annotated[bool, typer.Option("--public", help="Show who chose what.")] = False,
    hours: Annotated[int | None, typer.Option("--hours", help="Close it after so many hours.")] = None,
    thread: Annotated[str | None, typer.Option("--thread", help="A topic or thread in it.")] = None,
    account: Account = None,
    key: Annotated[str | None, typer.Option("--key", help="Sends once per key, however often it is run.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send a poll, where the channel has them."""
    params: Row = {"to": to, "channel": channel, "question": question, "options": option, "isAnonymous": not public}
    params |= {"maxSelections": len(option)} if multi else {}
    named = {"durationHours": hours, "threadId": thread, "accountId": account}
    params |= {name: value for name, value in named.items() if value}
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("poll", params | {"idempotencyKey": key or str(uuid4())}, timeout=60))
    if as_json:
        show_json(found)
    else:
        say(f"Asked in {to} on {channel} (message {text(found, 'messageId')}).")


@app.command()
def topic(
    to: To,
    channel: OnChannel,
    name: Annotated[str, typer.Option("--name", help="What the topic is called.")],
    thread: Annotated[str | None, typer.Option("--thread", help="The topic to name; without it one is opened.")] = None,
    account: Account = None,
    as_json: AsJson = False,
) -> None:
    """Open a topic in a chat, or name one."""
    action = "topic-edit" if thread else "topic-create"
    given: Row = {"to": to, "name": name, **({"threadId": thread} if thread else {})}
    wanted: Row = {"channel": channel, "action": action, "params": given, "idempotencyKey": str(uuid4())}
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("message.action", wanted | ({"accountId": account} if account else {}), timeout=60))
    if as_json:
        show_json(found)
    else:
        say(f"Named topic {thread}." if thread else f"Opened topic {text(found, 'threadId')}.")


@app.command()
def react(
    to: To,
    channel: OnChannel,
    message_id: MessageId,
    emoji: Annotated[str, typer.Option("--emoji", help="The emoji to put on it.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Take our emoji off.")] = False,
    account: Account = None,
    as_json: AsJson = False,
) -> None:
    """Put our emoji on a message, or take it off."""
    if not emoji and not remove:
        raise UserError("there is nothing to do", fix="give --emoji EMOJI or --remove")
    given: Row = {"to": to, "messageId": message_id, "emoji": emoji, "remove": remove}
    _act("react", channel, account, given, as_json=as_json)


@app.command()
def edit(
    to: To,
    channel: OnChannel,
    message_id: MessageId,
    message: Annotated[str, typer.Option("--message", "-m", help="The new text.")],
    account: Account = None,
    as_json: AsJson = False,
) -> None:
    """Give a message of ours another text."""
    _act("edit", channel, account, {"to": to, "messageId": message_id, "message": message}, as_json=as_json)


@app.command()
def delete(to: To, channel: OnChannel, message_id: MessageId, account: Account = None, as_json: AsJson = False) -> None:
    """Remove a message."""
    _act("delete", channel, account, {"to": to, "messageId": message_id}, as_json=as_json)


_DONE = {"react": "Reacted to", "edit": "Edited", "delete": "Deleted"}


def _act(action: str, channel: str, account: str | None, given: Row, *, as_json: bool) -> None:
    wanted: Row = {"channel": channel, "action": action, "params": given, "idempotencyKey": str(uuid4())}
    wanted |= {"accountId": account} if account else {}
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("message.action", wanted, timeout=60))
    if as_json:
        show_json(found)
    else:
        say(f"{_DONE[action]} message {text(found, 'messageId')} in {text(found, 'to')} on {text(found, 'channel')}.")
