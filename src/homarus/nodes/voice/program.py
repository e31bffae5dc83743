"""Sending something through a program of this machine: its own process group, bounded output, killed on time."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from homarus.nodes.voice.contract import MAX_AUDIO, SpeechFailed

MAX_ERROR: Final = 4_000
_CHUNK: Final = 64 * 1024
_REAP: Final = 5.0
"""Seconds a killed program gets to go."""
_KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")


async def pipe(argv: tuple[str, ...], data: bytes, variables: Mapping[str, str]) -> bytes:
    """Give a program `data` and return what it wrote, at most MAX_AUDIO bytes; ended when cancelled.

    Raises SpeechFailed when it cannot start, writes too much or fails.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            env={name: variables[name] for name in _KEPT if name in variables},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise SpeechFailed("provider_error", f"{argv[0]} cannot be run: {error}") from error
    try:
        return await _exchange(process, argv[0], data)
    finally:
        _kill(process)
        with suppress(TimeoutError):
            async with asyncio.timeout(_REAP):
                await process.wait()


async def _exchange(process: asyncio.subprocess.Process, name: str, data: bytes) -> bytes:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise AssertionError("all three are pipes")
    async with asyncio.TaskGroup() as group:
        group.create_task(_write(process.stdin, data))
        reading = group.create_task(_read_all(process))
        complaint = group.create_task(_read_some(process.stderr))
    code, written = await process.wait(), reading.result()
    if len(written) > MAX_AUDIO:
        raise SpeechFailed("provider_error", f"{name} wrote more than {MAX_AUDIO // 2**20} MB")
    if code != 0 or not written:
        lines = complaint.result().decode("utf-8", "replace").strip().splitlines()
        why = lines[-1][:200] if lines else f"exit code {code}"
        raise SpeechFailed("provider_error", f"{name} failed: {why}")
    return written


async def _write(stream: asyncio.StreamWriter, data: bytes) -> None:
    with suppress(ConnectionError, BrokenPipeError):
        stream.write(data)
        await stream.drain()
        stream.close()


async def _read_all(process: asyncio.subprocess.Process) -> bytes:
    """Return what a program writes; one that writes too much is ended."""
    found = bytearray()
    while process.stdout is not None and (chunk := await process.stdout.read(_CHUNK)):
        found += chunk
        if len(found) > MAX_AUDIO:
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
