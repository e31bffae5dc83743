"""SQLite: one writer thread with group commit, a few readers, WAL, `synchronous=FULL`."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from msgspec import Struct
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from homarus.errors import HomarusError, StorageError
from homarus.meter import SIZES, Histogram
from homarus.storage.database import refuse_text, settle
from homarus.storage.driver import driver_of
from homarus.storage.statement import read_json

P = ParamSpec("P")
T = TypeVar("T")
MAX_BATCH = 256
"""Writes after which no more are taken into a commit."""
MAX_WAITING = 10_000
"""Writes accepted at once; further callers wait for their turn."""
READERS = 2
LOCK_SECONDS = 10
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-4000", "temp_store=MEMORY")


class _Write(Struct):
    call: Callable[[Connection], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


def create_sqlite_engine(path: Path) -> Engine:
    """Return an engine whose transactions begin only when told to and whose commits survive power loss."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=READERS + 1,
        max_overflow=2,
        connect_args={"check_same_thread": False, "timeout": LOCK_SECONDS},
        json_deserializer=read_json,
    )

    def configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", configure)
    return engine


class SqliteDatabase:
    """The embedded default."""

    dialect = "sqlite"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queue: queue.SimpleQueue[list[_Write] | None] = queue.SimpleQueue()
        self._waiting = 0
        self._gathered: dict[asyncio.AbstractEventLoop, list[_Write]] = {}
        self._places = asyncio.Semaphore(MAX_WAITING)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-read")
        self._reading = threading.local()
        self._opened: list[Connection] = []
        self._is_closed = False
        self.is_failing = False
        self.batches = Histogram(SIZES)
        self._writer = threading.Thread(target=self._write_forever, name="sqlite-write", daemon=True)
        self._writer.start()

    @property
    def engine(self) -> Engine:
        """Return the engine, for backup and migrations."""
        return self._engine

    @property
    def waiting(self) -> int:
        """Return how many writes wait for their commit."""
        return self._waiting

    async def write(self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` in a transaction and return its result after the commit.

        A caller that is cancelled while it waits does not undo a write that was accepted.
        """
        async with self._places:
            if self._is_closed:
                raise StorageError("the database is closed")
            loop = asyncio.get_running_loop()
            future: asyncio.Future[T] = loop.create_future()
            self._gather(_Write(lambda connection: fn(connection, *args, **kwargs), loop, future))
            self._waiting += 1
            try:
                return await future
            finally:
                self._waiting -= 1

    async def read(self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` on one snapshot of the database; a write in it raises StorageError."""
        if self._is_closed:
            raise StorageError("the database is closed")
        call = partial(self._read_now, lambda connection: fn(connection, *args, **kwargs))
        return await asyncio.get_running_loop().run_in_executor(self._readers, call)

    async def close(self) -> None:
        """Commit what was accepted, checkpoint and close."""
        if not self._is_closed:
            self._is_closed = True
            for loop in tuple(self._gathered):
                self._pass_on(loop)
            self._queue.put(None)
        await asyncio.to_thread(self._finish)

    def _gather(self, write: _Write) -> None:
        """Give the writer at once what one round of the loop asks for: woken by the first, it would sync twice."""
        gathered = self._gathered.setdefault(write.loop, [])
        gathered.append(write)
        if len(gathered) == 1:
            write.loop.call_soon(self._pass_on, write.loop)

    def _pass_on(self, loop: asyncio.AbstractEventLoop) -> None:
        gathered = self._gathered.pop(loop, [])
        for first in range(0, len(gathered), MAX_BATCH):
            self._queue.put(gathered[first : first + MAX_BATCH])

    def _finish(self) -> None:
        self._writer.join()
        self._readers.shutdown(wait=True)
        for connection in self._opened:
            connection.close()
        self._engine.dispose()

    def _read_now(self, call: Callable[[Connection], T]) -> T:
        try:
            connection = self._reader()
            driver = driver_of(connection)
            driver.execute("BEGIN")
            try:
                return call(connection)
            finally:
                # What went through SQLAlchemy counts as a transaction of its own, too.
                connection.rollback()
                driver.rollback()
        except (DBAPIError, sqlite3.Error, UnicodeEncodeError, OverflowError) as error:
            raise translate(error) from error

    def _reader(self) -> Connection:
        """Return this thread's connection, which is kept: the pool's share would be half of a small read."""
        known: Connection | None = getattr(self._reading, "connection", None)
        if known is not None and not known.invalidated:
            return known
        connection = self._engine.connect()
        driver_of(connection).execute("PRAGMA query_only=ON")
        self._reading.connection = connection
        self._opened.append(connection)
        return connection

    def _write_forever(self) -> None:
        with self._engine.connect() as connection:
            while (batch := self._queue.get()) is not None:
                while len(batch) < MAX_BATCH:
                    try:
                        more = self._queue.get_nowait()
                    except queue.Empty:
                        break
                    if more is None:
                        self._queue.put(None)
                        break
                    batch += more
                self.batches.observe(len(batch))
                self.is_failing = not _commit(connection, batch)
                _answer(batch)


def _commit(connection: Connection, batch: Sequence[_Write]) -> bool:
    """Run a batch in one transaction; False when nothing of it was kept."""
    try:
        # Through the driver: SQLAlchemy's share of these statements would be a third of a write.
        driver = driver_of(connection)
        driver.execute("BEGIN IMMEDIATE")
        for write in batch:
            _run_in_savepoint(connection, driver, write)
        driver.commit()
        # What went through SQLAlchemy counts as a transaction of its own, of which nothing is left.
        connection.rollback()
    except BaseException as error:  # noqa: BLE001 - the writer thread must outlive any failed commit
        failure = translate(error)
        _roll_back(connection)
        for write in batch:
            write.error = write.error or failure
        return False
    return True


def _run_in_savepoint(connection: Connection, driver: sqlite3.Connection, write: _Write) -> None:
    driver.execute("SAVEPOINT w")
    try:
        write.result = write.call(connection)
    except BaseException as error:
        # A future refuses StopIteration, and the waiter would wait forever.
        write.error = RuntimeError("StopIteration") if isinstance(error, StopIteration) else translate(error)
        if not driver.in_transaction:
            # A full disk or an I/O error ended the whole transaction; the batch fails with the cause.
            raise
        driver.execute("ROLLBACK TO w")
    driver.execute("RELEASE w")


def _roll_back(connection: Connection) -> None:
    try:
        connection.rollback()
        # After a failed COMMIT SQLAlchemy counts the transaction as over, SQLite does not.
        driver_of(connection).rollback()
    except (DBAPIError, sqlite3.Error):
        connection.invalidate()
        connection.rollback()


def _answer(batch: Sequence[_Write]) -> None:
    """Wake the waiters, each loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Write]] = {}
    for write in batch:
        by_loop.setdefault(write.loop, []).append(write)
    for loop, writes in by_loop.items():
        # A loop that was closed has no waiters left.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle_all, writes)


