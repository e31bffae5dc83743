"""`homarus approvals`: questions that wait for the owner, and the rules that spare some of them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from homarus.cli.commands import approvals_allowlist
from homarus.cli.commands.nodes import resolve_node
from homarus.cli.exits import UsageFailure
from homarus.cli.gateway import Session, session
from homarus.cli.options import AsJson, group
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, rows, text
from homarus.cli.screen import ago, clean, say, show_json, table

app = group("Answer what the assistant asks before it acts, and see the rules for commands.")
app.add_typer(approvals_allowlist.app, name="allowlist")

ApprovalId = Annotated[str, typer.Argument(metavar="ID", help="The question, as `homarus approvals list` shows it.")]


@app.command("list")
def list_approvals(as_json: AsJson = False) -> None:
    """List the questions that wait for an answer."""
    with session(find_gateway()) as gateway:
        found = _open(gateway)
    if as_json:
        show_json(found)
        return
    now = time.time_ns() // 1_000_000
    lines = [(text(row, "id"), ago(row.get("createdAtMs"), now), _question(row)) for row in found]
    table(("ID", "ASKED", "WHAT"), lines, empty="Nothing waits for an answer.")


@app.command()
def allow(
    approval: ApprovalId,
    always: Annotated[bool, typer.Option("--always", help="Do not ask for this again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Allow what was asked for."""
    _resolve(approval, "allow-always" if always else "allow-once", as_json=as_json)


@app.command()
def deny(approval: ApprovalId, as_json: AsJson = False) -> None:
    """Refuse what was asked for."""
    _resolve(approval, "deny", as_json=as_json)


@app.command()
def get(
    node: Annotated[str | None, typer.Option("--node", help="Those of this node instead of the gateway's own.")] = None,
) -> None:
    """Print the rules for commands as JSON."""
    with session(find_gateway()) as gateway:
        if node is None:
            show_json(gateway.call("exec.approvals.get", {}))
        else:
            show_json(gateway.call("exec.approvals.node.get", {"nodeId": resolve_node(gateway, node)}))


@app.command("set")
def set_rules(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON as `homarus approvals get` prints its `file`.")],
    node: Annotated[str | None, typer.Option("--node", help="Those of this node instead of the gateway's own.")] = None,
    as_json: AsJson = False,
) -> None:
    """Replace the rules for commands by those of a file."""
    body = _read_rules(file)
    with session(find_gateway()) as gateway:
        params: Row = {} if node is None else {"nodeId": resolve_node(gateway, node)}
        name = "exec.approvals" if node is None else "exec.approvals.node"
        known = as_row(gateway.call(f"{name}.get", params))
        found = gateway.call(f"{name}.set", {**params, "file": body, "baseHash": known.get("hash")})
    if as_json:
        show_json(found)
    else:
        say("The rules are in force.")


def _read_rules(file: Path) -> Row:
    try:
        found: object = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageFailure(f"{file} cannot be used: {error}", fix="begin with: homarus approvals get") from None
    row = as_row(found)
    body = as_row(row.get("file")) or row
    if not body:
        raise UsageFailure(f"{file} holds no rules", fix="begin with: homarus approvals get")
    return {name: value for name, value in body.items() if name != "socket"}


def _open(gateway: Session) -> list[Row]:
    listed = (gateway.call(f"{kind}.approval.list", {}) for kind in ("exec", "plugin"))
    return [row for found in listed for row in rows({"found": found}, "found")]


def _resolve(approval: str, decision: str, *, as_json: bool) -> None:
    kind = "plugin" if approval.startswith("plugin:") else "exec"
    with session(find_gateway()) as gateway:
        found = gateway.call(f"{kind}.approval.resolve", {"id": approval, "decision": decision})
    if as_json:
        show_json(found)
    else:
        say(clean(f"{approval}: {decision}."))


def _question(row: Row) -> str:
    request = as_row(row.get("request"))
    return text(request, "command") or f"{text(request, 'title')}: {text(request, 'description')}"
