"""What the audit finds, and repairs it can make by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

Severity = Literal["critical", "warn", "info"]
GRAVITY: Final[dict[Severity, int]] = {"critical": 0, "warn": 1, "info": 2}


class Chmod(Struct, frozen=True):
    """Take the rights of others away from a file or folder."""

    path: Path
    mode: int

    def __str__(self) -> str:
        """Return what a person would type."""
        return f"chmod {self.mode:o} {self.path}"


class SetKey(Struct, frozen=True):
    """Set a key of the configuration to its safe value."""

    key: str
    value: str

    def __str__(self) -> str:
        """Return what a person would type."""
        return f"homarus config set {self.key} {self.value}"


Repair = Chmod | SetKey


class AuditFinding(Struct, frozen=True):
    """One weaker mode. `id` is stable and the one OpenClaw uses where it has the same check; `place` is a key or path.

    `repair` is what `--fix` does about it; None when a person has to decide.
    """

    id: str
    severity: Severity
    place: str
    detail: str
    fix: str
    repair: Repair | None = None


def sorted_findings(findings: list[AuditFinding]) -> list[AuditFinding]:
    """Return findings, the gravest first, then by place."""
    return sorted(findings, key=lambda each: (GRAVITY[each.severity], each.id, each.place))
