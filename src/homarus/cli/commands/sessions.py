"""`homarus sessions`: conversations."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from homarus.cli.gateway import session
from homarus.cli.options import AsJson, Limit, Yes, group
from homarus.cli.prompts import agree
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
        agree(f"Delete {key} and everything said in it?")
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("sessions.delete", {"key": key}))
    if as_json:
        show_json(found)
    else:
        say(f"Deleted {key}." if found.get("deleted") else f"There is no session {key}; nothing was deleted.")


@app.command()
def cleanup(
    agent: Annotated[str | None, typer.Option("--agent", help="Only sessions of this agent.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what an enforced cleanup would do.")] = False,
    enforce: Annotated[bool, typer.Option("--enforce", help="Do it even if the configuration only warns.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put quiet sessions away and remove what was kept long enough, by session.maintenance."""
    params: Row = {"dryRun": dry_run, "enforce": enforce, **({"agent": agent} if agent else {})}
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("sessions.cleanup", params))
    if as_json:
        show_json(found)
        return
    _show_cleanup(found)


def _show_cleanup(found: Row) -> None:
    is_dry = bool(found.get("dryRun"))
    for kind, verb in (("archived", "put away"), ("deleted", "delete")):
        for key in cast("list[str]", found.get(kind, [])):
            say(f"{verb:<8}  {clean(key)}")
        if (more := number(found, f"{kind}Count") - len(cast("list[str]", found.get(kind, [])))) > 0:
            say(paint(f"          and {more} more", "dim"))
    would = "Would put" if is_dry else "Put"
    say(
        f"{would} away {number(found, 'archivedCount')} and delete {number(found, 'deletedCount')} of "
        f"{number(found, 'beforeCount')} sessions, remove {number(found, 'transcripts')} old transcripts and "
        f"{number(found, 'journalRows')} journal rows."
    )
    if found.get("mode") == "warn" and not is_dry:
        say(paint("Sessions stay while session.maintenance.mode is warn; --enforce does it once.", "dim"))
    if over := number(found, "overBudgetBytes"):
        say(f"Transcripts were {over:,} bytes over session.maintenance.maxDiskBytes.")


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
