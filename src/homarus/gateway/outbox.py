"""What waits to be sent to one client: in order, counted in bytes, numbered without gaps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from homarus.gateway.delta import Delta
from homarus.protocol.frames import MAX_BUFFERED

STALL_TIMEOUT = 120.0
"""Seconds a write may take; a client that reads nothing for that long is gone."""
BEHIND = 64 * 1024
"""Bytes that wait for a client from which on deltas are put together instead of queued."""

BATCH = 32 * 1024
"""Bytes that leave in one write: a write costs more than what it writes."""


class SlowConsumer(Exception):
    """A client does not read what it is sent."""


class ClientOutbox:
    """Frames for one client. `put` never waits; when more than `limit` bytes wait, the client is too slow."""

    def __init__(self, limit: int = MAX_BUFFERED) -> None:
        # What came, and what is being sent, newest first: two lists are a tenth of an empty deque.
        self._frames: list[bytes] = []
        self._sending: list[bytes] = []
        self._deltas: dict[str, Delta] = {}
        self._limit = limit
        self._buffered = 0
        self._seq = 0
        self._asleep: asyncio.Future[None] | None = None
        self._is_overflowing = False
        self._is_closed = False

    @property
    def buffered(self) -> int:
        """Return the bytes that wait."""
        return self._buffered

    @property
    def is_full(self) -> bool:
        """Tell whether droppable events should be dropped."""
        return self._buffered > self._limit

    def put(self, frame: bytes) -> None:
        """Queue a frame as it is."""
        if self._is_closed or self._is_overflowing:
            return
        if self._buffered > self._limit:
            self._is_overflowing = True
            self._frames.clear()
            self._sending.clear()
            self._deltas.clear()
        else:
            self._frames.append(frame)
            self._buffered += len(frame)
        self._wake()

    def put_numbered(self, event: bytes) -> None:
        """Queue an encoded event, given without its closing brace, with the connection's next `seq`."""
        if self._deltas:
            self._put_deltas()
        self._seq += 1
        self.put(b'%b,"seq":%d}' % (event, self._seq))

    def put_delta(self, delta: Delta) -> None:
        """Queue a delta, or, while the client is behind, add it to the one that waits already."""
        if self._buffered <= BEHIND and not self._deltas:
            self.put_numbered(delta.encoded)
            return
        waiting = self._deltas.get(delta.key)
        self._deltas[delta.key] = delta if waiting is None else waiting.followed_by(delta)
        self._wake()

    def skip(self) -> None:
        """Leave a number out: an event was lost, and the client shall know."""
        self._seq += 1

    def close(self) -> None:
        """Take no more; `drain` ends after what is queued."""
        self._put_deltas()
        self._is_closed = True
        self._wake()

    async def drain(self, send: Callable[[list[bytes]], Awaitable[None]]) -> None:
        """Send what is queued, several frames at once, until closed. Raises SlowConsumer, and what `send` raises."""
        while True:
            while self._frames or self._sending or self._deltas:
                if not self._frames and not self._sending:
                    self._put_deltas()
                    continue
                await self._send_next(send)
            if self._is_overflowing:
                raise SlowConsumer
            if self._is_closed:
                return
            await self._sleep()

    async def _sleep(self) -> None:
        """Wait for something to send. An event would hold the room of a queue for its waiters, ten thousand times."""
        self._asleep = asyncio.get_running_loop().create_future()
        try:
            await self._asleep
        finally:
            self._asleep = None

    def _wake(self) -> None:
        if self._asleep is not None and not self._asleep.done():
            self._asleep.set_result(None)

    async def _send_next(self, send: Callable[[list[bytes]], Awaitable[None]]) -> None:
        batch, size = self._take_batch()
        try:
            async with asyncio.timeout(STALL_TIMEOUT):
                await send(batch)
        except TimeoutError:
            raise SlowConsumer from None
        finally:
            self._buffered -= size

    def _take_batch(self) -> tuple[list[bytes], int]:
        """Return the next frames, together not much more than BATCH bytes, and how many bytes they are."""
        if not self._sending:
            self._sending, self._frames = self._frames[::-1], []
        batch = [self._sending.pop()]
        size = len(batch[0])
        while self._sending and size < BATCH:
            batch.append(self._sending.pop())
            size += len(batch[-1])
        return batch, size

    def _put_deltas(self) -> None:
        """Queue the deltas that were put together: what follows must not overtake them."""
        deltas, self._deltas = self._deltas, {}
        for delta in deltas.values():
            self.put_numbered(delta.encoded)
