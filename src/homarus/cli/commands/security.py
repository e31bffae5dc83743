"""`homarus security`."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated

import typer

from homarus.cli.exits import ExitCode
from homarus.cli.options import AsJson, group
from homarus.cli.screen import clean, paint, say, show_json
from homarus.config import environment
from homarus.config.paths import StateDir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from homarus.ops.audit.finding import AuditFinding
    from homarus.ops.audit.report import AuditReport, Repaired

app = group("Find what makes this installation weaker than it could be.")

_COLOURS = {"critical": "red", "warn": "yellow", "info": "dim"}


@app.command()
def audit(
    deep: Annotated[bool, typer.Option("--deep", help="Try attacks from inside the sandbox as well.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Repair what can be repaired safely, then look again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Name every weaker mode with its severity, its place and the fix; changes nothing without --fix.

    --fix only takes rights away: file modes, and switches back to their safe values. The exit code is 1 when something
    critical is left.
    """
    from homarus.ops.audit import report

    state = StateDir.resolve(environment.process_environment())
    found = report.audit(state)
    repaired: Sequence[Repaired] = ()
    if fix:
        repaired = report.repair(state, found)
        found = report.audit(state)
    if deep:
        found = report.AuditReport((*asyncio.run(report.audit_deeply()), *found.findings))
    if as_json:
        show_json(_as_json(found, repaired))
    else:
        _show(found, repaired)
    if found.count("critical"):
        raise typer.Exit(ExitCode.FAILURE)


def _as_json(found: AuditReport, repaired: Sequence[Repaired]) -> dict[str, object]:
    return {
        "ts": time.time_ns() // 1_000_000,
        "summary": {severity: found.count(severity) for severity in ("critical", "warn", "info")},
        "findings": [_finding_json(each) for each in found.findings],
        "fixed": [{"repair": str(each.repair), "problem": each.problem} for each in repaired],
    }


def _finding_json(finding: AuditFinding) -> dict[str, object]:
    return {
        "checkId": finding.id,
        "severity": finding.severity,
        "place": finding.place,
        "detail": finding.detail,
        "remediation": finding.fix,
        "canFix": finding.repair is not None,
    }


def _show(found: AuditReport, repaired: Sequence[Repaired]) -> None:
    for each in repaired:
        outcome = paint("done", "green") if each.problem is None else paint(f"failed: {clean(each.problem)}", "red")
        say(f"{outcome}  {clean(str(each.repair))}")
    for finding in found.findings:
        mark = paint(finding.severity.ljust(8), _COLOURS[finding.severity])
        say(f"{mark}  {clean(finding.place)}  {paint(finding.id, 'dim')}")
        say(f"{'':10}{clean(finding.detail)}")
        say(f"{'':10}{paint('fix:', 'dim')} {clean(finding.fix)}")
    counts = ", ".join(f"{found.count(severity)} {severity}" for severity in ("critical", "warn", "info"))
    say(f"{counts}." if found.findings else "Nothing to complain about.")
