"""Statements of the hot path: written once in SQLAlchemy's words, and on SQLite run by the driver itself.

For a statement of a few microseconds SQLAlchemy takes a hundred: a turn spent more on that than on its data. Its
compiler and its types are asked once, for the text of a statement and for what turns values into their stored form
and back; PostgreSQL, where the network takes longer, goes the usual way.
"""

from __future__ import annotations

import json
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import starmap
from typing import TYPE_CHECKING, Any

from msgspec import DecodeError, Struct
from msgspec.json import decode
from sqlalchemy import JSON, Connection, Select
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from homarus.storage.driver import driver_of

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy.sql.compiler import SQLCompiler
    from sqlalchemy.sql.dml import UpdateBase
    from sqlalchemy.types import TypeEngine

Values = Mapping[str, object]
_Convert = Callable[[Any], Any] | None
_DIALECT = SQLiteDialect_pysqlite()


class _Parameters(Struct, frozen=True):
    """The places for values in a statement: their names, what always stands in some, and what turns values into their
    stored form, by place."""

    names: tuple[str, ...]
    constants: Mapping[str, object]
    writers: tuple[tuple[int, Callable[[Any], Any]], ...]

    def stored(self, values: Values) -> list[object]:
        """Return the values as the driver takes them. Raises KeyError when one is not given and has to be."""
        known = {**values, **self.constants} if self.constants else values
        found = [known[name] for name in self.names]
        for place, write in self.writers:
            found[place] = write(found[place])
        return found


class Statement:
    """One statement. `names` are the columns an insert gives: all but those the database fills in itself."""

    def __init__(self, clause: Select[*tuple[Any, ...]] | UpdateBase, names: Sequence[str] | None = None) -> None:
        self._clause = clause
        self._names = names

    def rows(self, connection: Connection, values: Values) -> Sequence[Any]:
        """Return the rows of a select; the columns are attributes of each, in their order."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._clause, dict(values)).all()
        found = self._run(connection, values).fetchall()
        return [self._row(one) for one in found] if self._has_readers else list(starmap(self._shape, found))

    def row(self, connection: Connection, values: Values) -> Any | None:  # noqa: ANN401 - a row has its statement's columns
        """Return the only row of a select, None when there is none. Raises ValueError when there are several."""
        found = self.rows(connection, values)
        if len(found) > 1:
            raise ValueError(f"{len(found)} rows where one was expected")
        return found[0] if found else None

    def run(self, connection: Connection, values: Values) -> int:
        """Change rows; return how many."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._clause, dict(values)).rowcount
        return self._run(connection, values).rowcount

    def insert(self, connection: Connection, values: Values) -> int:
        """Insert a row; return its `seq`."""
        if connection.dialect.name == "sqlite":
            return self._run(connection, values).lastrowid or 0
        key = connection.execute(self._clause, dict(values)).inserted_primary_key
        return int(key[0]) if key is not None else 0

    def _run(self, connection: Connection, values: Values) -> sqlite3.Cursor:
        return driver_of(connection).execute(self._text, self._parameters.stored(values))

    def _row(self, stored: tuple[object, ...]) -> object:
        pairs = zip(stored, self._readers, strict=True)
        return self._shape(*[value if read is None else read(value) for value, read in pairs])

    @cached_property
    def _compiled(self) -> SQLCompiler:
        compiled = self._clause.compile(dialect=_DIALECT, column_keys=self._names)
        if compiled.post_compile_params:
            raise TypeError(f"write `or_` instead of `in_`, which is put together anew for each value: {compiled}")
        return compiled

    @cached_property
    def _text(self) -> str:
        return str(self._compiled)

    @cached_property
    def _parameters(self) -> _Parameters:
        compiled = self._compiled
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        names = tuple(compiled.positiontup or ())
        found = ((place, _writer_of(binds[name].type)) for place, name in enumerate(names))
        return _Parameters(
            names,
            {name: binds[name].effective_value for name in names if not binds[name].required},
            tuple((place, write) for place, write in found if write is not None),
        )

    @cached_property
    def _columns(self) -> Sequence[Any]:
        return tuple(self._clause.selected_columns) if isinstance(self._clause, Select) else ()

    @cached_property
    def _readers(self) -> tuple[_Convert, ...]:
        return tuple(_reader_of(column.type) for column in self._columns)

    @cached_property
    def _has_readers(self) -> bool:
        return any(self._readers)

    @cached_property
    def _shape(self) -> Callable[..., object]:
        return namedtuple("Row", [column.name for column in self._columns])  # type: ignore[misc]


def _reader_of(kind: TypeEngine[Any]) -> _Convert:
    """Return what turns a stored value of a type into the value, None when nothing has to."""
    return read_json if isinstance(kind, JSON) else kind.dialect_impl(_DIALECT).result_processor(_DIALECT, None)


def read_json(text: str | None) -> object:
    """Read stored JSON; a transcript of a hundred entries has two hundred pieces of it."""
    if text is None:
        return None
    try:
        return decode(text)
    except (DecodeError, UnicodeError):
        # Half a surrogate pair or NaN, which the standard library wrote.
        return json.loads(text)


def _writer_of(kind: TypeEngine[Any]) -> _Convert:
    """Return what turns a value of a type into its stored form, None when nothing has to."""
    return kind.dialect_impl(_DIALECT).bind_processor(_DIALECT)
