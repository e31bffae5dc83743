from __future__ import annotations

import shutil
import sqlite3
import textwrap
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect

from homarus.clock import SystemClock
from homarus.errors import StorageError
from homarus.storage import kv, opening, schema, upgrade
from homarus.storage.backup import verify_backup
from homarus.storage.database import Database
from homarus.storage.opening import open_database

GOOD = "op.create_table('added', sa.Column('a', sa.Integer()))"
BROKEN = GOOD + "; op.drop_table('nowhere')"
FIRST = schema.HEAD
NEXT = "0999"


@pytest.fixture
async def old(url: str, tmp_path: Path, clock: SystemClock) -> str:
    """The address of a database that the next version will find too old."""
    database = await open_database(url, tmp_path / "state", clock)
    await database.write(kv.put_value, "test", "name", "kept", 1)
    await database.close()
    return url


def release_next_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: str) -> None:
    folder = tmp_path / "migrations"
    shutil.copytree(upgrade.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "0999_next.py").write_text(
        textwrap.dedent(
            f"""
            import sqlalchemy as sa
            from alembic import op
            revision, down_revision = "{NEXT}", "{FIRST}"
            def upgrade():
                {step}
            """
        )
    )
    monkeypatch.setattr(upgrade, "MIGRATIONS", folder)
    monkeypatch.setattr(upgrade, "HEAD", NEXT)
    monkeypatch.setattr(opening, "HEAD", NEXT)
    monkeypatch.setattr(opening, "REVISIONS", (*schema.REVISIONS, NEXT))


def tables(connection: Connection) -> list[str]:
    return inspect(connection).get_table_names()


async def read_all(database: Database) -> tuple[str | None, list[str], object]:
    revision = await database.read(schema.read_revision)
    return revision, await database.read(tables), await database.read(kv.get_value, "test", "name")


def find_programs_in(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def which(name: str) -> str | None:
        path = folder / name
        return str(path) if path.exists() else None

    monkeypatch.setattr(upgrade.shutil, "which", which)


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch, postgres_binaries: Path) -> None:
    find_programs_in(monkeypatch, postgres_binaries)


@pytest.mark.usefixtures("tools")
async def test_an_older_database_is_backed_up_then_upgraded(
    old: str, tmp_path: Path, clock: SystemClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    release_next_version(monkeypatch, tmp_path, GOOD)

    database = await open_database(old, tmp_path / "state", clock)

    revision, names, value = await read_all(database)
    await database.close()
    assert (revision, value) == (NEXT, "kept")
    assert "added" in names
    suffix = "db" if old.startswith("sqlite") else "dump"
    backup = tmp_path / "state" / "backups" / f"homarus-{FIRST}-20260101T000000Z.{suffix}"
    assert [path.name for path in backup.parent.iterdir()] == [backup.name]
    assert backup.stat().st_mode & 0o777 == 0o600
    if suffix == "db":
        assert verify_backup(backup) == FIRST
        with closing(sqlite3.connect(backup)) as connection:
            assert connection.execute("SELECT value FROM kv").fetchall() == [('"kept"',)]
    else:
        assert backup.read_bytes().startswith(b"PGDMP")


@pytest.mark.usefixtures("tools")
async def test_a_failed_upgrade_leaves_the_database_as_it_was(
    old: str, tmp_path: Path, clock: SystemClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        release_next_version(patch, tmp_path, BROKEN)
        with pytest.raises(StorageError, match=r"the database is unchanged \(a backup is at"):
            await open_database(old, tmp_path / "state", clock)

    database = await open_database(old, tmp_path / "state", clock)
    revision, names, value = await read_all(database)
    await database.close()
    assert (revision, value) == (FIRST, "kept")
    assert "added" not in names


async def test_no_backup_no_upgrade(tmp_path: Path, clock: SystemClock, monkeypatch: pytest.MonkeyPatch) -> None:
    database = await open_database(None, tmp_path / "state", clock)
    await database.close()
    (tmp_path / "state" / "backups").touch()
    release_next_version(monkeypatch, tmp_path, GOOD)

    with pytest.raises(StorageError, match="no backup could be written"):
        await open_database(None, tmp_path / "state", clock)

    assert "added" not in await read_tables_of(tmp_path / "state" / "homarus.db")


async def read_tables_of(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master")]


async def test_without_pg_dump_postgresql_is_upgraded_only_on_demand(
    postgres_url: str, tmp_path: Path, clock: SystemClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await open_database(postgres_url, tmp_path, clock)
    await database.close()
    release_next_version(monkeypatch, tmp_path, GOOD)
    find_programs_in(monkeypatch, tmp_path / "empty")

    with pytest.raises(StorageError, match="pg_dump is not installed") as failure:
        await open_database(postgres_url, tmp_path, clock)
    assert "storage.skipBackup" in (failure.value.fix or "")

    database = await open_database(postgres_url, tmp_path, clock, skip_backup=True)
    assert await database.read(schema.read_revision) == NEXT
    await database.close()


async def test_a_pg_dump_that_fails_stops_the_upgrade(
    postgres_url: str, tmp_path: Path, clock: SystemClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await open_database(postgres_url, tmp_path, clock)
    await database.close()
    release_next_version(monkeypatch, tmp_path, GOOD)
    broken = tmp_path / "broken"
    broken.mkdir()
    for name in ("pg_dump", "pg_restore"):
        (broken / name).symlink_to("/bin/false")
    find_programs_in(monkeypatch, broken)

    with pytest.raises(StorageError, match="no backup could be made first: exit status 1"):
        await open_database(postgres_url, tmp_path, clock)

    assert list((tmp_path / "backups").iterdir()) == []
