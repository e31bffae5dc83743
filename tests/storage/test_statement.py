"""Statements do the same on either way: on SQLite through the driver, on PostgreSQL through SQLAlchemy."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, bindparam, insert, or_, select, update

from homarus.storage.database import Database
from homarus.storage.statement import Statement
from homarus.storage.tables import runs, usage

RUN: dict[str, object] = {
    **dict.fromkeys(runs.c.keys()),
    "id": "r1",
    "agent_id": "main",
    "session_key": "agent:main:main",
    "session_id": "s",
    "state": "running",
    "starts": 1,
    "origin": {"kind": "chat", "n": [1, None]},
    "text": "",
    "started_at": 5,
}
COUNTS = ("calls", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
USED = {
    **dict.fromkeys(COUNTS, 0),
    "agent_id": "main",
    "day": "2026-01-01",
    "provider": "p",
    "model": "m",
    "is_priced": True,
    "cost_usd": 0.25,
}
INSERT = Statement(insert(runs), tuple(RUN))
BY_STATE = Statement(select(runs).where(runs.c.state == bindparam("wanted")).order_by(runs.c.id))
END = Statement(
    update(runs)
    .where(runs.c.id == bindparam("wanted"), or_(runs.c.state == "running", runs.c.state == "paused"))
    .values(state="done", usage=bindparam("used", type_=runs.c.usage.type), ended_at=bindparam("now"))
)


def read_all(connection: Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(select(runs).order_by(runs.c.id))]


async def test_rows_hold_what_sqlalchemy_reads(database: Database) -> None:
    await database.write(INSERT.run, RUN)
    await database.write(INSERT.run, {**RUN, "id": "r2", "address": ["irc", "default", "#x", None]})
    found = await database.read(BY_STATE.rows, {"wanted": "running"})
    assert [tuple(row) for row in found] == await database.read(read_all)
    assert [(row.id, row.address, row.origin) for row in found] == [
        ("r1", None, {"kind": "chat", "n": [1, None]}),
        ("r2", ["irc", "default", "#x", None], {"kind": "chat", "n": [1, None]}),
    ]


async def test_a_change_says_how_many_rows_it_met(database: Database) -> None:
    await database.write(INSERT.run, RUN)
    values = {"wanted": "r1", "used": {"input": 1}, "now": 9}
    assert await database.write(END.run, values) == 1
    assert await database.write(END.run, values) == 0
    ended = await database.read(BY_STATE.row, {"wanted": "done"})
    assert ended is not None
    assert (ended.usage, ended.ended_at) == ({"input": 1}, 9)


async def test_json_that_is_unusual_comes_back_as_it_was(sqlite_database: Database) -> None:
    odd = {"text": "half a pair \ud83d", "large": 2**70, "endless": float("inf"), "none": None}
    await sqlite_database.write(INSERT.run, {**RUN, "origin": odd, "usage": {}})
    row = await sqlite_database.read(BY_STATE.row, {"wanted": "running"})
    assert row is not None
    assert (row.origin, row.usage, row.address) == (odd, {}, None)


async def test_flags_and_fractions_come_back_as_they_were(database: Database) -> None:
    await database.write(Statement(insert(usage), tuple(USED)).run, USED)
    row = await database.read(Statement(select(usage.c.is_priced, usage.c.cost_usd)).row, {})
    assert row is not None
    assert (row.is_priced, row.cost_usd) == (True, 0.25)


async def test_one_row_is_not_taken_out_of_several(database: Database) -> None:
    await database.write(INSERT.run, RUN)
    await database.write(INSERT.run, {**RUN, "id": "r2"})
    assert await database.read(BY_STATE.row, {"wanted": "done"}) is None
    with pytest.raises(ValueError, match="2 rows"):
        await database.read(BY_STATE.row, {"wanted": "running"})


async def test_a_value_that_is_missing_is_no_null(sqlite_database: Database) -> None:
    with pytest.raises(KeyError, match="used"):
        await sqlite_database.write(END.run, {"wanted": "r1", "now": 9})


async def test_a_list_of_values_is_refused(sqlite_database: Database) -> None:
    several = Statement(select(runs).where(runs.c.state.in_(("running", "done"))))
    with pytest.raises(TypeError, match="instead of `in_`"):
        await sqlite_database.read(several.rows, {})


async def test_a_statement_in_a_write_that_fails_is_undone(database: Database) -> None:
    def fail(connection: Connection) -> None:
        INSERT.run(connection, RUN)
        raise LookupError("no")

    with pytest.raises(LookupError):
        await database.write(fail)
    assert await database.read(read_all) == []
