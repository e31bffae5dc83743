"""Jobs as their owner handles them: add, change, remove, list, run now."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from msgspec import Struct
from msgspec.structs import replace

from homarus.automation.contract import CronEvent
from homarus.automation.job import Job, check_spec, read_job, write_spec
from homarus.automation.schedule import AtRefused, complete
from homarus.automation.scheduler import Scheduler
from homarus.automation.view import job_view, run_view
from homarus.clock import Clock
from homarus.config.schema import Config
from homarus.errors import UserError
from homarus.ids import AgentId
from homarus.protocol.validation import describe_invalid
from homarus.storage import jobs, sessions
from homarus.storage.database import Connection, Database
from homarus.storage.jobs import JobRow, JobRunFilter

if TYPE_CHECKING:
    from homarus.protocol.cron import DeliveryPatch, JobPatch, JobSpec, PayloadPatch

_REMOVABLE = frozenset({"agentId", "sessionKey", "description", "failureAlert"})
MAX_JOBS = 1000
"""Most jobs stored at once."""
View = dict[str, object]


class UnknownJob(UserError):
    """There is no job of that id."""


class Refused(UserError):
    """A job breaks a rule."""


class Started(Struct, frozen=True):
    """What came of a wish to run a job now: `run_id`, or the reason why not."""

    run_id: str | None
    reason: Literal["already-running", "not-due"] | None = None


class Jobs:
    """The jobs of this gateway."""

    def __init__(self, database: Database, clock: Clock, scheduler: Scheduler, config: Callable[[], Config]) -> None:
        self._database = database
        self._clock = clock
        self._scheduler = scheduler
        self._config = config
        self._numbers = itertools.count(1)

    @property
    def is_enabled(self) -> bool:
        """Tell whether jobs run at all."""
        return self._scheduler.is_enabled

    def listen(self, listener: Callable[[CronEvent], None]) -> Callable[[], None]:
        """Call `listener` with every event until the returned function is called; it must not raise."""
        return self._scheduler.listen(listener)

    async def add(self, spec: JobSpec) -> View:
        """Store a new job. Raises AtRefused for its time, Refused for a rule it breaks, both UserErrors."""
        now = self._clock.now_ms()
        if await self._database.read(jobs.count_jobs) >= MAX_JOBS:
            raise Refused(f"there are {MAX_JOBS} jobs already", fix="remove some with `homarus cron rm`")
        row = JobRow(self._clock.uuid(), self._agent(spec), spec.name, spec.enabled, None, {}, now, now)
        stored = await self._store(row, self._checked(spec, now))
        self._tell(stored, "added")
        return job_view(stored)

    async def update(self, job_id: str, patch: JobPatch) -> View:
        """Change a job. Raises UnknownJob, AtRefused, Refused."""
        now, job = self._clock.now_ms(), await self._get(job_id)
        old = job.spec.model_copy(update={"enabled": job.row.is_enabled})
        spec = self._checked(_patched(old, patch), now, old=old)
        row = replace(job.row, agent_id=self._agent(spec), name=spec.name, is_enabled=spec.enabled, updated_at=now)
        keeps_time = patch.schedule is None and patch.enabled is None
        stored = await self._store(row, spec, keeps_time=keeps_time)
        self._tell(stored, "updated")
        return job_view(stored, await self._running_at(job_id))

    async def remove(self, job_id: str) -> bool:
        """Remove a job and its own session; a run that goes on ends undisturbed. False when there was none."""
        row = await self._database.read(jobs.select_job, job_id)
        if row is None or not await self._database.write(_remove, row):
            return False
        self._scheduler.emit({"jobId": job_id, "action": "removed", "job": job_view(row)})
        self._scheduler.wake()
        return True

    async def run(self, job_id: str, *, is_forced: bool) -> Started:
        """Run a job now, whether it is enabled or not; without force only when it is due. Raises UnknownJob."""
        now, job = self._clock.now_ms(), await self._get(job_id)
        is_due = job.row.next_run is not None and job.row.next_run <= now
        if not is_forced and not is_due:
            return Started(None, "not-due")
        run = await self._database.write(self._scheduler.ledger.queue, job, now)
        if run is None:
            return Started(None, "already-running")
        self._scheduler.wake()
        return Started(f"manual:{job_id}:{run.planned_at}:{next(self._numbers)}")

    async def list(self) -> list[View]:
        """Return every job, the next one to run first."""
        rows, open_runs = await self._database.read(_jobs_and_runs)
        return [job_view(row, open_runs.get(row.id)) for row in rows]

    async def runs(self, where: JobRunFilter) -> tuple[list[View], int]:
        """Return a page of the run log, and how many lines there are."""
        found, total = await self._database.read(jobs.select_ended_runs, where)
        return [run_view(run) for run in found], total

    async def status(self) -> tuple[int, int | None]:
        """Return how many jobs there are and when the next one is due, in milliseconds."""
        return await self._database.read(jobs.count_jobs), await self._database.read(jobs.next_due)

    def _agent(self, spec: JobSpec) -> AgentId:
        agents = self._config().agents
        wanted = AgentId((spec.agent_id or agents.default_id).strip().lower())
        if wanted != agents.default_id and agents.entry(wanted) is None:
            raise Refused(f'unknown agent id "{wanted[:64]}"', fix="see `homarus config get agents.list`")
        return wanted

    def _checked(self, spec: JobSpec, now: int, old: JobSpec | None = None) -> JobSpec:
        """Return a job with everything written out. A time that was accepted once is not judged again."""
        try:
            if old is None or spec.schedule != old.schedule:
                schedule = complete(spec.schedule, now, old.schedule if old else None)
                spec = spec.model_copy(update={"schedule": schedule})
            return check_spec(spec, self._agent(spec), AgentId(self._config().agents.default_id))
        except (Refused, AtRefused):
            raise
        except UserError as error:
            raise Refused(error.message, fix=error.fix) from error

    async def _store(self, row: JobRow, spec: JobSpec, *, keeps_time: bool = False) -> JobRow:
        stored = replace(row, spec=write_spec(spec))
        if not keeps_time:
            planned = self._scheduler.ledger.plan(Job(stored, spec), self._clock.now_ms())
            stored = replace(stored, next_run=planned)
        await self._database.write(jobs.put_job, stored)
        return stored

    async def _get(self, job_id: str) -> Job:
        row = await self._database.read(jobs.select_job, job_id)
        if row is None:
            raise UnknownJob(f"unknown cron job id: {job_id}", fix="see `homarus cron list --all`")
        return read_job(row)

    async def _running_at(self, job_id: str) -> int | None:
        return (await self._database.read(_jobs_and_runs))[1].get(job_id)

    def _tell(self, row: JobRow, action: str) -> None:
        event: CronEvent = {"jobId": row.id, "action": action, "job": job_view(row)}
        if row.next_run is not None:
            event["nextRunAtMs"] = row.next_run
        self._scheduler.emit(event)
        self._scheduler.wake()


def _patched(spec: JobSpec, patch: JobPatch) -> JobSpec:
    given = spec.model_dump(by_alias=True, exclude_none=True)
    changes = patch.model_dump(by_alias=True, exclude_unset=True, exclude={"payload", "delivery"})
    for name, value in changes.items():
        if value is not None:
            given[name] = value
        elif name in _REMOVABLE:
            given.pop(name, None)
    if patch.schedule is not None:
        given["schedule"] = patch.schedule.model_dump(by_alias=True, exclude_none=True)
    if patch.payload is not None:
        given["payload"] = _patched_payload(given["payload"], patch.payload)
    if patch.delivery is not None:
        given["delivery"] = _patched_delivery(given.get("delivery"), patch.delivery)
    from homarus.protocol.cron import CronAddParams  # noqa: PLC0415 - for those who change jobs

    problem = describe_invalid(CronAddParams, given)
    if problem is not None:
        raise Refused(f"the changed job is not valid: {problem}", fix="change the named field as well")
    return CronAddParams.model_validate(given)


def _patched_payload(old: dict[str, object], patch: PayloadPatch) -> dict[str, object]:
    given = patch.model_dump(by_alias=True, exclude_none=True)
    return {**old, **given} if old.get("kind") == patch.kind else given


def _patched_delivery(old: dict[str, object] | None, patch: DeliveryPatch) -> dict[str, object]:
    return {"mode": "announce", **(old or {}), **patch.model_dump(by_alias=True, exclude_none=True)}


def _remove(connection: Connection, row: JobRow) -> bool:
    is_running = any(run.job_id == row.id for run in jobs.select_open_runs(connection))
    if read_job(row).is_isolated and not is_running:
        sessions.delete_session(connection, str(read_job(row).session_key))
    return jobs.delete_job(connection, row.id)


def _jobs_and_runs(connection: Connection) -> tuple[list[JobRow], dict[str, int]]:
    """Return every job, and since when each that runs does."""
    running = {run.job_id: run.started_at for run in jobs.select_open_runs(connection) if run.started_at is not None}
    return jobs.select_jobs(connection), running
