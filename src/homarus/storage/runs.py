"""Run rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from homarus.ids import Address, AgentId
from homarus.storage.records import Run
from homarus.storage.sessions import address_json, read_address
from homarus.storage.statement import Statement
from homarus.storage.tables import runs

LONGEST = 24 * 3_600_000
"""Milliseconds a run goes on at most, when the database looks for those that ended in some time."""
_NAMES = tuple(runs.c.keys())
ENDED = ("state", "text", "error", "stop_reason", "model", "usage", "ended_at")
_INSERT = Statement(insert(runs), runs.c.keys())
_SELECT = select(runs).where(runs.c.id == bindparam("run_id"))
_BY_ID = Statement(_SELECT)
# SQLite has one writer and leaves the clause out.
_LOCKED = Statement(_SELECT.with_for_update())
_END = Statement(
    update(runs)
    .where(runs.c.id == bindparam("run_id"))
    .values({name: bindparam(f"new_{name}", type_=runs.c[name].type) for name in ENDED})
)


def insert_run(connection: Connection, run: Run) -> None:
    """Store a run that begins."""
    values = {name: getattr(run, name) for name in runs.c.keys()}  # noqa: SIM118 - columns, not a dict
    values["address"] = address_json(run.address)
    _INSERT.run(connection, values)


def end_run(connection: Connection, end: Run) -> None:
    """Store how a run ended."""
    values = {f"new_{name}": getattr(end, name) for name in ENDED}
    _END.run(connection, {"run_id": end.id, **values})


def count_start(connection: Connection, run_id: str) -> int:
    """Note that a run is resumed and return how often it has begun."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(starts=runs.c.starts + 1))
    return connection.execute(select(runs.c.starts).where(runs.c.id == run_id)).scalar_one()


def select_run(connection: Connection, run_id: str) -> Run | None:
    """Return one run."""
    row = _BY_ID.row(connection, {"run_id": run_id})
    return None if row is None else _run(row)


def lock_run(connection: Connection, run_id: str) -> Run | None:
    """Return one run and keep every other transaction from changing it until this one has ended."""
    row = _LOCKED.row(connection, {"run_id": run_id})
    return None if row is None else _run(row)


def select_told_errors(connection: Connection, session_key: str, address: Address, since: int) -> set[str]:
    """Return why runs of a session failed that ended after `since` and told so in a chat."""
    query = select(runs.c.error, runs.c.address).where(
        runs.c.session_key == session_key,
        runs.c.started_at > since - LONGEST,
        runs.c.ended_at > since,
        runs.c.error.is_not(None),
        runs.c.text != "",
    )
    return {str(error) for error, place in connection.execute(query) if read_address(place) == address}


def _run(row: Any) -> Run:  # noqa: ANN401 - a row of either kind
    values = dict(zip(_NAMES, row, strict=True))
    values["address"] = read_address(values["address"])
    values["agent_id"] = AgentId(values["agent_id"])
    values["usage"] = values["usage"] or {}
    return Run(**values)
