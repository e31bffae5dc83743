"""The command line in processes forked from one that has loaded it: else a test run spends half its time on imports.

A fork has its own arguments, environment, files, signals and end, as a process that was started has. That a fresh
interpreter does the same is shown by the tests that start one: of the pages, of `homarus up`, and tests/cli.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from msgspec import Struct

from homarus.cli.tree import COMMANDS
from homarus.gateway.operations.catalogue import OPERATIONS

LOOK = 0.01
"""Seconds between two looks whether a process has ended."""
FILES = ("stdin", "stdout", "stderr")
_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        *(__name__, "typer.main", "homarus.cli.serving", "homarus.gateway.app"),
        *(entry.module for entry in COMMANDS),
        *(f"homarus.gateway.operations.{name}" for name in OPERATIONS),
        *("homarus.channels.irc.channel", "homarus.channels.telegram.channel"),
        *("homarus.storage.postgres", "homarus.storage.upgrade"),
    ]
)


class Forked(Struct):
    """A running command. `returncode` is None while it lives, the negative signal when one killed it."""

    process: ForkServerProcess

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        return self.process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait for its end and return its exit code."""
        while (code := self.returncode) is None:
            await asyncio.sleep(LOOK)
        return code


def fork(arguments: tuple[str, ...], env: Mapping[str, str], stdin: Path, stdout: Path, stderr: Path) -> Forked:
    """Begin `homarus …` with a whole environment and the files it reads and appends to."""
    process = _CONTEXT.Process(target=_live, args=(arguments, dict(env), (stdin, stdout, stderr)), daemon=True)
    process.start()
    return Forked(process)


def _live(arguments: tuple[str, ...], env: dict[str, str], files: tuple[Path, Path, Path]) -> None:
    """Be the command, in the forked process."""
    os.environ.clear()
    os.environ.update(env)
    for descriptor, (path, name) in enumerate(zip(files, FILES, strict=True)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND if descriptor else os.O_RDONLY, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
        stream = os.fdopen(descriptor, "w" if descriptor else "r", encoding="utf-8", closefd=False)
        stream.reconfigure(write_through=bool(descriptor), errors="backslashreplace" if descriptor == 2 else "strict")
        setattr(sys, name, stream)
    from homarus.cli.main import run  # noqa: PLC0415 - loaded by the process this one was forked from

    sys.argv = ["homarus", *arguments]
    try:
        code = run(arguments)
    except BaseException:  # noqa: BLE001 - what an interpreter does at the end of a program
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    os._exit(code)
