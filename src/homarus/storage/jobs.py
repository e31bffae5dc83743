"""Jobs of the scheduler and the runs of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct, field
from sqlalchemy import Connection, Row, Select, delete, func, or_, select, update

from homarus.ids import AgentId
from homarus.storage.dialect import insert_ignore, upsert
from homarus.storage.tables import job_runs, jobs

JobRunState = Literal["queued", "running", "ran", "failed", "skipped", "missed"]
OPEN = ("queued", "running")
ENDED = ("ran", "failed", "skipped", "missed")


class JobRow(Struct, frozen=True):
    """A stored job. `next_run` in milliseconds, None when nothing is planned."""

    id: str
    agent_id: AgentId
    name: str
    is_enabled: bool
    next_run: int | None
    spec: dict[str, object]
    created_at: int
    updated_at: int
    state: dict[str, object] = field(default_factory=dict[str, object])


class JobRun(Struct, frozen=True):
    """One due time of a job and what came of it. `id` is the id of the agent's run; times in milliseconds.

    `delivery` is delivered, not-delivered, unknown or not-requested.
    """

    id: str
    job_id: str
    job_name: str
    planned_at: int
    state: JobRunState
    is_manual: bool = False
    session_key: str | None = None
    session_id: str | None = None
    started_at: int | None = None
    ended_at: int | None = None
    error: str | None = None
    summary: str | None = None
    delivery: str | None = None
    delivery_error: str | None = None
    model: str | None = None
    usage: dict[str, int] | None = None
    seq: int = 0


class JobRunFilter(Struct, frozen=True):
    """Which ended runs to list: a page of `limit` from `offset`. `states` and `deliveries` None mean any."""

    limit: int = 50
    offset: int = 0
    job_id: str | None = None
    states: tuple[str, ...] | None = None
    deliveries: tuple[str, ...] | None = None
    search: str | None = None
    is_newest_first: bool = True


def put_job(connection: Connection, job: JobRow) -> None:
    """Store a job, replacing the one with its id."""
    upsert(connection, jobs, {name: getattr(job, name) for name in jobs.c.keys()})  # noqa: SIM118 - columns


def select_job(connection: Connection, job_id: str) -> JobRow | None:
    """Return one job."""
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).one_or_none()
    return None if row is None else _job(row)


def select_jobs(connection: Connection) -> list[JobRow]:
    """Return every job, the next one to run first."""
    order = (jobs.c.next_run.is_(None), jobs.c.next_run, jobs.c.created_at, jobs.c.id)
    return [_job(row) for row in connection.execute(select(jobs).order_by(*order))]


def count_jobs(connection: Connection) -> int:
    """Return how many jobs there are."""
    return connection.execute(select(func.count()).select_from(jobs)).scalar_one()


def select_due(connection: Connection, now: int) -> list[JobRow]:
    """Return the jobs whose time has come, the longest waiting first."""
    query = select(jobs).where(jobs.c.next_run <= now).order_by(jobs.c.next_run, jobs.c.id)
    return [_job(row) for row in connection.execute(query)]


def next_due(connection: Connection, after: int | None = None) -> int | None:
    """Return the first planned time of all jobs, in milliseconds; with `after`, the first one later than that."""
    query = select(func.min(jobs.c.next_run))
    if after is not None:
        query = query.where(jobs.c.next_run > after)
    return connection.execute(query).scalar_one()


def delete_job(connection: Connection, job_id: str) -> bool:
    """Remove a job; its runs stay. False when there was none."""
    return connection.execute(delete(jobs).where(jobs.c.id == job_id)).rowcount == 1


def insert_run(connection: Connection, run: JobRun) -> bool:
    """Store a due time; False when that time of that job is stored already."""
    values = {name: getattr(run, name) for name in job_runs.c.keys() if name != "seq"}  # noqa: SIM118 - columns
    return insert_ignore(connection, job_runs, values)


def start_run(connection: Connection, run_id: str, now: int) -> bool:
    """Move a queued run to running; False when it is not queued."""
    changed = update(job_runs).where(job_runs.c.id == run_id, job_runs.c.state == "queued")
    return connection.execute(changed.values(state="running", started_at=now)).rowcount == 1


def end_run(connection: Connection, end: JobRun) -> bool:
    """Store how a run ended; False when it had ended already."""
    names = ("state", "ended_at", "error", "summary", "delivery", "delivery_error", "model", "usage")
    changed = update(job_runs).where(job_runs.c.id == end.id, job_runs.c.state.in_(OPEN))
    values = {name: getattr(end, name) for name in (*names, "session_key", "session_id", "started_at")}
    return connection.execute(changed.values(values)).rowcount == 1


def select_run(connection: Connection, run_id: str) -> JobRun | None:
    """Return one run."""
    row = connection.execute(select(job_runs).where(job_runs.c.id == run_id)).one_or_none()
    return None if row is None else _run(row)


def select_open_runs(connection: Connection) -> list[JobRun]:
    """Return the runs that wait or go on, the oldest first."""
    query = select(job_runs).where(job_runs.c.state.in_(OPEN)).order_by(job_runs.c.seq)
    return [_run(row) for row in connection.execute(query)]


def select_ended_runs(connection: Connection, where: JobRunFilter) -> tuple[list[JobRun], int]:
    """Return a page of ended runs and how many there are in all."""
    count = _filtered(select(func.count()).select_from(job_runs), where)
    order = (job_runs.c.ended_at, job_runs.c.seq)
    query = _filtered(select(job_runs), where).limit(where.limit).offset(where.offset)
    query = query.order_by(*(each.desc() if where.is_newest_first else each for each in order))
    return [_run(row) for row in connection.execute(query)], connection.execute(count).scalar_one()


def trim_runs(connection: Connection, job_id: str, keep: int) -> None:
    """Forget the oldest ended runs of a job, so that `keep` stay."""
    mine = select(job_runs.c.seq).where(job_runs.c.job_id == job_id, job_runs.c.state.in_(ENDED))
    newest = mine.order_by(job_runs.c.seq.desc()).offset(keep - 1).limit(1)
    oldest_kept = connection.execute(newest).scalar_one_or_none()
    if oldest_kept is not None:
        old = delete(job_runs).where(job_runs.c.job_id == job_id, job_runs.c.seq < oldest_kept)
        connection.execute(old.where(job_runs.c.state.in_(ENDED)))


def _filtered(query: Select[Any], where: JobRunFilter) -> Select[Any]:
    query = query.where(job_runs.c.state.in_(where.states or ENDED))
    if where.job_id is not None:
        query = query.where(job_runs.c.job_id == where.job_id)
    if where.deliveries is not None:
        query = query.where(job_runs.c.delivery.in_(where.deliveries))
    if where.search:
        pattern = "%" + where.search.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        columns: Sequence[Any] = (job_runs.c.job_name, job_runs.c.job_id, job_runs.c.summary, job_runs.c.error)
        query = query.where(or_(*(func.lower(column).like(pattern, escape="\\") for column in columns)))
    return query


def _job(row: Row[Any]) -> JobRow:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented row mapping
    values["agent_id"] = AgentId(values["agent_id"])
    return JobRow(**values)


def _run(row: Row[Any]) -> JobRun:
    return JobRun(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented row mapping