def _settle_all(writes: Sequence[_Write]) -> None:
    for write in writes:
        settle(write.future, write.result, write.error)


def translate(error: BaseException) -> BaseException:
    """Turn a driver failure into StorageError with its fix; leave our own errors and bugs as they are."""
    if isinstance(error, UnicodeEncodeError):
        return refuse_text(error)
    if isinstance(error, OverflowError):
        return StorageError(f"a number is too large for the database: {error}")
    if isinstance(error, HomarusError) or not isinstance(error, DBAPIError | sqlite3.Error):
        return error
    text = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    for mark, message, fix in FAILURES:
        if mark in text:
            return StorageError(f"{message}: {text}", fix=fix)
    return StorageError(f"the database failed: {text}")


PERMISSION_FIX = "check owner and permissions of the state folder"
DAMAGE_FIX = "homarus doctor names the newest backup; or move the file away to begin anew"
FAILURES = (
    ("is full", "the disk is full", "free some space; everything accepted before is safe"),
    ("readonly", "the database cannot be written", PERMISSION_FIX),
    ("unable to open", "the database cannot be opened", PERMISSION_FIX),
    (
        "disk I/O error",
        "the disk failed",
        "check free space, quota and health of the disk; the system log may say more",
    ),
    ("locked", "another program holds the database", "close other programs that have the file open"),
    ("not a database", "the file is not a SQLite database", DAMAGE_FIX),
    ("malformed", "the database is damaged", DAMAGE_FIX),
)
