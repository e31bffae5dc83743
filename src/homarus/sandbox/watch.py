"""Waits for file descriptors on whichever event loop runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def wait_readable(fd: int) -> None:
    """Return when `fd` can be read; a pidfd can be once its process has ended."""
    await drain(fd, lambda: False)


async def drain(fd: int, step: Callable[[], bool]) -> None:
    """Call `step` each time `fd` can be read, until it returns False. What it raises is raised here."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def advance() -> None:
        if done.done():
            return
        try:
            goes_on = step()
        except Exception as error:  # noqa: BLE001 - handed to the waiting task, which raises it
            done.set_exception(error)
            return
        if not goes_on:
            done.set_result(None)

    loop.add_reader(fd, advance)
    try:
        await done
    finally:
        loop.remove_reader(fd)
