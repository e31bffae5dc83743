"""Inserts that may meet an existing row, alike on SQLite and PostgreSQL.

Statements are built once per shape and kept: building one costs more than running it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite

from homarus.storage.statement import Statement

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def insert_ignore(connection: Connection, table: Table, values: Mapping[str, object]) -> bool:
    """Insert a row unless one with the same unique key exists; True when it was inserted."""
    return _insert_ignore(connection.dialect.name, table, tuple(values)).run(connection, values) == 1


def upsert(
    connection: Connection,
    table: Table,
    values: Mapping[str, object],
    *,
    keep: Iterable[str] = (),
    add: Iterable[str] = (),
    both: Iterable[str] = (),
) -> None:
    """Insert a row or change the one with its primary key.

    On a change, columns in `keep` stay as they are, numbers in `add` are added to what is stored, flags in `both`
    stay true only when the given one is true as well, and all other given columns are replaced.
    """
    shape = (tuple(values), tuple(keep), tuple(add), tuple(both))
    _upsert(connection.dialect.name, table, *shape).run(connection, values)


def _insert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    if dialect == "sqlite":
        return sqlite.insert(table).inline()
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - 50 ms that SQLite never needs

    return postgresql.insert(table).inline()


@cache
def _insert_ignore(dialect: str, table: Table, names: tuple[str, ...]) -> Statement:
    # Without the option PostgreSQL's count is gone with the cursor, and every insert looks ignored.
    clause = _insert(dialect, table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
    return Statement(clause, names)


@cache
def _upsert(
    dialect: str,
    table: Table,
    names: tuple[str, ...],
    keep: tuple[str, ...],
    add: tuple[str, ...],
    both: tuple[str, ...],
) -> Statement:
    statement = _insert(dialect, table)
    keys = [column.name for column in table.primary_key]
    changes: dict[str, object] = {}
    for name in names:
        if name in keys or name in keep:
            continue
        given = statement.excluded[name]
        if name in add:
            changes[name] = table.c[name] + given
        else:
            changes[name] = table.c[name] & given if name in both else given
    if not changes:
        return Statement(statement.on_conflict_do_nothing(index_elements=keys), names)
    return Statement(statement.on_conflict_do_update(index_elements=keys, set_=changes), names)
