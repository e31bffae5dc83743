"""Run rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from homarus.ids import AgentId
from homarus.storage.records import Run
from homarus.storage.sessions import address_json, read_address
from homarus.storage.tables import runs

ENDED = ("state", "text", "error", "stop_reason", "model", "usage", "ended_at")
_INSERT = insert(runs)
_BY_ID = select(runs).where(runs.c.id == bindparam("run_id"))
# SQLite has one writer and leaves the clause out.
_LOCKED = _BY_ID.with_for_update()
_END = (
    update(runs)
    .where(runs.c.id == bindparam("run_id"))
    .values({name: bindparam(f"new_{name}", type_=runs.c[name].type) for name in ENDED})
)


def insert_run(connection: Connection, run: Run) -> None:
    """Store a run that begins."""
    values = {name: getattr(run, name) for name in runs.c.keys()}  # noqa: SIM118 - columns, not a dict
    values["address"] = address_json(run.address)
    connection.execute(_INSERT, values)


def end_run(connection: Connection, end: Run) -> None:
    """Store how a run ended."""
    values = {f"new_{name}": getattr(end, name) for name in ENDED}
    connection.execute(_END, {"run_id": end.id, **values})


def count_start(connection: Connection, run_id: str) -> int:
    """Note that a run is resumed and return how often it has begun."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(starts=runs.c.starts + 1))
    return connection.execute(select(runs.c.starts).where(runs.c.id == run_id)).scalar_one()


def select_run(connection: Connection, run_id: str) -> Run | None:
    """Return one run."""
    row = connection.execute(_BY_ID, {"run_id": run_id}).one_or_none()
    return None if row is None else _run(row)


def lock_run(connection: Connection, run_id: str) -> Run | None:
    """Return one run and keep every other transaction from changing it until this one has ended."""
    row = connection.execute(_LOCKED, {"run_id": run_id}).one_or_none()
    return None if row is None else _run(row)


def select_running(connection: Connection) -> list[Run]:
    """Return the runs that a stop interrupted, oldest first."""
    query = select(runs).where(runs.c.state == "running").order_by(runs.c.started_at)
    return [_run(row) for row in connection.execute(query)]


def _run(row: Row[Any]) -> Run:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented row mapping
    values["address"] = read_address(values["address"])
    values["agent_id"] = AgentId(values["agent_id"])
    values["usage"] = values["usage"] or {}
    return Run(**values)
