"""What the operating system says of this process."""

from __future__ import annotations

import os
import resource
import threading
from pathlib import Path
from typing import Final

from msgspec import Struct

_STATUS: Final = Path("/proc/self/statm")
_FILES: Final = Path("/proc/self/fd")


class ProcessFacts(Struct, frozen=True):
    """Resident memory in bytes, processor time in seconds, open descriptors (None where the system does not say)."""

    resident_bytes: int
    cpu_seconds: float
    open_files: int | None
    threads: int


def read_process() -> ProcessFacts:
    """Return the facts of now."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return ProcessFacts(
        resident_bytes=_resident(usage.ru_maxrss),
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        open_files=_open_files(),
        threads=threading.active_count(),
    )


def _resident(peak_kib: int) -> int:
    """Return resident memory; its peak where /proc is missing."""
    try:
        return int(_STATUS.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return peak_kib * 1024


def _open_files() -> int | None:
    try:
        return sum(1 for _ in _FILES.iterdir()) - 1
    except OSError:
        return None
