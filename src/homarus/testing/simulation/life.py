"""One life of the process: what it may still do, and the end that can come at every point where it touches the world.

What happens between two such points leaves no trace outside the process, so killing it there covers every kill.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from homarus.testing.simulation.clock import SimulatedClock
from homarus.testing.simulation.faults import Faults

Note = Callable[[str], None]


class Life:
    """Given to everything that stands for the world outside; after `end` nothing of this life reaches it any more."""

    def __init__(self, clock: SimulatedClock, random: Random, faults: Faults, note: Note) -> None:
        self.clock = clock
        self.random = random
        self.faults = faults
        self.note = note
        self.is_over = False
        self.was_killed = False

    async def go_on(self) -> None:
        """Return while alive; a dead process waits forever."""
        if self.is_over:
            await asyncio.get_running_loop().create_future()

    def dies(self, fault: str) -> bool:
        """Kill the process here if the seed says so."""
        if self.is_over or not self.faults.hits(fault):
            return False
        self.note(f"== {fault}")
        self.end()
        self.was_killed = True
        return True

    async def die_if(self, fault: str) -> None:
        """Kill the process here if the seed says so; returns only when it lives."""
        self.dies(fault)
        await self.go_on()

    def end(self) -> None:
        """Nothing of this life has an effect from now on."""
        self.is_over = True
        asyncio.get_running_loop().stop()
