"""A token bucket: a burst at once, then a steady pace."""

from __future__ import annotations

import asyncio

from homarus.clock import Clock


class TokenBucket:
    """Lets `burst` things pass at once and then one per `interval` seconds; waiters pass in the order they came."""

    def __init__(self, clock: Clock, *, burst: int, interval: float) -> None:
        self._clock = clock
        self._burst = max(1, burst)
        self._interval = max(0.0, interval)
        self._tokens = float(self._burst)
        self._filled_at = clock.monotonic()
        self._turn = asyncio.Lock()

    def try_acquire(self) -> bool:
        """Take a token if one is there and nobody waits; never waits."""
        if self._turn.locked():
            return False
        return self._take()

    async def acquire(self) -> None:
        """Take a token, waiting for it if need be."""
        async with self._turn:
            while not self._take():
                await self._clock.sleep((1.0 - self._tokens) * self._interval)

    def _take(self) -> bool:
        self._fill()
        # The tolerance keeps a waiter from sleeping for the rounding error of its own sleep.
        if self._tokens < 1.0 - 1e-6:
            return False
        self._tokens = max(0.0, self._tokens - 1.0)
        return True

    def _fill(self) -> None:
        now = self._clock.monotonic()
        gained = (now - self._filled_at) / self._interval if self._interval else float(self._burst)
        self._tokens = min(float(self._burst), self._tokens + gained)
        self._filled_at = now
