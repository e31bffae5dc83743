"""`homarus sessions`: conversations."""

from __future__ import annotations

from typing import Annotated

import typer

from homarus.cli.gateway import session
from homarus.cli.options import AsJson, Limit, Yes, group
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, number, rows, text
from homarus.cli.screen import ago, clean, paint, say, show_json, table

app = group("List, look into, reset and delete conversations.")

Key = Annotated[str, typer.Argument(metavar="KEY", help="The session key, such as agent:main:main.")]


@app.command("list")
def list_sessions(
    agent: Annotated[str | None, typer.Option("--agent", help="Only sessions of this agent.")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List sessions, the last used first."""
    params: Row = {"limit": limit, **({"agentId": agent} if agent else {})}
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("sessions.list", params))
    if as_json:
        show_json(found)
        return
    lines = [_line(row, number(found, "ts")) for row in rows(found, "sessions")]
    table(("USED", "KIND", "TOKENS", "MODEL", "KEY"), lines, empty="No sessions.")


@app.command()
def show(key: Key, limit: Limit = 50, as_json: AsJson = False) -> None:
    """Print the last messages of a session."""
    with session(find_gateway()) as gateway:
        found = gateway.call("chat.history", {"sessionKey": key, "limit": limit})
    if as_json:
        show_json(found)
        return
    messages = rows(found, "messages")
    if not messages:
        say(paint("No messages.", "dim"))
    for message in messages:
        _show_message(message)


@app.command()
def reset(key: Key, as_json: AsJson = False) -> None:
    """Begin anew under the same key; the old transcript stays stored."""
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("sessions.reset", {"key": key}))
    if as_json:
        show_json(found)
    else:
        say(f"{text(found, 'key', key)} begins anew.")


@app.command()
def delete(key: Key, yes: Yes = False, as_json: AsJson = False) -> None:
    """Delete a session and its transcript for good."""
    if not yes:
        typer.confirm(f"Delete {key} and everything said in it?", abort=True, err=True)
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("sessions.delete", {"key": key}))
    if as_json:
        show_json(found)
    else:
        say(f"Deleted {key}." if found.get("deleted") else f"There is no session {key}; nothing was deleted.")


def _line(row: Row, now: int) -> tuple[str, ...]:
    tokens = str(number(row, "totalTokens")) if row.get("totalTokens") else "-"
    model = f"{text(row, 'modelProvider')}/{text(row, 'model')}"
    return ago(row.get("updatedAt"), now), text(row, "kind"), tokens, model, text(row, "key")


def _show_message(message: Row) -> None:
    content = message.get("content")
    blocks = rows(message, "content") if isinstance(content, list) else [{"type": "text", "text": content}]
    for block in blocks:
        if block.get("type") == "text" and block.get("text"):
            say(f"{paint(text(message, 'role'), 'bold')}: {clean(text(block, 'text'), keep_lines=True)}")
        elif block.get("type") == "toolCall":
            say(paint(f"  {text(block, 'name')} {clean(text(block, 'arguments'))}", "dim"))
