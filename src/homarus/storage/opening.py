"""From a database address to a usable Database: made when new, brought up to date when old, refused when newer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from pathlib import Path

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from homarus.clock import Clock
from homarus.errors import StorageError
from homarus.storage import postgres, sqlite
from homarus.storage.database import Database
from homarus.storage.lock import LOCK_NAME
from homarus.storage.schema import HEAD, REVISIONS, create_schema, read_revision

DEFAULT_NAME = "homarus.db"
CREATE_KEY = 0x486F6D61727573
"""Advisory lock under which a PostgreSQL schema is made (the letters of the name)."""


async def open_database(url: str | None, state_root: Path, clock: Clock, *, skip_backup: bool = False) -> Database:
    """Open the database at `url`; None means SQLite at `state_root/homarus.db`.

    `sqlite:///relative`, `sqlite:////absolute` and `postgresql://user:password@host/name` are understood. An older
    schema is upgraded after a verified backup in `state_root/backups`; `skip_backup` drops that step on PostgreSQL,
    for owners who keep their own. Raises StorageError, changing nothing, for a newer, foreign or damaged database and
    for a place that cannot be written.
    """
    return await asyncio.to_thread(_open, url, state_root, clock, skip_backup=skip_backup)


def describe_lost_file(state_root: Path) -> str | None:
    """Return what to say when a folder that a gateway has used is without its database; call it before the lock."""
    path = state_root / DEFAULT_NAME
    if path.exists() or not (state_root / LOCK_NAME).exists():
        return None
    return (
        f"{path} was gone, and a new one was made: messages, sessions and pairings from before are not in it. "
        "If that was not meant: stop the gateway, and homarus backup restore FILE"
    )


def _open(url: str | None, state_root: Path, clock: Clock, *, skip_backup: bool) -> Database:
    kind, path = _parse(url, state_root)
    if path is not None:
        _prepare_file(path)
        engine = sqlite.create_sqlite_engine(path)
    else:
        engine = postgres.create_postgres_engine(url or "")
    try:
        _bring_up(engine, state_root, clock, skip_backup=skip_backup)
        return sqlite.SqliteDatabase(engine) if kind == "sqlite" else postgres.PostgresDatabase(engine)
    except SQLAlchemyError as error:
        engine.dispose()
        failure = sqlite.translate(error) if kind == "sqlite" else postgres.translate(error)
        where = str(path) if path else engine.url.render_as_string(hide_password=True)
        if isinstance(failure, StorageError):
            raise StorageError(f"{where}: {failure.message}", fix=failure.fix) from error
        raise StorageError(f"{where}: {error}", fix="check storage.url") from error
    except BaseException:
        engine.dispose()
        raise


def _parse(url: str | None, state_root: Path) -> tuple[str, Path | None]:
    if url is None:
        return "sqlite", state_root / DEFAULT_NAME
    fix = "set storage.url to postgresql://user:password@host/name, or leave it unset for SQLite"
    try:
        parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    except ArgumentError as error:
        raise StorageError("storage.url is not a database address", fix=fix) from error
    if parsed.drivername == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise StorageError("storage.url names no SQLite file", fix="use sqlite:////absolute/path.db")
        return "sqlite", Path(parsed.database)
    if parsed.drivername != "postgresql":
        raise StorageError(f"storage.url has an unknown kind of database: {parsed.drivername}", fix=fix)
    return "postgresql", None


def _prepare_file(path: Path) -> None:
    """Make folder and file before SQLite does, so that no one else can ever read them."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
                with contextlib.suppress(PermissionError):
                    os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StorageError(
            f"the database file {path} cannot be written: {error.strerror}",
            fix=f"check owner, permissions and free space of {path.parent}, or set HOMARUS_HOME to another folder",
        ) from error


def _bring_up(engine: Engine, state_root: Path, clock: Clock, *, skip_backup: bool) -> None:
    with engine.connect() as connection:
        _begin_exclusive(connection)
        revision = read_revision(connection)
        if revision is None:
            create_schema(connection)
        else:
            _check_revision(revision, state_root)
        connection.commit()
    if revision is not None and revision != HEAD:
        from homarus.storage.upgrade import upgrade  # noqa: PLC0415 - alembic: 150 ms and 12 MB, once per upgrade

        upgrade(engine, revision, state_root, clock, skip_backup=skip_backup)


def _begin_exclusive(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        # Also proves before anything else that the file can be written.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({CREATE_KEY})")


def _check_revision(revision: str, state_root: Path) -> None:
    if revision in REVISIONS:
        return
    if revision == "foreign":
        raise StorageError(
            "this database holds tables of something else",
            fix="point storage.url (or HOMARUS_HOME) at a database of its own",
        )
    backup = _newest_backup(state_root)
    restore = f"or restore the backup {backup}" if backup else "or restore a backup"
    raise StorageError(
        f"the database has schema revision {revision}, this version of Homarus knows up to {HEAD}; nothing was changed",
        fix=f"install the newer Homarus that wrote it, {restore}",
    )


def _newest_backup(state_root: Path) -> Path | None:
    """Return the newest copy whose revision this version can read."""
    known = [path for revision in REVISIONS for path in (state_root / "backups").glob(f"homarus-{revision}-*")]
    return max(known, key=lambda path: path.name.rsplit("-", 1)[-1], default=None)
