"""A driver's connection of which a commit or a statement may fail: much of the pipeline goes round SQLAlchemy."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from msgspec import Struct
from sqlalchemy import Engine, event

OF_TRANSACTIONS = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "PRAGMA")


class Faults(Struct):
    """What is asked before each commit, with the commit itself, and before each statement on rows; both may raise."""

    on_commit: Callable[[Callable[[], None]], None] = lambda _commit: None
    on_statement: Callable[[], None] = lambda: None


FAULTS = Faults()


class _Cursor(sqlite3.Cursor):
    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if not sql.startswith(OF_TRANSACTIONS):
            FAULTS.on_statement()
        return super().execute(sql, *parameters)


class _Connection(sqlite3.Connection):
    def commit(self) -> None:
        FAULTS.on_commit(super().commit)
        super().commit()

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(_Cursor)


@contextmanager
def faulty_driver() -> Generator[None]:
    """Let databases that are opened until the block ends use that connection."""

    def choose(dialect: Any, _record: object, _arguments: object, options: dict[str, Any]) -> None:
        if dialect.name == "sqlite":
            options["factory"] = _Connection

    event.listen(Engine, "do_connect", choose)
    try:
        yield
    finally:
        event.remove(Engine, "do_connect", choose)


@contextmanager
def faultless_again() -> Generator[None]:
    """Forget the faults that were put in when the block ends."""
    try:
        yield
    finally:
        FAULTS.on_commit, FAULTS.on_statement = Faults().on_commit, Faults().on_statement
