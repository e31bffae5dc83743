"""`homarus approvals`: questions that wait for the owner, and the rules that spare some of them."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from homarus.cli.commands.nodes import resolve_node
from homarus.cli.gateway import Session, session
from homarus.cli.options import AsJson, group
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, rows, text
from homarus.cli.screen import ago, clean, say, show_json, table

app = group("Answer what the assistant asks before it acts, and see the rules for commands.")

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
