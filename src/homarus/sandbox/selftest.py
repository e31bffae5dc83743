"""Proves what the sandbox blocks on this machine, by trying it inside and, as the control, outside."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

from msgspec import Struct

from homarus.clock import SystemClock
from homarus.errors import Permanent
from homarus.sandbox import attacks
from homarus.sandbox.bubblewrap import Bubblewrap
from homarus.sandbox.contract import Command, Limits

LIMITS = Limits(timeout=30.0)
CONTROL_SECONDS = 30.0
CANARY = "HOMARUS_CHECK_CANARY"
Results = dict[str, str | None]


class Check(Struct, frozen=True):
    """One attack. `is_proven` False: it does not work outside the sandbox either, so that blocking shows nothing."""

    name: str
    is_blocked: bool
    is_proven: bool
    detail: str


async def check_bubblewrap() -> list[Check]:
    """Try every attack and return what became of it. Raises Permanent when the sandbox cannot run at all."""
    sandbox = Bubblewrap(read_only=_interpreter_folders())
    argv = await asyncio.to_thread(_attack_argv)
    with _bait() as bait, tempfile.TemporaryDirectory(prefix="homarus-check-") as workspace:
        stdin = json.dumps(bait).encode()
        done = await sandbox.run(Command(argv, Path(workspace), stdin=stdin, limits=LIMITS))
        control = await _run_outside(argv, stdin, bait)
    inside = _results(done.output)
    return [_compare(name, inside[name], control[name]) for name in attacks.ATTACKS]


def _compare(name: str, inside: str | None, outside: str | None) -> Check:
    detail = "it works inside the sandbox" if inside is None else inside
    if outside is not None:
        detail += f"; outside it does not work either: {outside}"
    return Check(name, is_blocked=inside is not None, is_proven=outside is None, detail=detail)


def _attack_argv() -> tuple[str, ...]:
    return (str(Path(sys.executable).resolve()), "-I", "-S", "-c", Path(attacks.__file__).read_text())


def _interpreter_folders() -> tuple[Path, ...]:
    """Return what the interpreter needs besides /usr."""
    prefix = Path(sys.base_prefix).resolve()
    return () if prefix.is_relative_to("/usr") else (prefix,)


async def _run_outside(argv: tuple[str, ...], stdin: bytes, bait: attacks.Bait) -> Results:
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        pass_fds=(bait["fd"],),
    )
    try:
        async with asyncio.timeout(CONTROL_SECONDS):
            output, _ = await process.communicate(stdin)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    return _results(output.decode(errors="replace"))


def _results(output: str) -> Results:
    try:
        return cast("Results", json.loads(output))
    except ValueError as error:
        raise Permanent(f"the sandbox check did not run: {output[:300]!r}", fix="homarus doctor") from error


@contextmanager
def _bait() -> Generator[attacks.Bait]:
    """Plant a secret file, an inheritable fd of it, a variable, a port and an abstract socket until it is over."""
    clock = SystemClock()
    secret, name = clock.token(16), f"homarus-check-{clock.token(8)}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="homarus-bait-")))
        file = folder / "secret"
        file.write_text(secret)
        fd = os.open(file, os.O_RDONLY)
        stack.callback(os.close, fd)
        os.set_inheritable(fd, True)  # noqa: FBT003 - its only, positional parameter
        os.putenv(CANARY, secret)
        stack.callback(os.unsetenv, CANARY)
        port = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind("\0" + name)
        abstract.listen()
        yield attacks.Bait(
            file=str(file),
            folder=str(folder),
            port=cast("int", port.getsockname()[1]),
            abstract=name,
            fd=fd,
            secret=secret,
            pid=os.getpid(),
            cmdline=Path("/proc/self/cmdline").read_bytes().hex(),
        )
