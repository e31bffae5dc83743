"""Rules by which commands run without anybody being asked, on the gateway and on a node of this state folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from homarus.errors import UserError
from homarus.ops.audit.finding import AuditFinding
from homarus.security.exec_approvals import NAME, ExecApprovalsFile

if TYPE_CHECKING:
    from pathlib import Path


def audit_approvals(root: Path) -> Iterator[AuditFinding]:
    """Yield files of approvals that allow everything, for all agents or for one."""
    for path in (root / NAME, root / "node" / NAME):
        if not path.exists():
            continue
        try:
            body = ExecApprovalsFile(path).read().body
        except UserError as error:
            fix = error.fix or "correct it"
            yield AuditFinding("exec_approvals.unreadable", "warn", str(path), error.message, fix)
            continue
        rules = {"defaults": body.get("defaults"), **_entries(body.get("agents"))}
        for name, rule in rules.items():
            yield from _rule(f"{path}: {name}", _entries(rule))


def _rule(place: str, rule: dict[str, object]) -> Iterator[AuditFinding]:
    if rule.get("security") == "full":
        asks = rule.get("ask") in {"always", "on-miss"}
        detail = "every command is allowed" + (", after asking" if asks else " without asking")
        fix = 'set security to "allowlist", and list what may run'
        yield AuditFinding("exec_approvals.full", "warn" if asks else "critical", place, detail, fix)
    if rule.get("askFallback") == "full":
        detail, fix = "every command is allowed when nobody answers", 'set askFallback to "deny"'
        yield AuditFinding("exec_approvals.fallback_full", "critical", place, detail, fix)


def _entries(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
