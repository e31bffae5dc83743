"""Time as the simulated process sees it: a steady clock, and a wall clock that somebody may set."""

from __future__ import annotations

import asyncio
import uuid
from random import Random

from homarus.testing.simulation.loop import Timeline

EPOCH_MS = 1_763_712_000_000


class SimulatedClock:
    """Implements homarus.clock.Clock over a timeline; randomness comes from the seed."""

    def __init__(self, timeline: Timeline, random: Random) -> None:
        self._timeline = timeline
        self._random = random
        self._wall_offset = 0.0

    def set_back(self, seconds: float) -> None:
        """Set the wall clock back; negative seconds set it forward."""
        self._wall_offset -= seconds

    def now_ms(self) -> int:
        """Return wall-clock milliseconds since the Unix epoch."""
        return EPOCH_MS + round((self._timeline.now + self._wall_offset) * 1000)

    def monotonic(self) -> float:
        """Return virtual seconds."""
        return self._timeline.now

    async def sleep(self, seconds: float) -> None:
        """Wait for virtual seconds."""
        await asyncio.sleep(max(0.0, seconds))

    def uuid(self) -> str:
        """Return the seed's next UUID."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def token(self, size: int = 32) -> str:
        """Return the seed's next token."""
        return self._random.randbytes(size).hex()

    def choice(self, alphabet: str, length: int) -> str:
        """Return the seed's next characters."""
        return "".join(self._random.choice(alphabet) for _ in range(length))

    def jitter(self) -> float:
        """Return the seed's next number in [0, 1)."""
        return self._random.random()
