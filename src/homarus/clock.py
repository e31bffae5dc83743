"""The only source of time, sleep and randomness; tests and the simulator put their own in."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from typing import Final, Protocol


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


_DRAWN: Final = 64
"""UUIDs whose randomness is drawn at once."""


class SystemClock:
    """The clock of the machine; any thread may ask it."""

    def __init__(self) -> None:
        self._random: list[bytes] = []

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
        try:
            random = self._random.pop()
        except IndexError:
            random = self._draw()
        text = random.hex()
        variant = "89ab"[random[8] & 3]
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"

    def _draw(self) -> bytes:
        """Keep the randomness of many UUIDs and return that of one: asking the system for each lets go of the lock of
        the interpreter, which takes far longer to get back while another thread is busy."""
        drawn = os.urandom(16 * _DRAWN)
        self._random.extend(drawn[at : at + 16] for at in range(16, len(drawn), 16))
        return drawn[:16]

    def token(self, size: int = 32) -> str:
        """Return `size` random bytes as unpadded base64url."""
        return secrets.token_urlsafe(size)

    def choice(self, alphabet: str, length: int) -> str:
        """Return `length` characters drawn evenly from `alphabet`."""
        return "".join(secrets.choice(alphabet) for _ in range(length))

    def jitter(self) -> float:
        """Return a number in [0, 1) that spreads retries."""
        return secrets.randbelow(1 << 30) / (1 << 30)
