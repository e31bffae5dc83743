"""Programs of either side: run to their end, or kept running and listened to. Everything has a time limit."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.report import Mismatch

PATIENCE = 90.0
"""Seconds for one command; a Node program of this size takes two to four to start on two busy cores."""
LINE_LIMIT = 8 * 1024 * 1024
_KEPT = ("PATH", "LANG", "TZ", "XDG_RUNTIME_DIR")


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str

    def text(self) -> str:
        """Return what it printed. Raises Mismatch when it failed."""
        if self.code != 0:
            raise Mismatch(f"exit code {self.code}: {_end(self.err or self.out)}")
        return self.out

    def json(self) -> Any:
        """Return the JSON it printed, which may follow lines of notices. Raises Mismatch when there is none."""
        text = self.text()
        for at in (at for at, sign in enumerate(text) if sign in "[{" and (at == 0 or text[at - 1] == "\n")):
            with contextlib.suppress(ValueError):
                return json.loads(text[at:])
        if text.strip() == "null":
            return None
        raise Mismatch(f"no JSON in: {_end(text)}")


def environment(extra: Mapping[str, str], *, first_on_path: Path | None = None) -> dict[str, str]:
    """Return an environment with nothing of the caller's configuration."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    if first_on_path is not None:
        kept["PATH"] = f"{first_on_path}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return {**kept, "NO_COLOR": "1", **extra}


async def run(command: Sequence[str], env: Mapping[str, str], *, text: str = "", timeout: float = PATIENCE) -> Finished:
    """Run a command to its end. Raises Mismatch when it takes longer than `timeout` seconds."""
    process = await start(command, env, stderr=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(timeout):
            out, err = await process.communicate(text.encode())
    except TimeoutError:
        raise Mismatch(f"did not end within {timeout:g} s: {' '.join(command[1:])[-120:]}") from None
    finally:
        await end(process)
    return Finished(process.returncode or 0, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


class Running:
    """A program that goes on: `said` is all it printed so far, standard error included."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""
        self._news = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        if self.process.stdout is None:
            raise AssertionError("started with a pipe")
        while piece := await self.process.stdout.read(65_536):
            async with self._news:
                self.said += piece.decode("utf-8", "replace")
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()

    async def wait_for(self, text: str, timeout: float = PATIENCE, after: int = 0) -> str:
        """Wait until `text` was printed behind position `after`, and return its line. Raises Mismatch."""
        try:
            async with asyncio.timeout(timeout), self._news:
                while text not in self.said[after:]:
                    if self._reader.done():
                        raise Mismatch(f"ended without saying {text!r}: {_end(self.said)}")
                    await self._news.wait()
        except TimeoutError:
            raise Mismatch(f"did not say {text!r} within {timeout:g} s: {_end(self.said)}") from None
        return next(line for line in self.said[after:].splitlines() if text in line)

    async def stop(self) -> None:
        """End it and everything it started."""
        await end(self.process)
        await self._reader


@asynccontextmanager
async def running(command: Sequence[str], env: Mapping[str, str]) -> AsyncGenerator[Running]:
    """Keep a program running until the block ends."""
    process = await start(command, env, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.STDOUT)
    program = Running(process)
    try:
        yield program
    finally:
        await program.stop()


async def start(
    command: Sequence[str], env: Mapping[str, str], *, stdin: int = asyncio.subprocess.PIPE, stderr: int
) -> asyncio.subprocess.Process:
    """Start a program in a group of its own, so that `end` reaches what it starts; its output is piped."""
    return await asyncio.create_subprocess_exec(
        *command,
        env=env,
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
        limit=LINE_LIMIT,
    )


async def end(process: asyncio.subprocess.Process, grace: float = 5.0) -> None:
    """End a program and its group: politely, then not."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), grace)


def _end(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return " / ".join([*lines[:2], "…", *lines[-2:]] if len(lines) > 4 else lines)[:600] or "nothing was printed"
