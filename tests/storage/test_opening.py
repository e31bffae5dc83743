from __future__ import annotations

import asyncio
import resource
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from homarus.clock import SystemClock
from homarus.errors import StorageError
from homarus.storage import kv
from homarus.storage.database import Database
from homarus.storage.inspection import inspect_server
from homarus.storage.lock import StateLock
from homarus.storage.opening import describe_lost_file, open_database
from homarus.storage.schema import HEAD


def set_revision(connection: Connection, revision: str) -> None:
    connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.glob("homarus.db*")}


async def test_a_new_database_is_private_and_at_head(tmp_path: Path, clock: SystemClock) -> None:
    database = await open_database(None, tmp_path / "new" / "state", clock)
    await database.close()

    path = tmp_path / "new" / "state" / "homarus.db"
    assert path.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]


async def test_write_ahead_files_are_private_too(tmp_path: Path, clock: SystemClock) -> None:
    database = await open_database(None, tmp_path, clock)

    assert modes(tmp_path) == {
        "homarus.db": 0o600,
        "homarus.db-wal": 0o600,
        "homarus.db-shm": 0o600,
    }
    await database.close()


async def test_an_existing_database_keeps_its_content(url: str, tmp_path: Path, clock: SystemClock) -> None:
    first = await open_database(url, tmp_path / "state", clock)
    await first.write(kv.put_value, "test", "name", [1, "two"], 1)
    await first.close()

    second = await open_database(url, tmp_path / "state", clock)
    assert await second.read(kv.get_value, "test", "name") == [1, "two"]
    await second.close()
    assert not (tmp_path / "state" / "backups").exists()


async def test_two_openings_of_a_new_database_at_once_make_one_schema(
    url: str, tmp_path: Path, clock: SystemClock
) -> None:
    opened = await asyncio.gather(*(open_database(url, tmp_path / "state", clock) for _ in range(4)))

    await opened[0].write(kv.put_value, "test", "name", 1, 1)
    assert await opened[3].read(kv.get_value, "test", "name") == 1
    for database in opened:
        await database.close()


async def test_a_newer_schema_is_refused_with_both_revisions_and_nothing_touched(
    database: Database, url: str, tmp_path: Path, clock: SystemClock
) -> None:
    await database.write(set_revision, "9999")
    await database.close()
    before = dump(tmp_path / "state" / "homarus.db") if url.startswith("sqlite") else None

    with pytest.raises(StorageError, match=f"9999.*{HEAD}.*nothing was changed") as failure:
        await open_database(url, tmp_path / "state", clock)

    assert failure.value.fix is not None
    assert "install the newer Homarus" in failure.value.fix
    if before is not None:
        assert dump(tmp_path / "state" / "homarus.db") == before


async def test_the_refusal_names_the_backup_to_restore(tmp_path: Path, clock: SystemClock) -> None:
    database = await open_database(None, tmp_path, clock)
    await database.write(set_revision, "9999")
    await database.close()
    backups = tmp_path / "backups"
    backups.mkdir()
    for name in (f"homarus-{HEAD}-20260101T000000Z.db", f"homarus-{HEAD}-20260102T000000Z.db", "homarus-9998-2027.db"):
        (backups / name).touch()

    with pytest.raises(StorageError) as failure:
        await open_database(None, tmp_path, clock)

    assert str(backups / f"homarus-{HEAD}-20260102T000000Z.db") in (failure.value.fix or "")


async def test_a_database_of_something_else_is_refused(tmp_path: Path, clock: SystemClock) -> None:
    with closing(sqlite3.connect(tmp_path / "homarus.db")) as connection:
        connection.execute("CREATE TABLE theirs (a)")

    with pytest.raises(StorageError, match="tables of something else"):
        await open_database(None, tmp_path, clock)


async def test_a_file_that_is_no_database_is_named_and_kept(tmp_path: Path, clock: SystemClock) -> None:
    path = tmp_path / "homarus.db"
    path.write_bytes(b"not a database, but somebody's letter" * 100)

    with pytest.raises(StorageError, match=r"homarus\.db: the file is not a SQLite database") as failure:
        await open_database(None, tmp_path, clock)

    assert "homarus doctor names the newest backup" in (failure.value.fix or "")
    assert path.read_bytes().startswith(b"not a database")


