"""Running one program without a shell: its own process group, bounded output, killed on time."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from msgspec import Struct

from homarus.nodes.host.failure import denied

MAX_OUTPUT: Final = 200_000
"""Bytes of stdout and stderr together that are kept (reference nodes §5)."""
TRUNCATED: Final = "... (truncated)"
_CHUNK: Final = 64 * 1024
_REAP: Final = 5.0
"""Seconds a killed program and its pipes get to go."""


class Finished(Struct, frozen=True):
    """How a program ended. `exit_code` None when a signal ended it."""

    exit_code: int | None
    stdout: str
    stderr: str
    is_timed_out: bool = False

    def shown(self) -> dict[str, object]:
        """Return the result of `system.run`."""
        body: dict[str, object] = {} if self.exit_code is None else {"exitCode": self.exit_code}
        is_good = self.exit_code == 0 and not self.is_timed_out
        return {
            **body,
            "timedOut": self.is_timed_out,
            "success": is_good,
            "stdout": self.stdout,
            "stderr": self.stderr,
            "error": None,
        }


class _Kept:
    """What a program wrote, within one limit for both streams."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.err = bytearray()
        self.is_cut = False

    async def read(self, stream: asyncio.StreamReader, into: bytearray) -> None:
        while chunk := await stream.read(_CHUNK):
            room = MAX_OUTPUT - len(self.out) - len(self.err)
            into += chunk[: max(0, room)]
            self.is_cut = self.is_cut or len(chunk) > room


async def run_program(
    argv: tuple[str, ...], cwd: str | None, variables: Mapping[str, str], timeout: float | None
) -> Finished:
    """Run a program to its end. `timeout` in seconds, None for none. Raises CommandFailed when it cannot start."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=cwd,
            env=dict(variables),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise denied(f"cannot run {argv[0]}: {error}", "spawn-failed") from error
    try:
        return await _finish(process, timeout)
    finally:
        _kill(process)
        with suppress(TimeoutError):
            async with asyncio.timeout(_REAP):
                await process.wait()


async def _finish(process: asyncio.subprocess.Process, timeout: float | None) -> Finished:
    kept, is_timed_out = _Kept(), False
    if process.stdout is None or process.stderr is None:
        raise AssertionError("both are pipes")
    reading = asyncio.gather(kept.read(process.stdout, kept.out), kept.read(process.stderr, kept.err))
    try:
        async with asyncio.timeout(timeout):
            await process.wait()
    except TimeoutError:
        is_timed_out = True
        _kill(process)
    # A child that outlives the program may hold its pipes open for ever.
    with suppress(TimeoutError):
        async with asyncio.timeout(_REAP):
            await reading
    code = process.returncode
    out, err = kept.out.decode("utf-8", "replace"), kept.err.decode("utf-8", "replace")
    if kept.is_cut:
        out, err = (out, err + TRUNCATED) if err.strip() else (out + TRUNCATED, err)
    return Finished(code if code is not None and code >= 0 and not is_timed_out else None, out, err, is_timed_out)


def _kill(process: asyncio.subprocess.Process) -> None:
    """End the program and everything it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
