"""Messages on their way to the journal. IRC cannot deliver again, so none is let go before it is committed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque

from homarus.channels.contract import Inbound, Ingress
from homarus.clock import Clock
from homarus.errors import StorageError

log = logging.getLogger(__name__)

_MOST_WAITING = 512
_LONGEST_PAUSE = 30.0


class Intake:
    """Hands messages in one after the other. A full intake makes the reader wait, and so the server."""

    def __init__(self, ingress: Ingress, clock: Clock) -> None:
        self._ingress = ingress
        self._clock = clock
        self._waiting: deque[Inbound] = deque()
        self._space = asyncio.Event()
        self._work = asyncio.Event()
        self._space.set()

    async def put(self, message: Inbound) -> None:
        """Add a message, waiting while there are 512."""
        await self._space.wait()
        self._waiting.append(message)
        self._work.set()
        if len(self._waiting) >= _MOST_WAITING:
            self._space.clear()

    async def work(self) -> None:
        """Hand messages in until cancelled; while the journal cannot be written, hold them and try again."""
        while True:
            await self._work.wait()
            while self._waiting:
                await self._commit(self._waiting[0])
            self._work.clear()

    async def drain(self, seconds: float) -> None:
        """Hand in what is left after the connection has ended; says how many messages could not be saved."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._waiting:
                    await self._commit(self._waiting[0])
        if self._waiting:
            log.error("irc: %d received messages could not be committed before closing", len(self._waiting))

    async def _commit(self, message: Inbound) -> None:
        pause = 1.0
        while True:
            try:
                await self._ingress.accept(message)
            except StorageError as error:
                log.warning("irc: message %s is not committed yet: %s", message.external_id, error)
                await self._clock.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                # Removed only now: a cancelled commit leaves the message for drain, and the journal knows its id.
                self._waiting.popleft()
                self._space.set()
                return
