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

    from sqlalchemy import BindParameter
    from sqlalchemy.sql.compiler import SQLCompiler
    from sqlalchemy.sql.dml import UpdateBase
    from sqlalchemy.types import TypeEngine

Values = Mapping[str, object]
_Convert = Callable[[Any], Any] | None
_DIALECT = SQLiteDialect_pysqlite()


class _Parameter(Struct, frozen=True):
    """One place for a value: its name, or what always stands there, and what turns it into its stored form."""

    name: str
    is_given: bool
    constant: object
    write: _Convert

    def stored(self, values: Values) -> object:
        """Return the value as the driver takes it. Raises KeyError when it is not given and has to be."""
        value = values[self.name] if self.is_given else self.constant
        return value if self.write is None else self.write(value)


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
        parameters = [parameter.stored(values) for parameter in self._parameters]
        return driver_of(connection).execute(self._text, parameters)

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
    def _parameters(self) -> tuple[_Parameter, ...]:
        compiled = self._compiled
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        return tuple(_parameter(name, binds[name]) for name in compiled.positiontup or ())

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
    return _read_json if isinstance(kind, JSON) else kind.dialect_impl(_DIALECT).result_processor(_DIALECT, None)


def _read_json(text: str | None) -> object:
    """Read stored JSON; a transcript of a hundred entries has two hundred pieces of it."""
    if text is None:
        return None
    try:
        return decode(text)
    except (DecodeError, UnicodeError):
        # Half a surrogate pair or NaN, which the standard library wrote.
        return json.loads(text)


def _parameter(name: str, bind: BindParameter[Any]) -> _Parameter:
    write = bind.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    return _Parameter(name, bind.required, None if bind.required else bind.effective_value, write)
