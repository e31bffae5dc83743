from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection

from homarus.clock import SystemClock
from homarus.errors import StorageError
from homarus.storage import kv
from homarus.storage.database import Database
from homarus.storage.driver import driver_of
from homarus.storage.opening import open_database
from homarus.storage.sqlite import MAX_BATCH, SqliteDatabase


def engine_of(database: Database) -> SqliteDatabase:
    assert isinstance(database, SqliteDatabase)
    return database


def put(connection: Connection, name: str, size: int = 1) -> None:
    kv.put_value(connection, "test", name, "x" * size, 1)


def limit_pages(connection: Connection, room: int | None) -> None:
    driver = driver_of(connection)
    used = int(driver.execute("PRAGMA page_count").fetchone()[0])
    driver.execute(f"PRAGMA max_page_count={used + room if room is not None else 1_000_000}")


async def occupy_writer(database: Database, gate: threading.Event) -> asyncio.Future[bool]:
    """Keep the writer in a batch of its own until `gate` opens, so that what comes next waits together."""
    started = threading.Event()

    def wait(_connection: Connection) -> bool:
        started.set()
        return gate.wait(30)

    writing = asyncio.ensure_future(database.write(wait))
    assert await asyncio.to_thread(started.wait, 30)
    return writing


async def count_rows(database: Database) -> int:
    return len(await database.read(kv.list_values, "test"))


async def test_writes_that_wait_together_share_a_commit(sqlite_database: Database) -> None:
    said: list[str] = []
    await sqlite_database.write(lambda connection: driver_of(connection).set_trace_callback(said.append))
    said.clear()
    gate = threading.Event()
    first = await occupy_writer(sqlite_database, gate)
    rest = [asyncio.ensure_future(sqlite_database.write(put, str(number))) for number in range(200)]
    await asyncio.sleep(0)

    gate.set()
    await asyncio.gather(first, *rest)

    assert said.count("COMMIT") == 2
    assert await count_rows(sqlite_database) == 200


async def test_writes_that_begin_together_share_a_commit_while_the_writer_is_idle(sqlite_database: Database) -> None:
    said: list[str] = []
    await sqlite_database.write(lambda connection: driver_of(connection).set_trace_callback(said.append))
    said.clear()

    async with asyncio.TaskGroup() as group:
        for number in range(MAX_BATCH):
            group.create_task(sqlite_database.write(put, str(number)))

    assert said.count("COMMIT") == 1
    assert await count_rows(sqlite_database) == MAX_BATCH


async def test_what_was_accepted_before_the_end_is_committed(tmp_path: Path) -> None:
    database = await open_database(f"sqlite:///{tmp_path}/ending.db", tmp_path, SystemClock())
    writing = [asyncio.ensure_future(database.write(put, str(number))) for number in range(MAX_BATCH + 10)]
    await asyncio.sleep(0)
    assert engine_of(database).waiting == len(writing)

    await database.close()
    await asyncio.gather(*writing)

    assert engine_of(database).waiting == 0
    again = await open_database(f"sqlite:///{tmp_path}/ending.db", tmp_path, SystemClock())
    assert await count_rows(again) == len(writing)
    await again.close()


async def test_a_full_disk_is_named_and_the_database_works_again_when_there_is_room(sqlite_database: Database) -> None:
    await sqlite_database.write(put, "before")
    await sqlite_database.write(limit_pages, 2)

    with pytest.raises(StorageError, match="the disk is full") as failure:
        await sqlite_database.write(put, "large", 100_000)

    assert failure.value.fix is not None
    assert await count_rows(sqlite_database) == 1
    await sqlite_database.write(limit_pages, None)
    await sqlite_database.write(put, "large", 100_000)
    assert await count_rows(sqlite_database) == 2


async def test_a_full_disk_never_half_writes_a_batch(sqlite_database: Database) -> None:
    await sqlite_database.write(limit_pages, 4)

    results = await asyncio.gather(
        *(sqlite_database.write(put, str(number), 20_000) for number in range(10)), return_exceptions=True
    )

    written = [result for result in results if result is None]
    assert any(isinstance(result, StorageError) and "full" in result.message for result in results)
    assert await count_rows(sqlite_database) == len(written)
    await sqlite_database.write(limit_pages, None)
    await sqlite_database.write(put, "after")
    assert await count_rows(sqlite_database) == len(written) + 1


async def test_an_error_at_commit_fails_every_write_of_the_batch_and_only_those(sqlite_database: Database) -> None:
    def refer_to_nothing(connection: Connection) -> None:
        driver = driver_of(connection)
        driver.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        driver.execute("CREATE TABLE child (parent INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
        driver.execute("INSERT INTO child VALUES (1)")

    gate = threading.Event()
    first = await occupy_writer(sqlite_database, gate)
    batch = [asyncio.ensure_future(sqlite_database.write(put, str(number))) for number in range(3)]
    batch.append(asyncio.ensure_future(sqlite_database.write(refer_to_nothing)))
    await asyncio.sleep(0)
    gate.set()

    assert await first
    for write in batch:
        with pytest.raises(StorageError, match="FOREIGN KEY constraint failed"):
            await write
    assert await count_rows(sqlite_database) == 0
    await sqlite_database.write(put, "after")
    assert await count_rows(sqlite_database) == 1


async def test_a_read_sees_one_snapshot(sqlite_database: Database) -> None:
    seen = threading.Event()
    written = threading.Event()

    def read_twice(connection: Connection) -> tuple[int, int]:
        first = len(kv.list_values(connection, "test"))
        seen.set()
        written.wait(30)
        return first, len(kv.list_values(connection, "test"))

    reading = asyncio.ensure_future(sqlite_database.read(read_twice))
    await asyncio.to_thread(seen.wait, 30)
    await sqlite_database.write(put, "new")
    written.set()

    assert await reading == (0, 0)
    assert await count_rows(sqlite_database) == 1


async def test_a_database_held_by_another_program_is_a_storage_error(sqlite_database: Database) -> None:
    def lower_patience(connection: Connection) -> None:
        driver_of(connection).execute("PRAGMA busy_timeout=0")

    await sqlite_database.write(lower_patience)
    holder = sqlite3.connect(engine_of(sqlite_database).engine.url.database or "", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="another program holds the database"):
        await sqlite_database.write(put, "blocked")
    holder.rollback()
    holder.close()

    await sqlite_database.write(put, "free")
    assert await count_rows(sqlite_database) == 1


async def test_commits_are_synced_to_disk(sqlite_database: Database) -> None:
    def pragmas(connection: Connection) -> list[object]:
        driver = driver_of(connection)
        return [driver.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]

    assert await sqlite_database.write(pragmas) == ["wal", 2]
