"""Inserts that may meet an existing row, alike on SQLite and PostgreSQL.

Statements are built once per shape and kept, so that SQLAlchemy finds its compiled text by identity of the same key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects import sqlite

from homarus.storage.driver import driver_of

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


class _Prepared(Struct, frozen=True):
    """A statement as SQLite's driver takes it: its text, the names of its parameters in order, and what writes each."""

    text: str
    names: tuple[str, ...]
    writers: tuple[Callable[[object], object] | None, ...]

    def parameters(self, values: Mapping[str, object]) -> list[object]:
        """Return the values in order, in their stored form."""
        pairs = zip(self.names, self.writers, strict=True)
        return [values[name] if write is None else write(values[name]) for name, write in pairs]


def insert_ignore(connection: Connection, table: Table, values: Mapping[str, object]) -> bool:
    """Insert a row unless one with the same unique key exists; True when it was inserted."""
    if connection.dialect.name != "sqlite":
        return connection.execute(_insert_ignore(connection.dialect.name, table), dict(values)).rowcount == 1
    # Every message comes this way; SQLAlchemy would take three quarters of the time of this statement.
    prepared = _prepare(connection.dialect, table, tuple(values))
    return driver_of(connection).execute(prepared.text, prepared.parameters(values)).rowcount == 1


@cache
def _prepare(dialect: Dialect, table: Table, names: tuple[str, ...]) -> _Prepared:
    compiled = _insert_ignore(dialect.name, table).compile(dialect=dialect, column_keys=names)
    order = tuple(compiled.positiontup or ())
    writers = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in order]
    return _Prepared(str(compiled), order, tuple(writers))


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
    connection.execute(_upsert(connection.dialect.name, table, *shape), dict(values))


def _insert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    if dialect == "sqlite":
        return sqlite.insert(table).inline()
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - 50 ms that SQLite never needs

    return postgresql.insert(table).inline()


@cache
def _insert_ignore(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    # Without the option PostgreSQL's count is gone with the cursor, and every insert looks ignored.
    return _insert(dialect, table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


@cache
def _upsert(
    dialect: str,
    table: Table,
    names: tuple[str, ...],
    keep: tuple[str, ...],
    add: tuple[str, ...],
    both: tuple[str, ...],
) -> sqlite.Insert | postgresql.Insert:
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
        return statement.on_conflict_do_nothing(index_elements=keys)
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)
