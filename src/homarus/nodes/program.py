"""Sending something through a program of this machine: its own process group, bounded output, killed on time."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from homarus.errors import UserError

MAX_ERROR: Final = 4_000
_CHUNK: Final = 64 * 1024
_REAP: Final = 5.0
"""Seconds a killed program gets to go."""


class ProgramFailed(UserError):
    """A program could not be run, failed, or wrote too much; `is_flood` for the last."""

    def __init__(self, message: str, *, is_flood: bool = False) -> None:
        super().__init__(message)
        self.is_flood = is_flood


async def pipe(argv: tuple[str, ...], data: bytes, variables: Mapping[str, str], limit: int) -> bytes:
    """Give a program `data` and return what it wrote, at most `limit` bytes; ended when cancelled.

    Raises ProgramFailed.
    """
    name = argv[0].rpartition("/")[2]
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            env=dict(variables),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise ProgramFailed(f"{name} cannot be run: {error}") from error
    try:
        return await _exchange(process, name, data, limit)
    finally:
        _kill(process)
        with suppress(TimeoutError):
            async with asyncio.timeout(_REAP):
                await process.wait()


async def _exchange(process: asyncio.subprocess.Process, name: str, data: bytes, limit: int) -> bytes:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise AssertionError("all three are pipes")
    async with asyncio.TaskGroup() as group:
        group.create_task(_write(process.stdin, data))
        reading = group.create_task(_read_all(process, limit))
        complaint = group.create_task(_read_some(process.stderr))
    code, written = await process.wait(), reading.result()
    if len(written) > limit:
        raise ProgramFailed(f"{name} wrote more than {limit // 2**20} MB", is_flood=True)
    if code != 0 or not written:
        lines = complaint.result().decode("utf-8", "replace").strip().splitlines()
        raise ProgramFailed(f"{name} failed: {lines[-1][:200] if lines else f'exit code {code}'}")
    return written


async def _write(stream: asyncio.StreamWriter, data: bytes) -> None:
    with suppress(ConnectionError, BrokenPipeError):
        stream.write(data)
        await stream.drain()
        stream.close()


async def _read_all(process: asyncio.subprocess.Process, limit: int) -> bytes:
    """Return what a program writes; one that writes too much is ended."""
    found = bytearray()
    while process.stdout is not None and (chunk := await process.stdout.read(_CHUNK)):
        found += chunk
        if len(found) > limit:
            _kill(process)
            break
    return bytes(found)


async def _read_some(stream: asyncio.StreamReader) -> bytes:
    """Return the end of what a program complains of."""
    found = b""
    while chunk := await stream.read(_CHUNK):
        found = (found + chunk)[-MAX_ERROR:]
    return found


def _kill(process: asyncio.subprocess.Process) -> None:
    """End the program and everything it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
