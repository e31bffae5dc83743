"""One Homarus per state folder and per database. The kernel or the server drops a lock when its holder dies."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from homarus.errors import StorageError, UserError
from homarus.storage.database import Database
from homarus.storage.postgres import PostgresDatabase, translate

LOCK_NAME = "gateway.lock"
DATABASE_KEY = 0x686F6D61727573
"""Advisory lock of a running gateway; advisory locks count within one PostgreSQL database."""
MAX_CONTENT = 4096


class Holder(Struct, frozen=True):
    """Who holds a state folder. `started_at` in milliseconds; any field is None when the file does not say."""

    pid: int | None = None
    port: int | None = None
    started_at: int | None = None

    def __str__(self) -> str:
        """Return `pid 12, since 2026-01-02 03:04:05 UTC, port 18789`."""
        parts = [f"pid {self.pid if self.pid is not None else 'unknown'}"]
        if self.started_at is not None:
            parts.append(f"since {datetime.fromtimestamp(self.started_at / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC")
        if self.port is not None:
            parts.append(f"port {self.port}")
        return ", ".join(parts)


class StateLock:
    """The right to use a state folder: an advisory lock on `<root>/gateway.lock`."""

    def __init__(self, root: Path) -> None:
        self._path = root / LOCK_NAME
        self._descriptor: int | None = None
        self._holder = Holder()

    def acquire(self, started_at: int, port: int | None = None) -> None:
        """Take the folder. Raises UserError naming the process that has it, StorageError when it cannot be written."""
        if self._descriptor is not None:
            return
        descriptor = _open_lock(self._path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._holder = Holder(os.getpid(), port, started_at)
            _write_holder(descriptor, self._holder)
        except BlockingIOError:
            holder = _read_holder(descriptor)
            os.close(descriptor)
            raise UserError(
                f"another Homarus ({holder}) uses this state folder: {self._path.parent}",
                fix="homarus link lets a browser in to it; stop it with "
                f"kill {holder.pid or '<pid>'}, or set HOMARUS_HOME to another folder",
            ) from None
        except OSError as error:
            os.close(descriptor)
            raise _unwritable(self._path, error) from error
        self._descriptor = descriptor

    def note_port(self, port: int) -> None:
        """Write down the port that is served in the end, which nobody knew while any free one was wanted."""
        if self._descriptor is None or self._holder.port == port:
            return
        self._holder = replace(self._holder, port=port)
        _write_holder(self._descriptor, self._holder)

    def release(self) -> None:
        """Give the folder back; the file stays, since removing it would race with the next holder."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def find_holder(root: Path) -> Holder | None:
    """Return who holds a state folder now, None when nobody does."""
    try:
        descriptor = os.open(root / LOCK_NAME, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_holder(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


class DatabaseLock:
    """The right to run on a PostgreSQL database, held on a connection of its own.

    When the server drops that connection it drops the lock too. Every new connection of the pool therefore checks
    first that the lock is held, takes it again when it is free, and fails when another machine has it meanwhile.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._own = create_engine(engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._mutex = threading.Lock()
        self._connection: Connection | None = None

    def acquire(self) -> None:
        """Take the database. Raises UserError when another Homarus runs on it, StorageError when it is down."""
        try:
            self._hold()
        except SQLAlchemyError as error:
            raise translate(error) from error
        event.listen(self._engine, "connect", self._check)

    def release(self) -> None:
        """Give the database back."""
        if event.contains(self._engine, "connect", self._check):
            event.remove(self._engine, "connect", self._check)
        if self._connection is not None:
            # A server frees what a closed connection held only once it has noticed.
            with suppress(SQLAlchemyError):
                self._connection.exec_driver_sql(f"SELECT pg_advisory_unlock({DATABASE_KEY})")
        self._drop()

    def _hold(self) -> None:
        connection = self._own.connect()
        if not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({DATABASE_KEY})").scalar_one():
            connection.close()
            raise UserError(
                f"another Homarus runs on this database ({self._engine.url.render_as_string(hide_password=True)})",
                fix="stop it, or give each its own database in storage.url",
            )
        self._connection = connection

    def _check(self, driver: DBAPIConnection, _record: object) -> None:
        try:
            with self._mutex:
                if not self._is_held():
                    self._drop()
                    self._hold()
        except BaseException:
            # The pool forgets a connection whose listener failed without closing it.
            driver.close()
            raise

    def _is_held(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.exec_driver_sql("SELECT 1")
        except SQLAlchemyError:
            return False
        return True

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


async def lock_database(database: Database) -> DatabaseLock | None:
    """Take the lock that keeps a second machine off a PostgreSQL database; SQLite has the state folder's lock."""
    if not isinstance(database, PostgresDatabase):
        return None
    lock = DatabaseLock(database.engine)
    await asyncio.to_thread(lock.acquire)
    return lock


def _open_lock(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"the lock file {path} cannot be written: {error.strerror}",
        fix=f"check owner, permissions and free space of {path.parent}, or set HOMARUS_HOME to another folder",
    )


def _write_holder(descriptor: int, holder: Holder) -> None:
    text = json.dumps({"pid": holder.pid, "port": holder.port, "startedAt": holder.started_at}).encode()
    os.pwrite(descriptor, text, 0)
    os.ftruncate(descriptor, len(text))  # afterwards: who reads meanwhile finds a holder


def _read_holder(descriptor: int) -> Holder:
    try:
        value: object = json.loads(os.pread(descriptor, MAX_CONTENT, 0))
    except (OSError, ValueError):
        return Holder()
    if not isinstance(value, dict):
        return Holder()
    fields = cast("dict[str, object]", value)
    return Holder(*(_number(fields.get(name)) for name in ("pid", "port", "startedAt")))


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
