"""The audit as a whole: everything that is found, and repairing what can be repaired safely."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from homarus.config.load import load
from homarus.config.token_file import read_token
from homarus.config.write import set_value
from homarus.errors import HomarusError
from homarus.ops.audit.approvals import audit_approvals
from homarus.ops.audit.channels import audit_channels, open_elevated
from homarus.ops.audit.files import audit_files
from homarus.ops.audit.finding import AuditFinding, Chmod, Repair, Severity, sorted_findings
from homarus.ops.audit.gateway import audit_gateway
from homarus.ops.audit.secrets import audit_secrets
from homarus.ops.audit.tools import audit_tools

if TYPE_CHECKING:
    from homarus.config.paths import StateDir


class AuditReport(Struct, frozen=True):
    """What was found, gravest first."""

    findings: tuple[AuditFinding, ...]

    def count(self, severity: Severity) -> int:
        """Return how many findings are of a severity."""
        return Counter(finding.severity for finding in self.findings)[severity]


class Repaired(Struct, frozen=True):
    """One repair and what became of it: `problem` is None when it worked."""

    repair: Repair
    problem: str | None = None


def audit(state: StateDir) -> AuditReport:
    """Look at everything that needs no running gateway. Raises ConfigError for a configuration that cannot be read."""
    loaded = load(state.config_file, state.env)
    token = read_token(state.identity)
    found = [*audit_gateway(loaded, token), *audit_channels(loaded), *open_elevated(loaded)]
    found += [*audit_tools(loaded), *audit_approvals(state.root), *audit_secrets(loaded), *audit_files(state, loaded)]
    return AuditReport(tuple(sorted_findings(found)))


async def audit_deeply() -> tuple[AuditFinding, ...]:
    """Try attacks from inside the sandbox, and name those that get through."""
    from homarus.ops.doctor import CHECK_SECONDS, check_sandbox  # noqa: PLC0415 - loads every room

    async with asyncio.timeout(CHECK_SECONDS):
        findings = await check_sandbox()
    names: dict[str, tuple[str, Severity]] = {
        "problem": ("sandbox.escapes", "critical"),
        "warning": ("sandbox.unavailable", "info"),
    }
    return tuple(
        AuditFinding(*names[found.state], "sandbox", found.detail, found.fix or "homarus doctor")
        for found in findings
        if found.state in names
    )


def repair(state: StateDir, report: AuditReport) -> tuple[Repaired, ...]:
    """Make every repair that takes rights away and nothing else; a file of somebody else stays as it is."""
    repairs = dict.fromkeys(finding.repair for finding in report.findings if finding.repair is not None)
    return tuple(Repaired(each, _make(state, each)) for each in repairs)


def _make(state: StateDir, wanted: Repair) -> str | None:
    try:
        if isinstance(wanted, Chmod):
            _take_rights_away(wanted)
        else:
            set_value(state.config_file, wanted.key, _value(wanted.value), state.env)
    except OSError as error:
        return error.strerror or str(error)
    except HomarusError as error:
        return error.message
    return None


def _take_rights_away(wanted: Chmod) -> None:
    """Narrow the mode of the very file that was looked at: a link put there meanwhile is not followed."""
    handle = os.open(wanted.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.fchmod(handle, os.fstat(handle).st_mode & wanted.mode)
    finally:
        os.close(handle)


def _value(text: str) -> object:
    return {"true": True, "false": False}.get(text, text)
