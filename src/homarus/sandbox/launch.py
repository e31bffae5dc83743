"""Starts one bubblewrap process and holds the handles by which it is limited, watched and killed.

The child stops before it runs anything (`--block-fd`), tells its pid (`--json-status-fd`), gets its ceilings, and only
then goes on. A shell inside then waits for one line on stdin before it becomes the command: if the gateway dies before
bwrap has tied itself to it (`--die-with-parent`), the line never comes and nothing runs. Options travel in memory
(`--args`), because /proc/1/cmdline is readable inside.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import cast

from homarus.sandbox.contract import Command
from homarus.sandbox.descriptors import Descriptors
from homarus.sandbox.profile import build_options, encode_options
from homarus.sandbox.rlimits import apply_limits

STATUS_BYTES = 65_536
PIPE_BYTES = 65_536
GO = b"go\n"
# POSIX shells read a line from a pipe byte by byte, so the rest of stdin stays for the command
WAIT_FOR_GO = ("/bin/sh", "-c", 'IFS= read -r go && [ "$go" = go ] && exec "$@"', "sh")


class Launch:
    """One bwrap process. Made and closed by Bubblewrap.run; `output` and `status` are readable ends of pipes,
    `monitor` is bwrap's pidfd."""

    def __init__(self, program: str, command: Command, read_only: Iterable[Path] = ()) -> None:
        """Start it; blocks until exec. Raises OSError when the program cannot be started."""
        self._fds = Descriptors()
        self._command = command
        self._status = b""
        self._init: int | None = None
        try:
            self.output, output_end = self._fds.pipe()
            self.status, status_end = self._fds.pipe()
            gate_end, self._gate = self._fds.pipe()
            stdin_end, self._stdin = self._fds.pipe()
            passed = [status_end, gate_end]
            arguments = self._open_arguments(passed, read_only)
            self._process = _spawn(program, arguments, command.argv, (stdin_end, output_end), passed)
            self.monitor = self._fds.adopt(os.pidfd_open(self._process.pid))
            self._fds.close(output_end, stdin_end, *passed)
        except BaseException:
            self._fds.close_all()
            raise
        for fd in (self.output, self.status, self._stdin):
            os.set_blocking(fd, False)

    @property
    def is_started(self) -> bool:
        """Tell whether the sandbox's pid 1 is known."""
        return self._init is not None

    @property
    def init(self) -> int:
        """Return the pidfd of the sandbox's pid 1; it ends after everything else inside has."""
        if self._init is None:
            raise RuntimeError("the sandbox's first process is not known yet")
        return self._init

    @property
    def exit_code(self) -> int | None:
        """Return the exit code bwrap reported; None when the sandbox could not be set up or was killed."""
        return self._reported("exit-code")

    def read_status(self) -> bool:
        """Take what arrived on `status`; return False at its end."""
        try:
            data = os.read(self.status, STATUS_BYTES)
        except BlockingIOError:
            return True
        self._status = (self._status + data)[-STATUS_BYTES:]
        return bool(data)

    def find_init(self) -> bool:
        """Take hold of the sandbox's pid 1 once bwrap has told its pid; return whether it has.

        Until it is released that process waits, and bwrap has not collected it, so the pid cannot be anyone else's.
        """
        pid = self._reported("child-pid")
        if self._init is None and pid is not None:
            self._init = self._fds.adopt(os.pidfd_open(pid))
        return self._init is not None

    def release(self) -> int:
        """Set the ceilings, let the command run and return its process number, which is that of the sandbox's pid 1.

        Raises OSError when the kernel refuses the ceilings.
        """
        pid = self._reported("child-pid")
        if pid is None:
            raise RuntimeError("the sandbox's first process is not known yet")
        apply_limits(pid, self._command.limits)
        data = GO + self._command.stdin
        if len(data) > PIPE_BYTES:
            fcntl.fcntl(self._stdin, fcntl.F_SETPIPE_SZ, len(data))
        os.write(self._stdin, data)
        os.write(self._gate, b"x")
        self._fds.close(self._gate, self._stdin)
        return pid

    def kill(self) -> None:
        """Kill everything inside, and bwrap itself; safe at any time."""
        if self._init is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._init, signal.SIGKILL)
        self._process.kill()

    def reap(self) -> None:
        """Collect bwrap itself, after `monitor` became readable, and what it left behind.

        It does not collect the sandbox's pid 1, which is ours when this process is the first of a container.
        """
        self._process.wait()
        if self._init is not None:
            with suppress(ChildProcessError):
                os.waitid(os.P_PIDFD, self._init, os.WEXITED | os.WNOHANG)

    @property
    def own_exit_code(self) -> int | None:
        """Return how bwrap itself ended, negative for a signal; None until `reap`."""
        return self._process.returncode

    def close(self) -> None:
        """Close every handle; what goes on then is no longer watched."""
        self._init = None
        self._fds.close_all()

    def _open_arguments(self, passed: list[int], read_only: Iterable[Path]) -> int:
        """Return the fd bwrap reads its options from, and add every fd it needs to `passed`."""

        def open_data(content: bytes) -> int:
            passed.append(self._fds.data(content))
            return passed[-1]

        options = ["--json-status-fd", str(passed[0]), "--block-fd", str(passed[1])]
        return open_data(encode_options([*build_options(self._command, open_data, read_only), *options]))

    def _reported(self, key: str) -> int | None:
        for line in self._status.splitlines():
            with suppress(ValueError):
                value: object = json.loads(line)
                number = cast("dict[str, object]", value).get(key) if isinstance(value, dict) else None
                if isinstance(number, int):
                    return number
        return None


def _spawn(
    program: str, arguments: int, argv: tuple[str, ...], streams: tuple[int, int], passed: list[int]
) -> subprocess.Popen[bytes]:
    # bwrap stays as pid 1 inside, where its environment and fds can be read: it gets none of ours
    return subprocess.Popen(  # noqa: S603 - argv is what the sandbox is for
        [program, "--args", str(arguments), "--", *WAIT_FOR_GO, *argv],
        stdin=streams[0],
        stdout=streams[1],
        stderr=streams[1],
        env={},
        cwd="/",
        close_fds=True,
        pass_fds=passed,
    )
