from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection

from homarus.errors import StorageError
from homarus.storage import readiness
from homarus.storage.database import Database
from homarus.storage.kv import put_value
from homarus.storage.readiness import expect_writable


def file_of(database: Database) -> Path:
    return Path(str(getattr(database, "engine").url.database))  # noqa: B009 - the two kinds share no type that has it


async def test_a_healthy_database_is_writable(database: Database) -> None:
    await database.write(expect_writable)
    assert not database.is_failing


async def test_a_server_that_takes_no_writes_is_named(database: Database) -> None:
    if database.dialect == "sqlite":
        return

    def ask(connection: Connection) -> None:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        expect_writable(connection)

    with pytest.raises(StorageError, match="takes no writes"):
        await database.write(ask)


async def test_a_file_that_is_gone_is_named(sqlite_database: Database) -> None:
    await sqlite_database.write(expect_writable)
    await asyncio.to_thread(file_of(sqlite_database).unlink)
    with pytest.raises(StorageError, match="cannot be written"):
        await sqlite_database.write(expect_writable)


async def test_a_disk_without_room_is_full(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "NEEDED", 10**18)
    with pytest.raises(StorageError, match="the disk is full") as failure:
        await sqlite_database.write(expect_writable)
    assert failure.value.fix is not None


async def test_a_database_that_another_program_holds_is_not_writable(sqlite_database: Database) -> None:
    await sqlite_database.write(lambda connection: connection.exec_driver_sql("PRAGMA busy_timeout=0") and None)
    holder = sqlite3.connect(file_of(sqlite_database), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="another program holds the database"):
        await sqlite_database.write(expect_writable)
    holder.rollback()
    holder.close()


async def test_a_commit_that_failed_is_remembered_until_one_works(database: Database) -> None:
    def fail(connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("SELECT nothing FROM nowhere")

    with pytest.raises(StorageError):
        await database.write(fail)
    assert database.is_failing
    await database.write(put_value, "test", "name", 1, 1)
    assert not database.is_failing
