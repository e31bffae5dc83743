"""Supervised tasks: each fails alone, is started again with growing pauses, and is given up after too many failures."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from homarus.clock import Clock
from homarus.errors import AuthFailed, HomarusError, Permanent, Transient

log = logging.getLogger("homarus.supervisor")
TaskState = Literal["running", "waiting", "ended", "given up"]


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """Pauses in seconds between restarts, doubled each time, with jitter; a task that ran for `steady` seconds starts
    over. `budget` unexpected failures within `window` seconds open the breaker; lost connections do not count."""

    first_pause: float = 1.0
    max_pause: float = 300.0
    steady: float = 60.0
    budget: int = 10
    window: float = 600.0


@dataclass(slots=True)
class Supervised:
    """One task and how it stands."""

    name: str
    state: TaskState = "running"
    error: str | None = None
    restarts: int = 0
    task: asyncio.Task[None] | None = None
    failures: list[float] = field(default_factory=list[float])


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
        """End one task or all and wait for their ends."""
        chosen = [self._tasks.pop(name)] if name is not None else [*self._tasks.values()]
        running = [entry.task for entry in chosen if entry.task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _watch(self, entry: Supervised, work: Callable[[], Awaitable[None]], policy: RestartPolicy) -> None:
        pause = policy.first_pause
        while True:
            entry.state = "running"
            began = self._clock.monotonic()
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - the one place where a task's failure ends
                if self._clock.monotonic() - began >= policy.steady:
                    pause = policy.first_pause
                if not self._may_restart(entry, error, policy):
                    return
                wait = _hint(error) or pause * (1 + 0.3 * self._clock.jitter())
                log.warning("%s: %s; again in %.1f s", entry.name, entry.error, wait)
            else:
                entry.state = "ended"
                return
            entry.state = "waiting"
            entry.restarts += 1
            await self._clock.sleep(wait)
            pause = min(pause * 2, policy.max_pause)

    def _may_restart(self, entry: Supervised, error: Exception, policy: RestartPolicy) -> bool:
        entry.error = str(error) or type(error).__name__
        if isinstance(error, AuthFailed | Permanent):
            entry.state = "given up"
            log.error("%s stopped: %s%s", entry.name, entry.error, f" - {error.fix}" if error.fix else "")
            return False
        if isinstance(error, HomarusError):
            return True
        log.error("%s broke", entry.name, exc_info=error)
        now = self._clock.monotonic()
        entry.failures = [at for at in entry.failures if now - at < policy.window] + [now]
        if len(entry.failures) > policy.budget:
            entry.state = "given up"
            log.error("%s given up after %d failures in %.0f s", entry.name, len(entry.failures), policy.window)
            return False
        return True


def _hint(error: Exception) -> float | None:
    return error.retry_after if isinstance(error, Transient) else None
