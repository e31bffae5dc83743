from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from homarus.clock import SystemClock
from homarus.errors import StorageError, UserError
from homarus.storage.database import Database
from homarus.storage.lock import LOCK_NAME, Holder, StateLock, find_holder, lock_database
from homarus.storage.opening import open_database

NOW = 1_767_225_600_000
HOLD = """
import pathlib, sys, time
from homarus.storage.lock import StateLock
StateLock(pathlib.Path(sys.argv[1])).acquire(1767225600000, 18789)
print("held", flush=True)
time.sleep(600)
"""


def test_a_second_holder_is_told_who_has_the_folder(tmp_path: Path) -> None:
    first = StateLock(tmp_path)
    first.acquire(NOW, 18789)

    with pytest.raises(UserError) as failure:
        StateLock(tmp_path).acquire(NOW)

    first.release()
    assert f"another Homarus (pid {os.getpid()}, since 2026-01-01 00:00:00 UTC, port 18789)" in failure.value.message
    assert str(tmp_path) in failure.value.message
    assert f"kill {os.getpid()}" in (failure.value.fix or "")


def test_a_port_that_is_known_later_is_written_down(tmp_path: Path) -> None:
    lock = StateLock(tmp_path)
    lock.acquire(NOW, 0)
    lock.note_port(40123)
    assert find_holder(tmp_path) == Holder(os.getpid(), 40123, NOW)
    lock.release()


def test_a_released_folder_can_be_taken_again(tmp_path: Path) -> None:
    first, second = StateLock(tmp_path), StateLock(tmp_path)
    first.acquire(NOW)
    first.acquire(NOW)
    first.release()

    second.acquire(NOW)

    assert find_holder(tmp_path) == Holder(os.getpid(), None, NOW)
    second.release()
    assert find_holder(tmp_path) is None


def test_the_death_of_the_holder_frees_the_folder(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert find_holder(tmp_path) == Holder(holder.pid, 18789, NOW)
        with pytest.raises(UserError, match=f"pid {holder.pid}"):
            StateLock(tmp_path).acquire(NOW)
        holder.send_signal(signal.SIGKILL)

    lock = StateLock(tmp_path)
    lock.acquire(NOW)
    lock.release()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1]", b'{"pid": "x"}', b"{" * 100_000])
def test_stale_content_of_any_kind_is_no_obstacle(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LOCK_NAME).write_bytes(content)
    lock = StateLock(tmp_path)

    lock.acquire(NOW)

    assert find_holder(tmp_path) == Holder(os.getpid(), None, NOW)
    lock.release()


def test_a_holder_that_left_no_readable_facts_is_still_a_holder(tmp_path: Path) -> None:
    lock = StateLock(tmp_path)
    lock.acquire(NOW)
    (tmp_path / LOCK_NAME).write_text("?")

    with pytest.raises(UserError, match="pid unknown"):
        StateLock(tmp_path).acquire(NOW)
    lock.release()


def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageError, match="cannot be written: Not a directory"):
        StateLock(tmp_path / "file" / "state").acquire(NOW)


def test_nobody_holds_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    assert find_holder(tmp_path / "nowhere") is None


async def test_sqlite_needs_no_lock_of_its_own(sqlite_database: Database) -> None:
    assert await lock_database(sqlite_database) is None


@pytest.fixture
async def pair(postgres_url: str, tmp_path: Path, clock: SystemClock) -> AsyncIterator[tuple[Database, Database]]:
    """One PostgreSQL database as two machines see it."""
    databases = [await open_database(postgres_url, tmp_path, clock) for _ in range(2)]
    yield databases[0], databases[1]
    for database in databases:
        await database.close()


def end_all_other_sessions(connection: Connection) -> None:
    connection.execute(
        text(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    )


def now_there(connection: Connection) -> object:
    return connection.execute(text("SELECT 1")).scalar_one()


async def test_a_second_machine_is_kept_off_a_postgresql_database(pair: tuple[Database, Database]) -> None:
    first, second = pair
    held = await lock_database(first)
    assert held is not None

    with pytest.raises(UserError, match="another Homarus runs on this database"):
        await lock_database(second)

    held.release()
    taken = await lock_database(second)
    assert taken is not None
    taken.release()


async def test_a_lock_lost_with_its_connection_is_taken_again_before_the_next_write(
    pair: tuple[Database, Database],
) -> None:
    first, second = pair
    held = await lock_database(first)
    assert held is not None

    await second.write(end_all_other_sessions)
    assert await first.write(now_there) == 1

    with pytest.raises(UserError):
        await lock_database(second)
    held.release()


async def test_a_machine_that_lost_its_lock_to_another_may_not_write(pair: tuple[Database, Database]) -> None:
    first, second = pair
    held = await lock_database(first)
    assert held is not None
    await second.write(end_all_other_sessions)
    taken = await lock_database(second)
    assert taken is not None

    for _ in range(2):
        with pytest.raises(UserError, match="another Homarus runs on this database"):
            await first.write(now_there)

    await asyncio.to_thread(held.release)
    taken.release()
