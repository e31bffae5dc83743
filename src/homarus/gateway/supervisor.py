"""Supervised tasks: each fails alone, is started again with growing pauses, and rests after too many failures."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Literal

from msgspec import Struct, field

from homarus.clock import Clock
from homarus.errors import AuthFailed, HomarusError, Permanent, Transient

log = logging.getLogger("homarus.supervisor")
TaskState = Literal["running", "waiting", "resting", "ended", "given up"]
MAX_HINT = 3600.0
"""Longest pause, in seconds, that another side may ask for."""


class RestartPolicy(Struct, frozen=True):
    """Pauses in seconds between restarts, doubled each time, with jitter, and halved by every `recovery` seconds that a
    task ran; one that ran for `steady` seconds starts over. A pause that the other side asked for doubles nothing. More
    than `budget` unexpected failures within `window` seconds open the breaker: the task rests for `rest`
    seconds and then has one try, which either lasts for `steady` seconds or opens the breaker again. Lost connections
    do not count."""

    first_pause: float = 1.0
    max_pause: float = 300.0
    recovery: float = 10.0
    steady: float = 60.0
    budget: int = 10
    window: float = 600.0
    rest: float = 900.0


class Supervised(Struct):
    """One task and how it stands. `restarts` counts from the start of the process."""

    name: str
    state: TaskState = "running"
    error: str | None = None
    restarts: int = 0
    task: asyncio.Task[None] | None = None
    failures: list[float] = field(default_factory=list[float])
    pause: float = 0.0
    is_tired: bool = False


class Supervisor:
    """Owns the gateway's background tasks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[str, Supervised] = {}

    def start(self, name: str, work: Callable[[], Awaitable[None]], policy: RestartPolicy | None = None) -> Supervised:
        """Run `work` until it returns; it is started again when it raises. Names are unique."""
        if name in self._tasks:
            raise ValueError(f"the task {name!r} is supervised already")
        entry = Supervised(name)
        self._tasks[name] = entry
        body = self._watch(entry, work, policy or RestartPolicy())
        entry.task = asyncio.get_running_loop().create_task(body, name=name)
        return entry

    def tasks(self) -> tuple[Supervised, ...]:
        """Return every task and how it stands."""
        return tuple(self._tasks.values())

    async def stop(self, name: str | None = None) -> None:
        """End one task or all and wait for their ends; one that is not supervised is no error."""
        names = [*self._tasks] if name is None else [name]
        chosen = [self._tasks.pop(each) for each in names if each in self._tasks]
        running = [entry.task for entry in chosen if entry.task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _watch(self, entry: Supervised, work: Callable[[], Awaitable[None]], policy: RestartPolicy) -> None:
        entry.pause = policy.first_pause
        while True:
            entry.state = "running"
            began = self._clock.monotonic()
            try:
                await work()
            except asyncio.CancelledError as cancelled:
                if _is_stopped():
                    raise
                error: Exception = RuntimeError(f"it cancelled itself {cancelled}".rstrip())
            except Exception as failure:  # noqa: BLE001 - the one place where a task's failure ends
                error = failure
            else:
                entry.state = "ended"
                return
            _recover(entry, self._clock.monotonic() - began, policy)
            wait = self._judge(entry, error, policy)
            if wait is None:
                return
            entry.restarts += 1
            await self._clock.sleep(wait)

    def _judge(self, entry: Supervised, error: Exception, policy: RestartPolicy) -> float | None:
        """Note a failure and return the seconds until the next try, None when there is none."""
        entry.error = str(error) or type(error).__name__
        if isinstance(error, AuthFailed | Permanent):
            entry.state = "given up"
            log.error("%s stopped: %s%s", entry.name, entry.error, f" - {error.fix}" if error.fix else "")
            return None
        if not isinstance(error, HomarusError):
            log.error("%s broke", entry.name, exc_info=error)
            if self._is_over_budget(entry, policy):
                entry.state = "resting"
                count = len(entry.failures)
                log.error("%s failed too often (%d times); it rests for %.0f s", entry.name, count, policy.rest)
                return policy.rest
        entry.state = "waiting"
        wait = _hint(error)
        if wait is None:
            wait = entry.pause * (1 + 0.3 * self._clock.jitter())
            entry.pause = min(entry.pause * 2, policy.max_pause)
        log.warning("%s: %s; again in %.1f s", entry.name, entry.error, wait)
        return wait

    def _is_over_budget(self, entry: Supervised, policy: RestartPolicy) -> bool:
        """Count an unexpected failure. After a rest the budget is used up until the task has been steady again."""
        now = self._clock.monotonic()
        entry.failures = [*(at for at in entry.failures if now - at < policy.window), now]
        entry.is_tired = entry.is_tired or len(entry.failures) > policy.budget
        return entry.is_tired


def _recover(entry: Supervised, ran: float, policy: RestartPolicy) -> None:
    """Shorten the next pause by what the task ran: one that fails now and then is not one that never ran."""
    if ran >= policy.steady:
        entry.pause, entry.is_tired = policy.first_pause, False
    else:
        entry.pause = max(policy.first_pause, entry.pause / 2 ** (ran / policy.recovery))


def _is_stopped() -> bool:
    """Tell whether somebody cancelled the current task, rather than the task itself something it awaits."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _hint(error: Exception) -> float | None:
    return min(error.retry_after, MAX_HINT) if isinstance(error, Transient) and error.retry_after else None
