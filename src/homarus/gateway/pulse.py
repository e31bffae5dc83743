"""The pulse of every connection, felt by one task for all of them: who answers no ping is gone without a word."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from homarus.clock import Clock

PING_INTERVAL: Final = 25.0
PONG_TIMEOUT: Final = 25.0
"""Seconds between two pings, and that a client has to answer one (v4-differences §2)."""


class Pulsed(Protocol):
    """A connection as its pulse is felt."""

    def beat(self, now: float, patience: float) -> None:
        """Ping the client; end the connection when a ping is not answered for `patience` seconds. Never waits."""
        ...


class Pulse:
    """Feels each connection's pulse in turn, PING_INTERVAL after the last time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: OrderedDict[Pulsed, float] = OrderedDict()
        self._has_come = asyncio.Event()

    def add(self, client: Pulsed) -> None:
        """Begin with a connection."""
        self._due[client] = self._clock.monotonic() + PING_INTERVAL
        self._has_come.set()

    def remove(self, client: Pulsed) -> None:
        """End with a connection."""
        self._due.pop(client, None)

    async def run(self) -> None:
        """Go round for ever; without connections, sleep."""
        while True:
            if not self._due:
                self._has_come.clear()
                await self._has_come.wait()
            # All wait for the same time, so whoever was felt longest ago is the first.
            first, due = next(iter(self._due.items()))
            now = self._clock.monotonic()
            if due > now:
                await self._clock.sleep(due - now)
                continue
            self._due[first] = now + PING_INTERVAL
            self._due.move_to_end(first)
            first.beat(now, PONG_TIMEOUT)
