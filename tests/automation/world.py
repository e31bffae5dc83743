"""A scheduler on a scratch database, with a clock that stands still and runs that end as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

from tests.gateway.fake_clock import FakeClock
from tests.gateway.fake_runs import FakeRuns

from homarus.automation.contract import Arrival, CronEvent
from homarus.automation.scheduler import Scheduler
from homarus.automation.service import Jobs
from homarus.channels.contract import Capabilities
from homarus.channels.policy_config import ChannelPolicyConfig
from homarus.config.schema import Config
from homarus.errors import StorageError
from homarus.ids import Address
from homarus.pipeline.access import AccessRules
from homarus.pipeline.accounts import Account, Accounts
from homarus.pipeline.contract import Runs, Submission, Submitted
from homarus.pipeline.outbox import Outbox
from homarus.protocol.cron import CronAddParams
from homarus.storage.database import Database
from homarus.storage.jobs import JobRun, JobRunFilter, select_ended_runs, select_open_runs
from homarus.storage.opening import open_database
from homarus.storage.records import OutboundMessage

MINUTE = 60_000


@dataclass
class FakePost:
    """One account `net/default` that delivers at once."""

    outbox: Outbox
    woken: list[Address] = field(default_factory=list[Address])
    result: Arrival = field(default_factory=lambda: Arrival("delivered"))

    def find(self, channel: str, account: str | None) -> str | None:
        return "default" if channel == "net" and account in {None, "default"} else None

    def usual_chat(self, channel: str, account: str | None) -> Address | None:
        return None

    def parts(self, key: str, address: Address, text: str) -> list[OutboundMessage]:
        return self.outbox.parts(key, address, text)

    def wake(self, address: Address) -> None:
        self.woken.append(address)

    async def arrival(self, run_id: str, address: Address, seconds: float) -> Arrival:
        return self.result


class Breaking(FakeRuns):
    """The database fails at the first submission, as when the process ends between claim and run."""

    is_broken = True

    async def submit(self, submission: Submission) -> Submitted:
        if self.is_broken:
            raise StorageError("the disk is gone")
        return await super().submit(submission)


@dataclass
class World:
    """A running scheduler."""

    database: Database
    clock: FakeClock
    runs: FakeRuns
    post: FakePost
    scheduler: Scheduler
    jobs: Jobs
    task: asyncio.Task[None]
    events: list[CronEvent] = field(default_factory=list[CronEvent])

    async def add(self, **given: object) -> str:
        base: dict[str, object] = {
            "name": "job",
            "schedule": {"kind": "every", "everyMs": MINUTE},
            "payload": {"kind": "agentTurn", "message": "do it"},
            "delivery": {"mode": "none"},
        }
        job = await self.jobs.add(CronAddParams.model_validate({**base, **given}))
        return str(job["id"])

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait until something holds; the test's own timeout bounds it."""
        while not await condition():
            await asyncio.sleep(0.002)

    async def pass_time(self, seconds: float) -> None:
        """Let time pass once the scheduler has gone to sleep."""
        await self.settle()
        self.clock.advance(seconds)
        await self.settle()

    async def settle(self) -> None:
        """Wait until the scheduler sleeps and every run that goes on waits for the test."""
        quiet = 0
        while quiet < 4 and not self.task.done():
            await asyncio.sleep(0.002)
            quiet = quiet + 1 if self._is_quiet() else 0

    def _is_quiet(self) -> bool:
        is_waiting = all(self._is_going(run_id) for run_id in self.scheduler.running.values())
        return is_waiting and self.scheduler.resting.is_set() and not self.scheduler._woken.is_set()

    def _is_going(self, run_id: str) -> bool:
        outcome = self.runs._outcomes.get(run_id)
        return outcome is not None and outcome.state == "running"

    async def log(self) -> list[JobRun]:
        found, _ = await self.database.read(select_ended_runs, JobRunFilter(limit=200, is_newest_first=False))
        return found

    async def open(self) -> list[JobRun]:
        return await self.database.read(select_open_runs)

    async def state(self, job_id: str) -> dict[str, object]:
        """Return a job as clients see it."""
        return next(job for job in await self.jobs.list() if job["id"] == job_id)

    def actions(self) -> list[object]:
        return [event["action"] for event in self.events]


@asynccontextmanager
async def world(
    root: Path,
    *,
    clock: FakeClock | None = None,
    runs: FakeRuns | None = None,
    config: dict[str, object] | None = None,
    is_manual: bool = False,
) -> AsyncGenerator[World]:
    """Start a scheduler in `root`; leaving it is a stop, entering again with the same clock and runs a restart."""
    clock = clock or FakeClock()
    database = await open_database(None, root, clock)
    runs = runs or FakeRuns(clock, is_manual=is_manual)
    accounts = Accounts((Account("net", "default", AccessRules(ChannelPolicyConfig()), Capabilities()),))
    post = FakePost(Outbox(accounts, clock))
    loaded = Config.model_validate(config or {})
    watched: Runs = runs
    scheduler = Scheduler(database, clock, watched, post, lambda: loaded, lambda: UTC)
    jobs = Jobs(database, clock, scheduler, lambda: loaded)
    made = World(database, clock, runs, post, scheduler, jobs, asyncio.create_task(scheduler.run()))
    scheduler.listen(made.events.append)
    try:
        yield made
    finally:
        made.task.cancel()
        await asyncio.gather(made.task, return_exceptions=True)
        await database.close()
