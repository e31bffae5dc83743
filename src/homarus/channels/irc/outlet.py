"""Everything we send goes through here: at once when the protocol needs it, paced when the server counts it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from homarus.channels.irc.connection import Connection
from homarus.channels.sdk.rate import TokenBucket

_MOST_QUEUED = 128


class Outlet:
    """Sends lines on one connection."""

    def __init__(self, connection: Connection, bucket: TokenBucket) -> None:
        self._connection = connection
        self._bucket = bucket
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(_MOST_QUEUED)

    @property
    def is_lost(self) -> bool:
        """Return whether nothing can be sent any more."""
        return self._connection.is_lost

    async def now(self, data: bytes) -> None:
        """Send a line that servers do not count as flooding (PING, PONG). Raises Transient."""
        await self._connection.write(data)

    async def paced(self, data: bytes, *, before: Callable[[], None] | None = None) -> None:
        """Send a line when the pace allows it; `before` is called when it is about to be written. Raises Transient."""
        await self._bucket.acquire()
        if before is not None and not self._connection.is_lost:
            before()
        await self._connection.write(data)

    async def spare(self, data: bytes) -> bool:
        """Send a line if the pace allows it right now; return whether it went."""
        if not self._bucket.try_acquire():
            return False
        await self._connection.write(data)
        return True

    def later(self, data: bytes) -> None:
        """Queue a line for `work`, so that the reader never waits; a line too many is dropped."""
        with contextlib.suppress(asyncio.QueueFull):
            self._queue.put_nowait(data)

    async def work(self) -> None:
        """Send queued lines at the pace, for as long as the connection lives. Raises Transient."""
        while True:
            await self.paced(await self._queue.get())
