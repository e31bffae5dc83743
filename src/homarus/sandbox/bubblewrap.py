"""The default backend on Linux: bubblewrap with empty network, no host files, no capabilities and a syscall filter.

It needs no daemon and no root. Files made in the workspace belong to whoever runs the gateway, so that should be an
account of its own and not root; under root the kernel also exempts commands from the process ceiling.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from homarus.clock import Clock, SystemClock
from homarus.errors import Permanent, UserError
from homarus.sandbox.contract import Command, Completion, Limits, Probe
from homarus.sandbox.diagnosis import explain_failure, install_command
from homarus.sandbox.launch import Launch
from homarus.sandbox.output import OutputBuffer
from homarus.sandbox.watch import drain, wait_readable

log = logging.getLogger(__name__)

READ_BYTES = 65_536
MAX_STDIN = 1_000_000  # what a pipe holds without privileges (/proc/sys/fs/pipe-max-size), less some
MAX_SIGNAL = 64
FLOOD_BYTES = 268_435_456  # a command that writes more than 256 MiB is stopped: reading it costs the gateway CPU
PROBE_SECONDS = 20.0
SETUP_SECONDS = 2.0
END_SECONDS = 10.0
MAX_PARALLEL = 64
PROGRAM_PATH = "/usr/bin:/bin:/usr/local/bin"
PROBE_ARGV = ("/bin/sh", "-c", "echo ready")
PROBE_LIMITS = Limits(timeout=PROBE_SECONDS, output_bytes=4_096)


class Bubblewrap:
    """Runs each command in a sandbox of its own; implements homarus.sandbox.contract.Sandbox.

    `read_only` are further host folders shown to commands. Keep the instance for as long as the process lives: bwrap
    dies with the *thread* that started it, and these threads belong to the instance.
    """

    def __init__(
        self, clock: Clock | None = None, *, program: str | None = None, read_only: Iterable[Path] = ()
    ) -> None:
        self._clock = clock or SystemClock()
        self._program = program or shutil.which("bwrap", path=PROGRAM_PATH)
        self._read_only = tuple(read_only)
        self._starters = ThreadPoolExecutor(2, thread_name_prefix="sandbox-start")
        self._slots = asyncio.Semaphore(MAX_PARALLEL)

    @property
    def name(self) -> str:
        """Short name shown in status."""
        return "bubblewrap"

    async def probe(self) -> Probe:
        """Tell whether a command runs here, by running one."""
        if self._program is None:
            return Probe(self.name, is_available=False, detail="bubblewrap is not installed", fix=install_command())
        try:
            with tempfile.TemporaryDirectory(prefix="homarus-probe-") as workspace:
                done = await self.run(Command(PROBE_ARGV, Path(workspace), limits=PROBE_LIMITS))
        except OSError as error:
            return Probe(
                self.name, is_available=False, detail=f"no temporary folder: {error}", fix="free some disk space"
            )
        except (Permanent, UserError) as error:
            return Probe(self.name, is_available=False, detail=error.message, fix=error.fix)
        if done.exit_code == 0 and done.output == "ready\n":
            return Probe(self.name, is_available=True, detail=self._program)
        detail = f"a test command ended with exit code {done.exit_code}: {done.output[:300]}"
        return Probe(self.name, is_available=False, detail=detail, fix="homarus doctor")

    async def run(
        self,
        command: Command,
        on_output: Callable[[str], None] | None = None,
        on_start: Callable[[int], None] | None = None,
    ) -> Completion:
        """Run a command to its end. Raises UserError for a command that cannot be started as asked, and Permanent
        (with the fix) when the sandbox cannot be set up."""
        _check(command)
        output = OutputBuffer(command.limits.output_bytes, on_output)
        async with self._slots:
            started = self._clock.monotonic()
            launch = await self._launch(command)
            is_timed_out = await self._finish(launch, command, output, on_start)
            duration = int((self._clock.monotonic() - started) * 1000)
            return _complete(launch, output, duration, is_timed_out=is_timed_out)

    async def _launch(self, command: Command) -> Launch:
        """Start bwrap on a thread, because waiting for its exec would hold up the loop."""
        program = self._program
        if program is None:
            raise Permanent("no sandbox: bubblewrap is not installed", fix=install_command())
        loop = asyncio.get_running_loop()
        starting = loop.run_in_executor(self._starters, Launch, program, command, self._read_only)
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            with suppress(OSError, UserError):
                launch = await starting
                await _end(launch)
            raise
        except OSError as error:
            raise Permanent(f"no sandbox: {program} cannot be started: {error}", fix=install_command()) from error

    async def _finish(
        self, launch: Launch, command: Command, output: OutputBuffer, on_start: Callable[[int], None] | None
    ) -> bool:
        """Follow the command to its end; return whether it ran out of time. Nothing of it is left afterwards."""
        try:
            async with asyncio.timeout(command.limits.timeout):
                await _follow(launch, output, on_start)
        except TimeoutError:
            return True
        except OSError as error:
            raise Permanent(f"no sandbox: the command's limits could not be set: {error}") from error
        finally:
            await _end(launch)
        return False


async def _follow(launch: Launch, output: OutputBuffer, on_start: Callable[[int], None] | None) -> None:
    """Release the command, read its output and wait for bwrap."""
    await drain(launch.status, lambda: _seeks_init(launch))
    if launch.is_started:
        pid = launch.release()
        if on_start is not None:
            on_start(pid)
    await drain(launch.output, lambda: _take(launch.output, output))
    if output.total < FLOOD_BYTES:
        await wait_readable(launch.monitor)
        launch.read_status()


def _take(fd: int, output: OutputBuffer) -> bool:
    """Read one piece; return whether there is more to come."""
    try:
        data = os.read(fd, READ_BYTES)
    except BlockingIOError:
        return True
    output.feed(data)
    return bool(data) and output.total < FLOOD_BYTES


async def _end(launch: Launch) -> None:
    """Kill whatever is left and wait until it is gone."""
    try:
        # killing bwrap before its child is tied to it would leave the child behind
        with suppress(TimeoutError):
            async with asyncio.timeout(SETUP_SECONDS):
                if not launch.is_started:
                    await drain(launch.status, lambda: _seeks_init(launch))
        launch.kill()
        async with asyncio.timeout(END_SECONDS):
            if launch.is_started:
                await wait_readable(launch.init)
            await wait_readable(launch.monitor)
        launch.reap()
    except TimeoutError:
        log.warning("a sandboxed command was killed but has not ended after %s s", END_SECONDS)
    finally:
        launch.kill()
        launch.close()


def _seeks_init(launch: Launch) -> bool:
    """Read what bwrap reports; return whether its child is still to be found."""
    return launch.read_status() and not launch.find_init()


def _complete(launch: Launch, output: OutputBuffer, duration_ms: int, *, is_timed_out: bool) -> Completion:
    text = output.text()
    is_flood = output.total >= FLOOD_BYTES
    if is_flood:
        text += f"\n[stopped: it wrote more than {FLOOD_BYTES // 1_048_576} MiB]"
    code = launch.exit_code
    if code is None:
        own = launch.own_exit_code
        # What was killed here may have ended by itself when its own child was gone, before its signal came.
        if own is not None and own >= 0 and not (is_timed_out or is_flood):
            raise explain_failure(text)
        code = -signal.SIGKILL
    elif 128 < code <= 128 + MAX_SIGNAL:
        code = 128 - code  # bwrap reports a signal as shells do
    return Completion(code, text, output.is_truncated, is_timed_out, duration_ms)


def _check(command: Command) -> None:
    if not command.argv or not command.argv[0]:
        raise UserError("the command is empty; give a program and its arguments")
    if any("\0" in argument for argument in command.argv):
        raise UserError("the command contains a NUL character; remove it")
    if len(command.stdin) > MAX_STDIN:
        raise UserError(f"stdin is {len(command.stdin)} bytes; at most {MAX_STDIN} fit: write them to a file instead")
    if not command.workspace.is_absolute() or command.workspace == Path("/"):
        raise UserError(f"workspace {str(command.workspace)!r} must be an absolute path and not the root folder")
    if not command.workspace.is_dir():
        raise UserError(f"workspace {str(command.workspace)!r} is not a folder; create it or correct its path")
