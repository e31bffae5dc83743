"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio

from homarus.clock import SystemClock


class FakeClock(SystemClock):
    """Starts at the present; whoever sleeps wakes when `advance` has passed their time."""

    def __init__(self) -> None:
        super().__init__()
        self._now = SystemClock().now_ms() / 1000
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def advance(self, seconds: float) -> None:
        self._now += seconds
        due = [future for until, future in self._sleepers if until <= self._now and not future.done()]
        for future in due:
            future.set_result(None)

    def now_ms(self) -> int:
        return round(self._now * 1000)

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + seconds, future))
        await future
