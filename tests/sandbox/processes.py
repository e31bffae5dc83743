"""Finds processes of the machine by a word in their command line."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from homarus.sandbox.watch import wait_readable


def find(word: str) -> list[int]:
    """Return the pids whose command line has `word` as an argument of its own."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if word.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


async def has_ended(pidfd: int, seconds: float) -> bool:
    """Tell whether the process ends within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await wait_readable(pidfd)
    except TimeoutError:
        return False
    return True


def unique_seconds() -> str:
    """Return a number of seconds nobody else sleeps, of years."""
    return f"{100_000_000 + int.from_bytes(os.urandom(3), 'big')}"
