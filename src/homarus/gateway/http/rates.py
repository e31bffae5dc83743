"""How much one caller may ask: so many calls per window, and so many at once. Memory per caller is constant."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from homarus.gateway.http.refusal import too_many

if TYPE_CHECKING:
    from homarus.clock import Clock

MAX_CALLERS: Final = 10_000
"""Callers remembered at once; the least recently seen are forgotten first."""
MAX_AT_ONCE: Final = 64
"""Requests of one caller that may be worked on at once."""


class _Bucket(Struct):
    """What a caller has left, and when that was counted (monotonic seconds)."""

    left: float
    at: float


class CallerRates:
    """Counts the calls of authenticated callers, over every surface that asks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._active: Counter[str] = Counter()

    def take(self, key: str, limit: int, window: float, calls: int = 1) -> None:
        """Count calls; `limit` per `window` seconds refill evenly. Raises HttpRefusal 429, counting nothing."""
        now = self._clock.monotonic()
        bucket = self._buckets.setdefault(key, _Bucket(limit, now))
        self._buckets.move_to_end(key)
        while len(self._buckets) > MAX_CALLERS:
            self._buckets.popitem(last=False)
        bucket.left = min(limit, bucket.left + (now - bucket.at) * limit / window)
        bucket.at = now
        if bucket.left < calls:
            wait = (min(calls, limit) - bucket.left) * window / limit
            raise too_many(wait, f"more than {limit} calls in {window:g} s; wait and try again")
        bucket.left -= calls

    @contextmanager
    def working(self, key: str) -> Generator[None]:
        """Count a request while it is worked on. Raises HttpRefusal 429 when there are too many."""
        if self._active[key] >= MAX_AT_ONCE:
            raise too_many(1, f"more than {MAX_AT_ONCE} requests at once; wait for an answer first")
        self._active[key] += 1
        try:
            yield
        finally:
            self._active[key] -= 1
            if not self._active[key]:
                del self._active[key]
