"""What waits to be sent to one client: in order, counted in bytes, numbered without gaps."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from homarus.protocol.frames import MAX_BUFFERED

STALL_TIMEOUT = 120.0
"""Seconds one frame may take to leave; a client that reads nothing for that long is gone."""


class SlowConsumer(Exception):
    """A client does not read what it is sent."""


class ClientOutbox:
    """Frames for one client. `put` never waits; when more than `limit` bytes wait, the client is too slow."""

    def __init__(self, limit: int = MAX_BUFFERED) -> None:
        self._frames: deque[bytes] = deque()
        self._limit = limit
        self._buffered = 0
        self._seq = 0
        self._wake = asyncio.Event()
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
        if self.is_full:
            self._is_overflowing = True
            self._frames.clear()
        else:
            self._frames.append(frame)
            self._buffered += len(frame)
        self._wake.set()

    def put_numbered(self, event: bytes) -> None:
        """Queue an encoded event, given without its closing brace, with the connection's next `seq`."""
        self._seq += 1
        self.put(b'%b,"seq":%d}' % (event, self._seq))

    def close(self) -> None:
        """Take no more; `drain` ends after what is queued."""
        self._is_closed = True
        self._wake.set()

    async def drain(self, send: Callable[[bytes], Awaitable[None]]) -> None:
        """Send what is queued until closed. Raises SlowConsumer, and what `send` raises."""
        while True:
            while self._frames:
                frame = self._frames.popleft()
                try:
                    async with asyncio.timeout(STALL_TIMEOUT):
                        await send(frame)
                except TimeoutError:
                    raise SlowConsumer from None
                finally:
                    self._buffered -= len(frame)
            if self._is_overflowing:
                raise SlowConsumer
            if self._is_closed:
                return
            self._wake.clear()
            await self._wake.wait()
