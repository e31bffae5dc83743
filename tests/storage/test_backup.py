from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from homarus.clock import SystemClock
from homarus.errors import StorageError
from homarus.storage import kv
from homarus.storage.backup import create_backup, verify_backup
from homarus.storage.database import Database
from homarus.storage.opening import open_database
from homarus.storage.schema import HEAD


async def test_a_backup_is_a_private_single_file_that_opens_with_the_same_content(
    sqlite_database: Database, tmp_path: Path, clock: SystemClock
) -> None:
    await sqlite_database.write(kv.put_value, "test", "name", "value", 1)
    target = tmp_path / "copies" / "homarus.db"

    assert await create_backup(sqlite_database, target) == HEAD

    assert [path.name for path in target.parent.iterdir()] == ["homarus.db"]
    assert target.stat().st_mode & 0o777 == 0o600
    assert verify_backup(target) == HEAD
    assert [path.name for path in target.parent.iterdir()] == ["homarus.db"]
    restored = await open_database(f"sqlite:///{target}", tmp_path, clock)
    assert await restored.read(kv.get_value, "test", "name") == "value"
    await restored.close()


async def test_a_backup_taken_while_writes_go_on_is_whole(sqlite_database: Database, tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(200):
            group.create_task(sqlite_database.write(kv.put_value, "test", str(number), "x" * 1000, 1))
        group.create_task(create_backup(sqlite_database, tmp_path / "copy.db"))

    assert verify_backup(tmp_path / "copy.db") == HEAD


async def test_a_damaged_backup_is_refused(sqlite_database: Database, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    await create_backup(sqlite_database, target)
    content = bytearray(target.read_bytes())
    for page in range(2, len(content) // 4096):
        content[page * 4096 : page * 4096 + 16] = b"\xff" * 16
    target.write_bytes(content)

    with pytest.raises(StorageError, match=r"copy\.db is (damaged|not a readable)"):
        verify_backup(target)


@pytest.mark.parametrize("content", [b"", b"not a database" * 100])
def test_what_is_no_database_is_no_backup(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_bytes(content)

    with pytest.raises(StorageError, match="not a readable Homarus database"):
        verify_backup(tmp_path / "copy.db")


def test_a_missing_backup_is_an_error_and_stays_missing(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        verify_backup(tmp_path / "none.db")

    assert list(tmp_path.iterdir()) == []


async def test_a_backup_that_cannot_be_written_leaves_nothing(sqlite_database: Database, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()

    with pytest.raises(StorageError, match="no backup could be written"):
        await create_backup(sqlite_database, tmp_path / "target")

    assert not (tmp_path / "target.partial").exists()


async def test_postgresql_is_told_to_use_its_own_tool(postgres_url: str, tmp_path: Path, clock: SystemClock) -> None:
    database = await open_database(postgres_url, tmp_path, clock)
    with pytest.raises(StorageError) as failure:
        await create_backup(database, tmp_path / "copy.db")
    await database.close()

    assert "pg_dump" in (failure.value.fix or "")
