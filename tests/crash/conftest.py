"""A quick folder for databases, and a table of what the kills left behind when a run has ended."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

CELL = "crash"
"""The property in which a test of this folder reports its cell: failpoint, database, channel and four counts."""
COUNTS = ("kills", "lost", "doubled", "marked")


@pytest.fixture
def quick_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: thousands of commits are not about fsync here."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as root:
        yield Path(root)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    cells = sorted(_cells(terminalreporter))
    if not cells:
        return
    terminalreporter.section("kills")
    terminalreporter.write_line(_line("failpoint", "database", "channel", COUNTS))
    for point, database, channel, *counts in cells:
        terminalreporter.write_line(_line(str(point), str(database), str(channel), counts))
    totals = [sum(column) for column in zip(*(cast("list[int]", cell[3:]) for cell in cells), strict=True)]
    terminalreporter.write_line(_line("all", "", "", totals))


def _cells(terminalreporter: pytest.TerminalReporter) -> Iterator[list[object]]:
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            if isinstance(report, pytest.TestReport) and report.when == "call":
                yield from (cast("list[object]", value) for name, value in report.user_properties if name == CELL)


def _line(point: str, database: str, channel: str, counts: object) -> str:
    numbers = "".join(f"{value:>9}" for value in cast("list[object]", counts))
    return f"{point:<28}{database:<12}{channel:<9}{numbers}"
