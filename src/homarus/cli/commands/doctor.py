"""`homarus doctor`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer
from msgspec.structs import asdict

from homarus.cli.exits import ExitCode
from homarus.cli.gateway import session
from homarus.cli.options import AsJson, application
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, rows, text
from homarus.cli.screen import clean, paint, say, show_json
from homarus.config import environment
from homarus.config.paths import StateDir
from homarus.errors import ConfigError, HomarusError
from homarus.protocol.client_errors import NotRunning

if TYPE_CHECKING:
    from homarus.ops.doctor import Finding

app = application("Check this installation; every finding comes with its fix.")

_MARKS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "problem": ("problem", "red")}


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check this installation and print every finding with its fix; changes nothing.

    The exit code is 1 when there is a problem; warnings do not count.
    """
    from homarus.ops.doctor import examine, worst

    state = StateDir.resolve(environment.process_environment())
    findings = asyncio.run(examine(state))
    findings += _ask_gateway()
    if as_json:
        show_json({"state": worst(findings), "findings": [asdict(finding) for finding in findings]})
    else:
        _show(findings)
    if worst(findings) == "problem":
        raise typer.Exit(ExitCode.FAILURE)


def _ask_gateway() -> list[Finding]:
    """Return what a running gateway says of itself and its channels."""
    from homarus.ops.doctor import Finding

    try:
        with session(find_gateway()) as gateway:
            status = as_row(gateway.call("channels.status"))
    except NotRunning:
        return [Finding("gateway", "ok", "not running; homarus up starts it")]
    except ConfigError:
        # Reported with all its details by the check of the configuration.
        return []
    except HomarusError as error:
        return [Finding("gateway", "problem", error.message, error.fix)]
    accounts = as_row(status.get("channelAccounts"))
    troubled = [_trouble(channel, row) for channel in accounts for row in rows(accounts, channel) if _is_troubled(row)]
    return [Finding("gateway", "ok", "answers"), *troubled]


def _is_troubled(row: Row) -> bool:
    return bool(row.get("lastError")) and not row.get("connected")


def _trouble(channel: str, row: Row) -> Finding:
    from homarus.ops.doctor import Finding

    detail = f"{channel} {text(row, 'accountId')}: {text(row, 'lastError')}"
    return Finding("channels", "problem", detail, f"homarus logs --component channels.{channel}")


def _show(findings: list[Finding]) -> None:
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        mark, colour = _MARKS[finding.state]
        say(f"{paint(mark.ljust(7), colour)}  {finding.name.ljust(width)}  {clean(finding.detail)}")
        if finding.fix:
            say(f"{'':9}{'':{width}}  {paint('fix:', 'dim')} {clean(finding.fix)}")
