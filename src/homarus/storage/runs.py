"""Run rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from homarus.ids import AgentId
from homarus.storage.records import Run
from homarus.storage.sessions import address_json, read_address
from homarus.storage.tables import runs


def insert_run(connection: Connection, run: Run) -> None:
    """Store a run that begins."""
    values = {name: getattr(run, name) for name in runs.c.keys()}  # noqa: SIM118 - columns, not a dict
    values["address"] = address_json(run.address)
    connection.execute(insert(runs), values)


def update_run(connection: Connection, run_id: str, values: dict[str, object]) -> None:
    """Change columns of a run."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(values))


def count_start(connection: Connection, run_id: str) -> int:
    """Note that a run is resumed and return how often it has begun."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(starts=runs.c.starts + 1))
    return connection.execute(select(runs.c.starts).where(runs.c.id == run_id)).scalar_one()


def select_run(connection: Connection, run_id: str) -> Run | None:
    """Return one run."""
    row = connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()
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
