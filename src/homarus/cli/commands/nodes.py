"""`homarus nodes`: the machines and phones a gateway can ask to do things."""

from __future__ import annotations

import json
import time
import uuid
from typing import Annotated, cast

import typer

from homarus.cli.exits import UsageFailure
from homarus.cli.gateway import Session, session
from homarus.cli.options import AsJson, group
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, rows, text
from homarus.cli.screen import ago, clean, facts, say, show_json, table

app = group("See, approve, name and use nodes: machines and phones that do things for the gateway.")

NodeName = Annotated[
    str, typer.Argument(metavar="NODE", help="The node's name or id, or the first 6 characters of it.")
]
RequestId = Annotated[str, typer.Argument(metavar="REQUEST", help="The request, as `homarus nodes pending` lists it.")]
_MIN_PREFIX = 6
_SLACK = 5.0
"""Seconds the gateway gets beyond the node's own time."""


@app.command("list")
def list_nodes(as_json: AsJson = False) -> None:
    """List known nodes, connected ones first."""
    with session(find_gateway()) as gateway:
        found = gateway.call("node.list", {})
    if as_json:
        show_json(found)
        return
    lines = [_line(row) for row in rows(found, "nodes")]
    table(("NAME", "ID", "STATE", "PLATFORM", "COMMANDS"), lines, empty="No nodes. Start one: homarus node run")


@app.command()
def describe(node: NodeName, as_json: AsJson = False) -> None:
    """Tell all that is known about one node."""
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("node.describe", {"nodeId": resolve_node(gateway, node)}))
    if as_json:
        show_json(found)
    else:
        facts((name, clean(_shown(value))) for name, value in found.items() if name != "ts")


@app.command()
def pending(as_json: AsJson = False) -> None:
    """List nodes that wait for approval."""
    with session(find_gateway()) as gateway:
        found = gateway.call("node.pair.list", {})
    waiting = rows(found, "pending")
    if as_json:
        show_json({"pending": waiting})
        return
    now = time.time_ns() // 1_000_000
    lines = [
        (text(row, "requestId"), ago(row.get("ts"), now), _name(row), _shown(row.get("commands"))) for row in waiting
    ]
    table(("REQUEST", "ASKED", "NODE", "COMMANDS"), lines, empty="No node waits.")


@app.command()
def approve(request: RequestId, as_json: AsJson = False) -> None:
    """Approve a node that waits."""
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("node.pair.approve", {"requestId": request}))
    if as_json:
        show_json(found)
    else:
        say(clean(f"{_name(as_row(found.get('node')))} is approved."))


@app.command()
def reject(request: RequestId, as_json: AsJson = False) -> None:
    """Refuse a node that waits."""
    with session(find_gateway()) as gateway:
        found = as_row(gateway.call("node.pair.reject", {"requestId": request}))
    if as_json:
        show_json(found)
    else:
        say(f"Request {text(found, 'requestId')} is refused.")


@app.command()
def rename(node: NodeName, name: Annotated[str, typer.Argument(help="The new name.")], as_json: AsJson = False) -> None:
    """Call an approved node by another name."""
    with session(find_gateway()) as gateway:
        params: Row = {"nodeId": resolve_node(gateway, node), "displayName": name}
        found = as_row(gateway.call("node.rename", params))
    if as_json:
        show_json(found)
    else:
        say(clean(f"The node is now called {text(found, 'displayName')}."))


@app.command()
def invoke(
    node: NodeName,
    command: Annotated[str, typer.Argument(help="What to do, such as system.which.")],
    params: Annotated[str, typer.Option("--params", help="Its parameters, as JSON.")] = "{}",
    timeout_ms: Annotated[
        int, typer.Option("--timeout", min=1, max=86_400_000, help="Milliseconds the node gets.")
    ] = 15_000,
    as_json: AsJson = False,
) -> None:
    """Ask a node to do something and print its answer."""
    given = _parse(params)
    with session(find_gateway()) as gateway:
        wanted: Row = {"nodeId": resolve_node(gateway, node), "command": command, "params": given}
        wanted |= {"timeoutMs": timeout_ms, "idempotencyKey": str(uuid.uuid4())}
        found = as_row(gateway.call("node.invoke", wanted, timeout=timeout_ms / 1000 + _SLACK))
    show_json(found if as_json else found.get("payload"))


def resolve_node(gateway: Session, named: str) -> str:
    """Return the id of the node a person means. Raises UsageFailure when none or several are meant."""
    known = rows(gateway.call("node.list", {}), "nodes")
    wanted = named.strip().lower()
    exact = [row for row in known if wanted in {text(row, "nodeId").lower(), text(row, "displayName").lower()}]
    by_id = [row for row in known if len(wanted) >= _MIN_PREFIX and text(row, "nodeId").startswith(wanted)]
    found = {text(row, "nodeId") for row in exact or by_id}
    if not found:
        raise UsageFailure(f"there is no node {named!r}", fix="homarus nodes list")
    if len(found) > 1:
        raise UsageFailure(f"{len(found)} nodes are called {named!r}", fix="write the id: homarus nodes list --json")
    return found.pop()


def _parse(params: str) -> object:
    try:
        return cast("object", json.loads(params))
    except ValueError as error:
        raise UsageFailure(
            f"--params is not JSON: {error}", fix='write for example --params \'{"bins":["git"]}\''
        ) from error


def _line(row: Row) -> tuple[str, ...]:
    state = "connected" if row.get("connected") is True else "away"
    return _name(row), text(row, "nodeId")[:12], state, text(row, "platform"), _shown(row.get("commands"))


def _name(row: Row) -> str:
    return text(row, "displayName") or text(row, "nodeId")[:12]


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in cast("list[object]", value)) or "-"
    return str(value)
