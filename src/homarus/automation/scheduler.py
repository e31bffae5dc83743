"""The scheduler: sleeps until the next due time, claims it, runs it, and stores how it ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import tzinfo
from typing import Final

from msgspec.structs import replace

from homarus.automation.alerts import Alerts
from homarus.automation.contract import CronEvent, Post
from homarus.automation.execution import Executor
from homarus.automation.job import Job
from homarus.automation.ledger import Claimed, Follow, Ledger
from homarus.automation.nap import nap
from homarus.automation.routes import Routes
from homarus.automation.view import finished_event, job_view
from homarus.clock import Clock
from homarus.config.schema import Config
from homarus.errors import HomarusError, StorageError
from homarus.listeners import Listeners
from homarus.log_context import logging_as
from homarus.pipeline.contract import Runs
from homarus.storage import jobs
from homarus.storage.database import Database
from homarus.storage.jobs import JobRun

log = logging.getLogger("homarus.cron")
LONGEST_SLEEP: Final = 300.0
"""Seconds after which the wall clock is looked at again while jobs wait: it may have been set, and a suspended machine
does not count its sleep. Without jobs nothing is looked at."""


class Scheduler:
    """Runs jobs when they are due. `run` is one supervised task; everything it knows is in the database."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        runs: Runs,
        post: Post,
        config: Callable[[], Config],
        zone: Callable[[], tzinfo],
    ) -> None:
        self._database = database
        self._clock = clock
        self._config = config
        self._post = post
        routes = Routes(database, post)
        self.ledger = Ledger(clock, zone, lambda: int(config().cron.run_log.keep_lines))
        self._executor = Executor(database, clock, runs, post, routes, zone)
        self._alerts = Alerts(config, routes, post)
        self._woken = asyncio.Event()
        self.resting = asyncio.Event()
        """Set while there is nothing to do but wait."""
        self._listeners: Listeners[[CronEvent]] = Listeners()
        self.running: dict[str, str] = {}
        """The run of each job that goes on, by job."""

    @property
    def is_enabled(self) -> bool:
        """Tell whether jobs run at all."""
        return self._config().cron.enabled

    def listen(self, listener: Callable[[CronEvent], None]) -> Callable[[], None]:
        """Call `listener` with every event until the returned function is called; it must not raise."""
        return self._listeners.add(listener)

    def emit(self, event: CronEvent) -> None:
        """Tell everybody who listens."""
        self._listeners.tell(event)

    def wake(self) -> None:
        """Look again at what is due: a job was added, changed or asked for."""
        self._woken.set()

    async def run(self) -> None:
        """Go on with what a stop interrupted, then run what is due, until cancelled. Raises StorageError."""
        self.running.clear()
        try:
            async with asyncio.TaskGroup() as group:
                for job, run in await self._database.write(self.ledger.resume):
                    log.info("job %s goes on after a stop", job.id)
                    self._start(group, job, run)
                while True:
                    self._woken.clear()
                    if self.is_enabled:
                        await self._claim(group)
                    await self._rest()
        except* StorageError as failures:
            first = failures.exceptions[0]
            raise StorageError(f"the scheduler cannot go on: {first}") from failures

    async def _claim(self, group: asyncio.TaskGroup) -> None:
        limit = int(self._config().cron.max_concurrent_runs)
        claimed: Claimed = await self._database.write(self.ledger.claim, self._clock.now_ms(), limit)
        for job_id in claimed.broken:
            log.error("job %s is broken and was switched off", job_id)
        for run in claimed.passed:
            self.emit(finished_event(run, None))
        for job, run in claimed.started:
            self._start(group, job, run)

    def _start(self, group: asyncio.TaskGroup, job: Job, run: JobRun) -> None:
        self.running[job.id] = run.id
        row = job_view(job.row, run.started_at)
        self.emit({"jobId": job.id, "action": "started", "job": row, "runAtMs": run.started_at})
        group.create_task(self._carry_out(job, run), name=f"job {job.id}")

    async def _carry_out(self, job: Job, run: JobRun) -> None:
        with logging_as(run=run.id, session=run.session_key, channel=None):
            try:
                end, follow = await self._executor.run(job, run)
            except StorageError:
                raise
            except HomarusError as error:
                end, follow = self._failed(run, error.message), Follow()
            except Exception as error:
                log.exception("job %s broke", job.id)
                end, follow = self._failed(run, f"an internal error ({type(error).__name__}); see the log"), Follow()
            await self._finish(job, end, follow)

    async def _finish(self, job: Job, end: JobRun, follow: Follow) -> None:
        fresh = await self._database.read(jobs.select_job, job.id)
        parts = await self._alerts.compose(Job(fresh, job.spec), end) if fresh and end.state == "failed" else ()
        told_at = end.ended_at if parts else None
        follow = Follow(follow.entry, parts)
        ended = await self._database.write(self.ledger.end, end, follow, told_at)
        self.running.pop(job.id, None)
        self.wake()
        for part in parts:
            self._post.wake(part.address)
        if ended is None:
            return
        self.emit(finished_event(end, ended.job))
        if ended.is_removed:
            self.emit({"jobId": job.id, "action": "removed", "job": job_view(job.row)})

    def _failed(self, run: JobRun, error: str) -> JobRun:
        return replace(run, state="failed", error=error, ended_at=self._clock.now_ms(), delivery="unknown")

    async def _rest(self) -> None:
        """Sleep until something is due or changes."""
        pause = await self._pause()
        self.resting.set()
        try:
            await nap(self._clock, self._woken, pause)
        finally:
            self.resting.clear()

    async def _pause(self) -> float | None:
        """Return the seconds to sleep, None for as long as nothing changes."""
        if not self.is_enabled:
            return None
        now = self._clock.now_ms()
        # With no room, jobs that are due wait for the end of another, which wakes us.
        is_full = len(self.running) >= int(self._config().cron.max_concurrent_runs)
        due = await self._database.read(jobs.next_due, now if is_full else None)
        return None if due is None else min(max(0.0, (due - now) / 1000), LONGEST_SLEEP)
