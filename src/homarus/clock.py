"""The only source of time, sleep and randomness; tests and the simulator put their own in."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from typing import Protocol


class Clock(Protocol):
    """Time, waiting and randomness as one injected dependency."""

    def now_ms(self) -> int:
        """Return wall-clock milliseconds since the Unix epoch."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`; zero or less only yields to the loop."""
        ...

    def uuid(self) -> str:
        """Return a random UUID in its 36-character form."""
        ...

    def token(self, size: int = 32) -> str:
        """Return `size` random bytes as unpadded base64url."""
        ...

    def choice(self, alphabet: str, length: int) -> str:
        """Return `length` characters drawn evenly from `alphabet`."""
        ...

    def jitter(self) -> float:
        """Return a number in [0, 1) that spreads retries."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now_ms(self) -> int:
        """Return wall-clock milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        await asyncio.sleep(max(0.0, seconds))

    def uuid(self) -> str:
        """Return a random UUID in its 36-character form."""
        return str(uuid.uuid4())

    def token(self, size: int = 32) -> str:
        """Return `size` random bytes as unpadded base64url."""
        return secrets.token_urlsafe(size)

    def choice(self, alphabet: str, length: int) -> str:
        """Return `length` characters drawn evenly from `alphabet`."""
        return "".join(secrets.choice(alphabet) for _ in range(length))

    def jitter(self) -> float:
        """Return a number in [0, 1) that spreads retries."""
        return secrets.randbelow(1 << 30) / (1 << 30)
