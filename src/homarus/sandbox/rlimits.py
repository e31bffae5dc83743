"""Kernel ceilings of one command, set on its first process before it runs anything.

They are per process, except the number of processes, which counts within the sandbox's own user namespace. The kernel
exempts processes of real root from that one: a gateway running as root has no process ceiling.
"""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

from homarus.sandbox.contract import Limits

OPEN_FILES = 1024
# address space is reserved far beyond use by common runtimes, so it is held to a multiple of the memory ceiling
ADDRESS_SPACE_FACTOR = 16
VICTIM_SCORE = "1000"


def apply_limits(pid: int, limits: Limits) -> None:
    """Set all ceilings on `pid`. Raises OSError when the kernel refuses, as for a process that is gone."""
    _set(pid, resource.RLIMIT_CORE, 0)
    _set(pid, resource.RLIMIT_NOFILE, OPEN_FILES)
    _set(pid, resource.RLIMIT_FSIZE, limits.file_bytes)
    _set(pid, resource.RLIMIT_DATA, limits.memory_bytes)
    _set(pid, resource.RLIMIT_AS, limits.memory_bytes * ADDRESS_SPACE_FACTOR)
    _set(pid, resource.RLIMIT_CPU, limits.cpu_seconds)
    _set(pid, resource.RLIMIT_NPROC, limits.processes)
    # when the machine runs out of memory the kernel takes the command, not the gateway
    with suppress(PermissionError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(VICTIM_SCORE)


def _set(pid: int, kind: int, value: int) -> None:
    _, hard = resource.prlimit(pid, kind)
    ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.prlimit(pid, kind, (ceiling, ceiling))
