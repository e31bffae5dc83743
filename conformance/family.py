"""Checks that belong together and share what an earlier one of them found."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, ClassVar

from conformance.report import Mismatch, Outcome
from conformance.stage import Stage
from homarus.errors import HomarusError

LONGEST = 300.0
"""Seconds after which any check has failed."""


def check(name: str) -> Callable[[Callable[..., Awaitable[str]]], Callable[..., Awaitable[str]]]:
    """Mark a method of a Family as a check. It returns a fact that shows it worked, or raises Mismatch."""

    def mark(method: Callable[..., Awaitable[str]]) -> Callable[..., Awaitable[str]]:
        method.__dict__["check_name"] = name
        return method

    return mark


class Family:
    """Runs its checks in the order they are written. `stack` ends with the family: enter what must stay open there."""

    title: ClassVar[str] = ""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.stack = AsyncExitStack()

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of the checks."""
        return [name for value in cls.__dict__.values() if (name := getattr(value, "check_name", None))]

    async def outcomes(self) -> AsyncGenerator[Outcome]:
        """Run the checks and yield how each went."""
        async with self.stack:
            for method in list(type(self).__dict__.values()):
                name: Any = getattr(method, "check_name", None)
                if name is not None:
                    yield await self._judge(name, method)

    async def _judge(self, name: str, method: Callable[..., Awaitable[str]]) -> Outcome:
        began, is_passed = time.monotonic(), False
        try:
            async with asyncio.timeout(LONGEST):
                seen = await method(self)
            is_passed = True
        except (Mismatch, HomarusError) as error:
            seen = str(error)
        except TimeoutError:
            seen = f"not done after {LONGEST:g} s"
        except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
            seen = f"an answer of another shape than expected: {type(error).__name__} {error}"
        return Outcome(self.stage.release.version, self.title, name, is_passed, seen, time.monotonic() - began)


def expect(condition: object, seen: object) -> None:
    """Raise Mismatch with what was seen unless the condition holds."""
    if not condition:
        raise Mismatch(f"unexpected: {str(seen)[:400]}")
