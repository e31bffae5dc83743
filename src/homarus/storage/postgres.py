"""PostgreSQL by URL: a small pool of threads, one transaction per write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from homarus.errors import StorageError
from homarus.storage.database import refuse_text

P = ParamSpec("P")
T = TypeVar("T")
WORKERS = 8


def create_postgres_engine(url: str) -> Engine:
    """Return an engine for `postgresql://...`. Raises StorageError when the driver is not installed."""
    address = url.replace("postgres://", "postgresql://", 1).replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        return create_engine(address, pool_size=WORKERS, max_overflow=2, pool_pre_ping=True)
    except ImportError as error:
        raise StorageError("the PostgreSQL driver is not installed", fix='pip install "homarus[postgres]"') from error


class PostgresDatabase:
    """State in PostgreSQL."""

    dialect = "postgresql"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # A write in a read would be rolled back without a word; the server refuses it instead.
        self._reader = engine.execution_options(postgresql_readonly=True)
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="postgres")
        self._is_closed = False
        self.is_failing = False

    @property
    def engine(self) -> Engine:
        """Return the engine, for migrations."""
        return self._engine

    async def write(self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` in a transaction and return its result after the commit."""
        return await self._submit(self._write_now, lambda connection: fn(connection, *args, **kwargs))

    async def read(self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` in a read-only transaction; a write in it raises StorageError."""
        return await self._submit(self._read_now, lambda connection: fn(connection, *args, **kwargs))

    async def close(self) -> None:
        """Finish what was accepted and close every connection."""
        self._is_closed = True
        await asyncio.to_thread(self._pool.shutdown)
        self._engine.dispose()

    async def _submit(self, how: Callable[[Callable[[Connection], T]], T], call: Callable[[Connection], T]) -> T:
        if self._is_closed:
            raise StorageError("the database is closed")
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(how, call))

    def _write_now(self, call: Callable[[Connection], T]) -> T:
        try:
            with self._engine.begin() as connection:
                result = call(connection)
        except (DBAPIError, UnicodeEncodeError) as error:
            self.is_failing = isinstance(error, DBAPIError)
            raise translate(error) from error
        self.is_failing = False
        return result

    def _read_now(self, call: Callable[[Connection], T]) -> T:
        try:
            with self._reader.connect() as connection:
                return call(connection)
        except (DBAPIError, UnicodeEncodeError) as error:
            raise translate(error) from error


def translate(error: SQLAlchemyError | UnicodeEncodeError) -> StorageError:
    """Turn a driver failure into StorageError with its fix."""
    if isinstance(error, UnicodeEncodeError):
        return refuse_text(error)
    if not isinstance(error, DBAPIError):
        return StorageError(f"PostgreSQL failed: {error}")
    text = str(error.orig).strip().partition("\n")[0] or type(error.orig).__name__
    if "No space left" in text:
        return StorageError(f"the disk of the PostgreSQL server is full: {text}", fix="free some space there")
    if isinstance(error, OperationalError):
        return StorageError(f"PostgreSQL cannot be reached: {text}", fix="check storage.url and that the server runs")
    return StorageError(f"PostgreSQL failed: {text}")
