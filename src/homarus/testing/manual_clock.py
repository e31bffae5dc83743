"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import uuid


class ManualClock:
    """Time moves by `advance`; names and numbers come from a counter, so that runs are alike."""

    def __init__(self, *, now_ms: int = 1_763_712_000_000) -> None:
        self._now = 0.0
        self._epoch_ms = now_ms
        self._count = 0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self._news = asyncio.Event()

    def now_ms(self) -> int:
        """Return wall-clock milliseconds."""
        return self._epoch_ms + round(self._now * 1000)

    def monotonic(self) -> float:
        """Return seconds since the clock was made."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved far enough."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waiter = asyncio.get_running_loop().create_future()
        entry = (self._now + seconds, waiter)
        self._sleepers.append(entry)
        self._news.set()
        try:
            await waiter
        finally:
            if entry in self._sleepers:
                self._sleepers.remove(entry)

    def advance(self, seconds: float) -> None:
        """Move the clock and wake whoever is due."""
        self._now += seconds
        for due, waiter in list(self._sleepers):
            if due <= self._now + 1e-9 and not waiter.done():
                waiter.set_result(None)

    async def sleeping(self, seconds: float) -> None:
        """Wait until somebody sleeps who will wake in `seconds` from now, give or take a millisecond."""
        while not any(abs(due - self._now - seconds) < 1e-3 for due, _ in self._sleepers):
            self._news.clear()
            await self._news.wait()

    def uuid(self) -> str:
        """Return the next UUID of the counter."""
        return str(uuid.UUID(int=self._next()))

    def token(self, size: int = 32) -> str:
        """Return the next token of the counter."""
        return f"{self._next():0{max(1, size)}d}"

    def choice(self, alphabet: str, length: int) -> str:
        """Return characters by the counter."""
        return "".join(alphabet[self._next() % len(alphabet)] for _ in range(length))

    def jitter(self) -> float:
        """Return the middle of the range."""
        return 0.5

    def _next(self) -> int:
        self._count += 1
        return self._count
