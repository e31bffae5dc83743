"""`homarus approvals allowlist`: programs that may run without being asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import Annotated

import typer

from homarus.cli.commands.nodes import resolve_node
from homarus.cli.exits import UsageFailure
from homarus.cli.gateway import Session, session
from homarus.cli.options import AsJson, group
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, rows, text
from homarus.cli.screen import clean, say, show_json, table

app = group("Programs that run without being asked for, on the gateway or on a node.")

Pattern = Annotated[str, typer.Argument(metavar="PATTERN", help="An absolute path; * stands for anything in a name.")]
Node = Annotated[str | None, typer.Option("--node", help="That of this node instead of the gateway's own.")]
Agent = Annotated[str, typer.Option("--agent", help="The agent it counts for; * for all.")]


@app.command("list")
def list_patterns(node: Node = None, as_json: AsJson = False) -> None:
    """List what is allowed, by agent."""
    with session(find_gateway()) as gateway:
        found = _entries(_read(gateway, node))
    if as_json:
        show_json([{"agent": agent, **entry} for agent, entry in found])
        return
    lines = [(agent, text(entry, "pattern"), text(entry, "lastUsedCommand", "-")) for agent, entry in found]
    table(("AGENT", "PROGRAM", "LAST USED FOR"), lines, empty="Nothing is allowed without being asked for.")


@app.command()
def add(pattern: Pattern, node: Node = None, agent: Agent = "*", as_json: AsJson = False) -> None:
    """Allow a program."""
    if not pattern.startswith(("/", "~")) or pattern.endswith("/") or PurePath(pattern).name in {"*", "**"}:
        raise UsageFailure(f"{pattern!r} is no path of a program", fix="write for example /usr/bin/git")

    def change(listed: list[Row]) -> list[Row]:
        if any(text(entry, "pattern") == pattern for entry in listed):
            raise UsageFailure(f"{pattern!r} is allowed already", fix="homarus approvals allowlist list")
        return [*listed, {"pattern": pattern}]

    _change(node, agent, change, f"{pattern} may run without being asked for.", as_json=as_json)


@app.command()
def remove(pattern: Pattern, node: Node = None, agent: Agent = "*", as_json: AsJson = False) -> None:
    """Take a program off the list; it is asked for again."""

    def change(listed: list[Row]) -> list[Row]:
        left = [entry for entry in listed if text(entry, "pattern") != pattern]
        if len(left) == len(listed):
            raise UsageFailure(f"{pattern!r} is not on the list", fix="homarus approvals allowlist list")
        return left

    _change(node, agent, change, f"{pattern} is asked for again.", as_json=as_json)


def _change(
    node: str | None, agent: str, change: Callable[[list[Row]], list[Row]], done: str, *, as_json: bool
) -> None:
    """Change the list of one agent in the version of the file that was read; another change in between is refused."""
    with session(find_gateway()) as gateway:
        found = _read(gateway, node)
        body = as_row(found.get("file"))
        agents = as_row(body.get("agents"))
        entry = as_row(agents.get(agent))
        listed = change(rows(entry, "allowlist"))
        changed = {**body, "agents": {**agents, agent: {**entry, "allowlist": listed}}}
        params: Row = {"file": {name: value for name, value in changed.items() if name != "socket"}}
        params["baseHash"] = found.get("hash")
        if node is not None:
            params["nodeId"] = resolve_node(gateway, node)
        stored = gateway.call("exec.approvals.set" if node is None else "exec.approvals.node.set", params)
    if as_json:
        show_json(stored)
    else:
        say(clean(done))


def _read(gateway: Session, node: str | None) -> Row:
    if node is None:
        return as_row(gateway.call("exec.approvals.get", {}))
    return as_row(gateway.call("exec.approvals.node.get", {"nodeId": resolve_node(gateway, node)}))


def _entries(found: Row) -> list[tuple[str, Row]]:
    agents = as_row(as_row(found.get("file")).get("agents"))
    return [(agent, entry) for agent, body in sorted(agents.items()) for entry in rows(body, "allowlist")]
