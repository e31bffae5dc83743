"""Sleeping until something is due or something changes, whichever comes first."""

from __future__ import annotations

import asyncio

from homarus.clock import Clock


async def nap(clock: Clock, woken: asyncio.Event, pause: float | None) -> None:
    """Sleep `pause` seconds, without end when it is None, but no longer than until `woken` is set."""
    if pause is None:
        await woken.wait()
        return
    waking = asyncio.ensure_future(woken.wait())
    sleeping = asyncio.ensure_future(clock.sleep(pause))
    try:
        await asyncio.wait((waking, sleeping), return_when=asyncio.FIRST_COMPLETED)
    finally:
        waking.cancel()
        sleeping.cancel()
