"""An event loop whose time is a number: waiting costs nothing, and equal seeds give equal orders."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator, Sequence
from contextvars import Context
from itertools import count
from typing import Any, TypeVar

T = TypeVar("T")
ROUND_SECONDS = 1e-6
"""What one round of the loop takes: were it nothing, a wait for the rounding error of a wait would never end."""
_numbers = count()


class Stalled(RuntimeError):
    """Nothing is ready and no timer is set: the program waits for something that cannot come."""


class Timeline:
    """Virtual seconds since the simulation began; outlives the loops that run on it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.owed = 0.0

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def pause(self, seconds: float) -> None:
        """Let the program stand still for a while when it next waits: every timer due meanwhile is late."""
        self.owed += seconds


class _Selector:
    """Stands where a loop waits for sockets; waiting moves the time."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def select(self, timeout: float | None) -> Sequence[object]:
        if timeout is None:
            raise Stalled
        owed, self._timeline.owed = self._timeline.owed, 0.0
        self._timeline.advance(timeout + owed + ROUND_SECONDS)
        return ()


class _Task(asyncio.Task[T]):
    """A task whose place in a set does not depend on its address."""

    def __init__(self, coro: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop, context: Context | None) -> None:
        self._number = next(_numbers)
        super().__init__(coro, loop=loop, context=context)

    def __hash__(self) -> int:
        return self._number


class _Future(asyncio.Future[T]):
    """A future whose place in a set does not depend on its address."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._number = next(_numbers)
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self._number


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs callbacks in order and jumps to the next timer when none is ready. Has no sockets and no threads."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__()
        self._timeline = timeline
        self._selector = _Selector(timeline)
        self.set_task_factory(_make_task)

    def time(self) -> float:
        """Return virtual seconds."""
        return self._timeline.now

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of this loop."""
        return _Future[Any](self)

    def _process_events(self, event_list: Sequence[object]) -> None:
        """Nothing comes from outside."""

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""


def _make_task(
    loop: asyncio.AbstractEventLoop,
    coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
    **options: Any,  # noqa: ANN401
) -> asyncio.Task[T]:
    if not isinstance(coro, Coroutine):
        raise TypeError(coro)
    return _Task(coro, loop, options.get("context"))
