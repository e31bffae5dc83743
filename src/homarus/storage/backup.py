"""Copies of a SQLite database, taken while it is in use and checked before they count."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from homarus.errors import StorageError
from homarus.storage.database import Database
from homarus.storage.driver import driver_of
from homarus.storage.sqlite import SqliteDatabase

PAGES_PER_STEP = 1024
BUSY_SECONDS = 30.0


async def create_backup(database: Database, path: Path) -> str:
    """Copy a SQLite database to `path` (mode 0600) and return the revision of the verified copy.

    Raises StorageError when the copy cannot be written or does not verify; then `path` does not exist.
    """
    if not isinstance(database, SqliteDatabase):
        raise StorageError(
            "only a SQLite database can be copied to a file",
            fix="back up PostgreSQL with pg_dump --format=custom",
        )
    return await database.read(lambda connection: copy_database(driver_of(connection), path))


def copy_database(source: sqlite3.Connection, path: Path) -> str:
    """Copy what a connection sees to `path`, verify the copy and return its revision. Raises StorageError."""
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        with closing(sqlite3.connect(partial)) as target:
            source.backup(target, pages=PAGES_PER_STEP)
            # A copy of a WAL database wants a -wal file beside it to be read; a backup is one file.
            target.execute("PRAGMA journal_mode=DELETE")
        revision = verify_backup(partial)
        _sync(partial)
        partial.replace(path)
        _sync(path.parent)
    except (sqlite3.Error, OSError) as error:
        _discard(partial)
        raise StorageError(
            f"no backup could be written to {path}: {error}", fix="check free space and permissions"
        ) from error
    except StorageError:
        _discard(partial)
        raise
    return revision


def copy_file(source: Path, path: Path) -> str:
    """Copy a SQLite file that others may be writing to; as `copy_database`. Raises StorageError."""
    try:
        with closing(sqlite3.connect(source, isolation_level=None, timeout=BUSY_SECONDS)) as connection:
            # An open read transaction keeps the copy at one moment; otherwise each commit would begin it anew.
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return copy_database(connection, path)
    except sqlite3.Error as error:
        raise StorageError(f"{source} cannot be read: {error}", fix="homarus doctor") from error


def verify_backup(path: Path) -> str:
    """Check every page of a copy and return its revision. Raises StorageError for anything that is not intact."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            problems = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
            if problems != ["ok"]:
                raise StorageError(f"{path} is damaged: {'; '.join(problems)}", fix="use another backup")
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise StorageError(f"{path} is not a readable Homarus database: {error}", fix="use another backup") from error
    if row is None:
        raise StorageError(f"{path} does not say which schema it has", fix="use another backup")
    return str(row[0])


def _discard(path: Path) -> None:
    # What made the copy fail may keep it from being removed as well; the first failure is the one to tell.
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
