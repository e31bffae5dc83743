"""Figures and where they come from: the kernel's account of a process and of its children."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
KIB, MIB = 2**10, 2**20


class Measured(Struct, frozen=True):
    """One figure of Homarus and its budget: the most it may be, or the least when `is_floor`."""

    name: str
    value: float
    unit: str
    budget: float
    is_floor: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        """Return whether the budget was met."""
        is_met = self.value >= self.budget if self.is_floor else self.value <= self.budget
        return "met" if is_met else "missed"

    def __str__(self) -> str:
        """Return one line of the report."""
        bound = "at least" if self.is_floor else "at most"
        note = f"; {self.note}" if self.note else ""
        return f"{self.name:<46} {self.value:>9.2f} {self.unit:<8} ({bound} {self.budget:g}: {self.verdict}{note})"


def family(pid: int) -> list[int]:
    """Return a process and everything it started."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        children = (task / "children").read_text().split()
        for child in children:
            found += family(int(child))
    return found


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process and its children in MiB."""
    return sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in family(pid)) * _PAGE / MIB


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that a process and its children have used."""
    spent = 0
    for one in family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        spent += int(fields[11]) + int(fields[12])
    return spent / _TICKS


def thread_seconds(pid: int) -> float:
    """Return the CPU seconds of the threads a process has now, to the nanosecond; those that ended are left out."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def spend(command: Sequence[str], env: Mapping[str, str]) -> tuple[float, float]:
    """Run a command; return its CPU seconds and its wall seconds. Raises CalledProcessError when it fails."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - begun
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall
