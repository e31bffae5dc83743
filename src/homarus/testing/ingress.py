"""A journal in memory: what a channel hands its messages to in tests."""

from __future__ import annotations

import asyncio

from homarus.channels.contract import Acceptance, Inbound
from homarus.errors import StorageError

PATIENCE = 45.0
"""Seconds after which `wait` fails the test."""


class MemoryIngress:
    """Keeps messages by external id. `calls` has every call; `failures` makes that many calls fail to commit;
    while `gate` is clear, commits wait."""

    def __init__(self) -> None:
        self.messages: list[Inbound] = []
        self.calls: list[Inbound] = []
        self.failures = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self._ids: set[str] = set()
        self._taken = 0
        self._news = asyncio.Condition()

    async def accept(self, message: Inbound) -> Acceptance:
        """Commit a message in memory."""
        async with self._news:
            self.calls.append(message)
            self._news.notify_all()
        await self.gate.wait()
        if self.failures > 0:
            self.failures -= 1
            raise StorageError("the journal cannot be written")
        is_new = message.external_id not in self._ids
        async with self._news:
            self._ids.add(message.external_id)
            if is_new:
                self.messages.append(message)
            self._news.notify_all()
        return Acceptance.ACCEPTED if is_new else Acceptance.DUPLICATE

    async def wait(self) -> Inbound:
        """Return the next committed message. Raises TimeoutError after PATIENCE."""
        async with asyncio.timeout(PATIENCE), self._news:
            while len(self.messages) <= self._taken:
                await self._news.wait()
        self._taken += 1
        return self.messages[self._taken - 1]

    async def wait_for_calls(self, count: int) -> None:
        """Wait until so many calls were made. Raises TimeoutError after PATIENCE."""
        async with asyncio.timeout(PATIENCE), self._news:
            while len(self.calls) < count:
                await self._news.wait()
