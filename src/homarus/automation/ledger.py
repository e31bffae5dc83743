"""Due times as rows: claimed before anything happens, ended once, both in one transaction each.

A due time that was stored is never stored again, so a crash between claim and run leaves a row that the next start
goes on with, and a crash after the end leaves nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo

from msgspec import Struct, field
from msgspec.structs import replace

from homarus.automation.job import Job, read_job
from homarus.automation.schedule import due_times, iso, next_after
from homarus.clock import Clock
from homarus.errors import StorageError, UserError
from homarus.sessions.store import new_session
from homarus.storage import entries, jobs, outbound, sessions
from homarus.storage.database import Connection
from homarus.storage.jobs import JobRow, JobRun, JobRunState
from homarus.storage.records import Entry, OutboundMessage

BACKOFF_MS = (30_000, 60_000, 300_000, 900_000, 3_600_000)
"""Least pause after the first, second … failure in a row (reference automation §1)."""
MISSED = "missed: the gateway was not running"
TOO_BUSY = "missed: the scheduler was off, or other jobs took too long"
STILL_RUNNING = "skipped: the job was still running"


class Claimed(Struct):
    """What a claim found: runs that begin now, rows of times that passed, and jobs that are broken."""

    started: list[tuple[Job, JobRun]] = field(default_factory=list[tuple[Job, JobRun]])
    passed: list[JobRun] = field(default_factory=list[JobRun])
    broken: list[str] = field(default_factory=list[str])


class Ended(Struct, frozen=True):
    """What the end of a run changed: the job as it is now, None when it is gone."""

    run: JobRun
    job: JobRow | None
    is_removed: bool = False


class Follow(Struct, frozen=True):
    """What is stored together with the end of a run: an entry for a session, parts of an alert."""

    entry: Entry | None = None
    parts: tuple[OutboundMessage, ...] = ()


class Ledger:
    """The transactions of the scheduler; each method is a function of a connection."""

    def __init__(self, clock: Clock, zone: Callable[[], tzinfo], keep: Callable[[], int]) -> None:
        self._clock = clock
        self._zone = zone
        self._keep = keep
        self._began = clock.now_ms()

    def plan(self, job: Job, after: int) -> int | None:
        """Return when an enabled job is due next."""
        return next_after(job.spec.schedule, after, job.id, self._zone()) if job.row.is_enabled else None

    def claim(self, connection: Connection, now: int, limit: int) -> Claimed:
        """Store every due time up to now, and begin as many runs as `limit` leaves room for."""
        found = Claimed()
        waiting = jobs.select_open_runs(connection)
        busy = {run.job_id for run in waiting}
        room = limit - sum(run.state == "running" for run in waiting)
        for run in (each for each in waiting if each.state == "queued"):
            room -= self._begin_queued(connection, run, now, found) if room > 0 else 0
        for row in jobs.select_due(connection, now):
            try:
                job = read_job(row)
                room -= self._take(connection, job, now, found, is_busy=row.id in busy, has_room=room > 0)
            except (StorageError, UserError) as error:
                self._disable(connection, row, error.message, now)
                found.broken.append(row.id)
        return found

    def resume(self, connection: Connection) -> list[tuple[Job, JobRun]]:
        """Return the runs that a stop interrupted, with their jobs; those whose job is gone end as failed."""
        found: list[tuple[Job, JobRun]] = []
        for run in jobs.select_open_runs(connection):
            row = jobs.select_job(connection, run.job_id)
            if row is None:
                self._abandon(connection, run)
            elif run.state == "running":
                try:
                    found.append((read_job(row), run))
                except StorageError as error:
                    self._disable(connection, row, error.message, self._clock.now_ms())
                    self._abandon(connection, run)
        return found

    def queue(self, connection: Connection, job: Job, now: int) -> JobRun | None:
        """Store a run that was asked for by hand; None when the job runs or waits already."""
        if any(run.job_id == job.id for run in jobs.select_open_runs(connection)):
            return None
        run = self._row(job, now, "queued", is_manual=True)
        while not jobs.insert_run(connection, run):
            run = replace(run, planned_at=run.planned_at + 1)
        return run

    def end(self, connection: Connection, end: JobRun, follow: Follow, told_at: int | None) -> Ended | None:
        """Store how a run ended and what follows from it; None when that was stored before."""
        if not jobs.end_run(connection, end):
            return None
        if follow.entry is not None:
            entries.insert_entry(connection, follow.entry)
        outbound.insert_parts(connection, follow.parts)
        jobs.trim_runs(connection, end.job_id, self._keep())
        row = jobs.select_job(connection, end.job_id)
        if row is None:
            return Ended(end, None)
        job = read_job(row)
        if job.spec.schedule.kind == "at" and job.spec.delete_after_run and end.state == "ran":
            jobs.delete_job(connection, row.id)
            if job.is_isolated:
                sessions.delete_session(connection, str(job.session_key))
            return Ended(end, None, is_removed=True)
        changed = self._after(job, end, told_at)
        jobs.put_job(connection, changed)
        return Ended(end, changed)

    def _begin_queued(self, connection: Connection, run: JobRun, now: int, found: Claimed) -> int:
        row = jobs.select_job(connection, run.job_id)
        if row is None:
            self._abandon(connection, run)
            return 0
        jobs.start_run(connection, run.id, now)
        job = read_job(row)
        self._open_session(connection, job)
        found.started.append((job, replace(run, state="running", started_at=now)))
        return 1

    def _take(
        self, connection: Connection, job: Job, now: int, found: Claimed, *, is_busy: bool, has_room: bool
    ) -> int:
        """Store the due times of a job; return 1 when it begins to run."""
        if not is_busy and not has_room:
            return 0
        times, has_gap = due_times(job.spec.schedule, job.row.next_run or now, now, job.id, self._zone())
        jobs.put_job(connection, replace(job.row, next_run=self.plan(job, now)))
        for index, planned in enumerate(times if is_busy else times[:-1]):
            reason = STILL_RUNNING if is_busy else MISSED if planned < self._began else TOO_BUSY
            if has_gap and index == len(times) - 2:
                reason += f"; so were the times up to {iso(times[-1])}, which are not listed"
            row = replace(self._row(job, planned, "skipped" if is_busy else "missed"), ended_at=now, error=reason)
            if jobs.insert_run(connection, row):
                found.passed.append(row)
        if is_busy:
            return 0
        run = replace(self._row(job, times[-1], "running"), started_at=now)
        if not jobs.insert_run(connection, run):
            return 0
        self._open_session(connection, job)
        found.started.append((job, run))
        return 1

    def _open_session(self, connection: Connection, job: Job) -> None:
        """Give an isolated run an empty transcript, in the transaction that claims it."""
        if job.is_isolated:
            fresh = new_session(job.session_key, self._clock)
            if sessions.ensure_session(connection, fresh).session_id != fresh.session_id:
                sessions.renew_session(connection, fresh.key, fresh.session_id, fresh.updated_at)

    def _row(self, job: Job, planned: int, state: JobRunState, *, is_manual: bool = False) -> JobRun:
        key = str(job.session_key)
        return JobRun(self._clock.uuid(), job.id, job.row.name, planned, state, is_manual=is_manual, session_key=key)

    def _abandon(self, connection: Connection, run: JobRun) -> None:
        now = self._clock.now_ms()
        jobs.end_run(connection, replace(run, state="failed", ended_at=now, error="the job was removed or is broken"))

    def _disable(self, connection: Connection, row: JobRow, reason: str, now: int) -> None:
        state = {**row.state, "lastError": reason, "lastRunStatus": "error", "lastStatus": "error"}
        jobs.put_job(connection, replace(row, is_enabled=False, next_run=None, state=state, updated_at=now))

    def _after(self, job: Job, end: JobRun, told_at: int | None) -> JobRow:
        """Return the job's row after a run: its state, and when it is due again."""
        row, ended = job.row, end.ended_at or 0
        is_error, is_once = end.state == "failed", job.spec.schedule.kind == "at"
        errors = row.state.get("consecutiveErrors")
        count = (errors if isinstance(errors, int) else 0) + 1 if is_error else 0
        status = {"ran": "ok", "failed": "error"}.get(end.state, "skipped")
        state: dict[str, object] = {
            "lastRunAtMs": end.started_at or ended,
            "lastRunStatus": status,
            "lastStatus": status,
            "lastDurationMs": max(0, ended - (end.started_at or ended)),
            "lastDelivered": end.delivery == "delivered",
            "lastDeliveryStatus": end.delivery or "not-requested",
            "consecutiveErrors": count,
        }
        if end.error:
            state["lastError"] = end.error
        if end.delivery_error:
            state["lastDeliveryError"] = end.delivery_error
        told = told_at if told_at is not None else row.state.get("lastFailureAlertAtMs")
        if told is not None:
            state["lastFailureAlertAtMs"] = told
        due = row.next_run
        if due is not None and is_error and not is_once:
            due = max(due, ended + BACKOFF_MS[min(count, len(BACKOFF_MS)) - 1])
        is_over = is_once and due is None
        is_enabled = row.is_enabled and not is_over
        return replace(row, state=state, next_run=due, is_enabled=is_enabled, updated_at=ended or row.updated_at)