async def test_a_database_that_is_gone_from_a_used_folder_is_said_and_one_of_a_new_folder_is_not(
    tmp_path: Path, clock: SystemClock
) -> None:
    assert describe_lost_file(tmp_path) is None
    lock = StateLock(tmp_path)
    lock.acquire(clock.now_ms())
    database = await open_database(None, tmp_path, clock)
    assert describe_lost_file(tmp_path) is None
    await database.close()
    lock.release()
    (tmp_path / "homarus.db").unlink()
    assert "homarus backup restore" in (describe_lost_file(tmp_path) or "")


async def test_a_truncated_database_is_named_as_damaged(tmp_path: Path, clock: SystemClock) -> None:
    database = await open_database(None, tmp_path, clock)
    await database.close()
    path = tmp_path / "homarus.db"
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))

    with pytest.raises(StorageError, match="damaged"):
        await open_database(None, tmp_path, clock)


async def test_a_folder_that_cannot_be_made_is_named_with_its_fix(tmp_path: Path, clock: SystemClock) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageError, match="cannot be written: Not a directory") as failure:
        await open_database(None, tmp_path / "file" / "state", clock)

    assert "HOMARUS_HOME" in (failure.value.fix or "")


async def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path, clock: SystemClock) -> None:
    (tmp_path / "homarus.db").mkdir()

    with pytest.raises(StorageError, match="cannot be written: Is a directory"):
        await open_database(None, tmp_path, clock)


def test_a_disk_without_room_for_a_new_database_is_a_clear_error(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import asyncio, pathlib, sys
        from homarus.clock import SystemClock
        from homarus.errors import StorageError
        from homarus.storage.opening import open_database
        try:
            asyncio.run(open_database(None, pathlib.Path(sys.argv[1]), SystemClock()))
        except StorageError as error:
            print(error.message, "|", error.fix)
        """
    )

    # A limit on file size fails real writes below SQLite, as a full quota does, even for root.
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384)),
        check=False,
    )

    assert done.stderr == ""
    assert "the disk failed" in done.stdout
    assert "free space" in done.stdout


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "not a database address"),
        ("mysql://root@localhost/x", "unknown kind of database: mysql"),
        ("sqlite://", "names no SQLite file"),
        ("sqlite:///:memory:", "names no SQLite file"),
    ],
)
async def test_an_address_that_cannot_work_is_refused(
    url: str, message: str, tmp_path: Path, clock: SystemClock
) -> None:
    with pytest.raises(StorageError, match=message) as failure:
        await open_database(url, tmp_path, clock)

    assert failure.value.fix


async def test_a_server_that_is_down_is_named_without_its_password(tmp_path: Path, clock: SystemClock) -> None:
    with pytest.raises(StorageError, match="PostgreSQL cannot be reached") as failure:
        await open_database(f"postgresql://me:hunter2@/db?host={tmp_path}", tmp_path, clock)

    assert "hunter2" not in str(failure.value)


def test_opening_a_database_at_head_imports_no_migration_tool(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import asyncio, pathlib, sys
        from homarus.clock import SystemClock
        from homarus.storage.opening import open_database
        for _ in range(2):
            asyncio.run(open_database(None, pathlib.Path(sys.argv[1]), SystemClock()))
        print(sorted(name for name in sys.modules if name in ("alembic", "mako", "sqlalchemy.dialects.postgresql")))
        """
    )

    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert done.stdout == "[]\n"


async def test_looking_at_a_server_changes_nothing(postgres_url: str, tmp_path: Path, clock: SystemClock) -> None:
    assert inspect_server(postgres_url).revision is None
    assert inspect_server(postgres_url).revision is None

    database = await open_database(postgres_url, tmp_path, clock)
    await database.close()
    assert inspect_server(postgres_url).revision == HEAD
    with pytest.raises(StorageError, match="cannot be reached"):
        inspect_server(f"postgresql://me@/db?host={tmp_path}")
