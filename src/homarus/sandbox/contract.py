"""What a sandbox is: an OS boundary inside which one command runs on one workspace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field


class Limits(Struct, frozen=True):
    """Ceilings of one command: wall time in seconds, sizes in bytes."""

    timeout: float = 120.0
    output_bytes: int = 200_000
    memory_bytes: int = 1_073_741_824
    file_bytes: int = 1_073_741_824
    processes: int = 256
    cpu_seconds: int = 300


class Command(Struct, frozen=True):
    """One command. `argv` is executed as it is; `cwd` is relative to the workspace; `env` is the whole environment
    besides PATH, HOME, LANG and TERM, which the sandbox sets."""

    argv: tuple[str, ...]
    workspace: Path
    cwd: str = "."
    env: dict[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    limits: Limits = field(default_factory=Limits)


class Completion(Struct, frozen=True):
    """How a command ended. `exit_code` is negative for a signal. `output` is stdout and stderr interleaved as bytes
    arrived, decoded with replacement, cut in the middle at the limit (`is_truncated`)."""

    exit_code: int
    output: str
    is_truncated: bool
    is_timed_out: bool
    duration_ms: int


class Probe(Struct, frozen=True):
    """Whether a backend works here; `fix` is the command that makes it work."""

    name: str
    is_available: bool
    detail: str
    fix: str | None = None


class Sandbox(Protocol):
    """One backend. Calls may run in parallel."""

    @property
    def name(self) -> str:
        """Short name shown in status, e.g. `bubblewrap`."""
        ...

    async def probe(self) -> Probe:
        """Tell whether this backend works here, by running something in it. Never raises."""
        ...

    async def run(
        self,
        command: Command,
        on_output: Callable[[str], None] | None = None,
        on_start: Callable[[int], None] | None = None,
    ) -> Completion:
        """Run a command to its end; `on_output` receives decoded pieces as they arrive, and `on_start` the process
        number of the command as this machine knows it, before any output. Neither may block.

        Cancelling the task kills every process of the command. Raises Permanent when the sandbox cannot be set up.
        """
        ...
