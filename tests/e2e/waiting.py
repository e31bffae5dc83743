"""Waiting for what another process does: looked at again and again until it is so, at most a given time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
STEP = 0.02
"""Seconds between two looks."""


async def until(look: Callable[[], T], what: str, *, timeout: float = 45.0) -> T:
    """Return the first true result of `look`. Raises AssertionError, saying what was awaited, when it stays false."""
    try:
        async with asyncio.timeout(timeout):
            while not (found := look()):
                await asyncio.sleep(STEP)
    except TimeoutError:
        raise AssertionError(f"after {timeout} s still not: {what}") from None
    return found


async def eventually(ask: Callable[[], Awaitable[T]], wanted: T, *, timeout: float = 45.0) -> None:
    """Ask until the answer is the wanted one. Raises AssertionError with the last answer."""
    last = await ask()
    try:
        async with asyncio.timeout(timeout):
            while last != wanted:
                await asyncio.sleep(STEP)
                last = await ask()
    except TimeoutError:
        raise AssertionError(f"after {timeout} s it is {last}, not {wanted}") from None
