"""What must not happen while anything is fed: an unexpected exception, in the open or in the log, or a hang."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

SLOW_SECONDS = 1.0
"""Of the processor: other programs on the machine do not make an input slow."""
HANG_SECONDS = 45.0
"""Of waiting for an answer, on a machine that is busy with other things."""


class Findings(logging.Handler):
    """Collects what is wrong, with the input that did it."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []
        self.input: bytes | str = ""
        self.slowest = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.note(f"logged: {record.getMessage()[:200]} {error!r}")

    def note(self, what: str) -> None:
        if len(self.found) < 50:
            self.found.append(f"{what} <- {self.input[:2_000]!r}")

    @contextmanager
    def watching(self) -> Generator[None]:
        """Listen to the logs of the product and of asyncio."""
        loggers = [logging.getLogger(name) for name in ("homarus", "asyncio", "aiohttp")]
        levels = [(each.level, each.propagate) for each in loggers]
        for each in loggers:
            each.addHandler(self)
            each.setLevel(logging.ERROR)
            each.propagate = False
        try:
            yield
        finally:
            for each, (level, propagate) in zip(loggers, levels, strict=True):
                each.removeHandler(self)
                each.setLevel(level)
                each.propagate = propagate

    def try_one(self, data: bytes | str, feed: Callable[[], object], allowed: tuple[type[Exception], ...] = ()) -> None:
        """Feed one input and note what it did wrong."""
        self.input = data
        began = time.process_time()
        try:
            feed()
        except allowed:
            pass
        except Exception as error:  # noqa: BLE001 - finding these is the purpose
            self.note(f"raised {error!r}")
        self.time(began)

    def time(self, began: float) -> None:
        """Note an input that took too long."""
        took = time.process_time() - began
        self.slowest = max(self.slowest, took)
        if took > SLOW_SECONDS:
            self.note(f"took {took:.1f} s")

    def on_unhandled(self, _loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """Note what an event loop was left with."""
        self.note(f"unhandled: {context.get('message')} {context.get('exception')!r}")
