"""A database in memory that outlives the processes that use it, and fails the way disks and servers do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from homarus.errors import StorageError
from homarus.storage.database import Connection
from homarus.storage.schema import create_schema
from homarus.storage.sqlite import (
    MAX_BATCH,
    _commit,  # pyright: ignore[reportPrivateUsage] - the writer's own commit, without its thread
    _Write,  # pyright: ignore[reportPrivateUsage]
    create_sqlite_engine,
    driver_of,
)
from homarus.testing.simulation.files import MemoryFiles
from homarus.testing.simulation.life import Life

P = ParamSpec("P")
T = TypeVar("T")
MEMORY = Path(":memory:")


class Disk:
    """What is committed. One is used for many seeds, because building statements is most of the cost of a new one."""

    def __init__(self) -> None:
        self._engine = create_sqlite_engine(MEMORY)
        self._empty = self._engine.connect()
        create_schema(self._empty)
        self._empty.commit()
        self.connection = self._engine.connect()
        self.files = MemoryFiles()

    def erase(self) -> None:
        """Begin anew with an empty database."""
        self.connection.rollback()
        self.files.clear()
        driver_of(self._empty).backup(driver_of(self.connection))

    def commit(self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` in a commit of its own, without faults. Raises what `fn` raises."""
        loop = asyncio.get_running_loop()
        write = _Write(lambda connection: fn(connection, *args, **kwargs), loop, loop.create_future())
        _commit(self.connection, [write])
        if write.error is not None:
            raise write.error
        return write.result

    def look(self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Read what is committed, without faults: for the one who checks, not for the process."""
        result = fn(self.connection, *args, **kwargs)
        self.connection.rollback()
        return result

    def close(self) -> None:
        """Forget everything."""
        self._empty.close()
        self.connection.close()
        self._engine.dispose()


class DiskDatabase:
    """The database of one life of the process; implements homarus.storage.database.Database with group commit."""

    dialect = "sqlite"
    is_failing = False

    def __init__(self, disk: Disk, life: Life) -> None:
        self._disk = disk
        self._life = life
        self._waiting: list[_Write] = []
        self._is_busy = False

    async def write(self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` in the next commit; a caller that is cancelled meanwhile does not undo it."""
        await self._life.go_on()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Write(lambda connection: fn(connection, *args, **kwargs), loop, future))
        if not self._is_busy:
            self._plan()
        return await future

    async def read(self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` on what is committed now."""
        life = self._life
        await life.go_on()
        await life.clock.sleep(life.random.uniform(0.0001, 0.002))
        await life.die_if("kill in read")
        if life.faults.hits("read fails"):
            life.note("read fails")
            raise StorageError("the disk failed: disk I/O error")
        return self._disk.look(fn, *args, **kwargs)

    async def close(self) -> None:
        """Do nothing: the disk stays."""

    def _plan(self) -> None:
        life = self._life
        self._is_busy = True
        is_slow = life.faults.hits("commit slow")
        pause = life.random.uniform(1.0, 20.0) if is_slow else life.random.uniform(0.0005, 0.01)
        asyncio.get_running_loop().call_later(pause, self._flush)

    def _flush(self) -> None:
        batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
        self._is_busy = False
        if self._life.is_over or self._life.dies("kill before commit"):
            return
        failure = self._failure()
        if failure is None:
            _commit(self._disk.connection, batch)
            self._life.note(f"commit of {len(batch)}")
            if self._life.dies("kill after commit"):
                return
            if self._life.faults.hits("commit answer lost"):
                failure = StorageError("the connection to the database was lost")
        for write in batch:
            _answer(write, failure)
        if self._waiting:
            self._plan()

    def _failure(self) -> StorageError | None:
        life = self._life
        if life.faults.holds("disk full", life.clock.monotonic()):
            life.note("disk full")
            return StorageError("the disk is full: database or disk is full")
        if life.faults.hits("commit fails"):
            life.note("commit fails")
            return StorageError("the disk failed: disk I/O error")
        return None


def _answer(write: _Write, failure: StorageError | None) -> None:
    future: asyncio.Future[Any] = write.future
    error = failure or write.error
    if future.cancelled():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(write.result)
