"""Backups are complete, verified, refuse what is damaged or hostile, and come back as they were."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from homarus.clock import SystemClock
from homarus.config.paths import StateDir
from homarus.errors import StorageError, UserError
from homarus.ops.backup_manifest import is_safe, is_safe_link
from homarus.ops.backup_reading import verify
from homarus.ops.backups import create
from homarus.ops.restoring import restore
from homarus.storage.kv import get_value, put_value
from homarus.storage.lock import StateLock
from homarus.storage.opening import open_database

CLOCK = SystemClock()


@pytest.fixture
async def state(tmp_path: Path) -> StateDir:
    """A state folder as a gateway leaves it: database, configuration, a key, a secret, a workspace, logs."""
    found = StateDir.resolve({"HOMARUS_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)})
    found.create()
    database = await open_database(None, found.root, CLOCK)
    await database.write(put_value, "test", "greeting", "hello", 1)
    await database.close()
    found.config_file.write_text("{gateway: {port: 18800}} // mine\n")
    found.dotenv.write_text("MY_KEY=secret\n")
    (found.identity / "device.json").write_text("{}")
    (found.logs / "homarus.log").write_text("noise")
    notes = found.workspace() / "notes"
    notes.mkdir(parents=True)
    (notes / "boat.md").write_text("nine o'clock")
    (notes / "run.sh").write_text("#!/bin/sh\n")
    (notes / "run.sh").chmod(0o700)
    (notes / "latest").symlink_to("boat.md")
    (notes / "passwords").symlink_to("/etc/passwd")
    return found


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def value_of(state: StateDir, key: str) -> object:
    database = await open_database(None, state.root, CLOCK)
    try:
        return await database.read(get_value, "test", key)
    finally:
        await database.close()


async def test_everything_comes_back_as_it_was(state: StateDir) -> None:
    made = create(state, CLOCK)
    assert made.path.stat().st_mode & 0o777 == 0o600
    archive = made.path.rename(state.root.parent / "elsewhere.tar.gz")
    (state.workspace() / "notes" / "boat.md").write_text("changed afterwards")
    done = restore(state, archive, CLOCK)
    assert await value_of(state, "greeting") == "hello"
    assert state.config_file.read_text() == "{gateway: {port: 18800}} // mine\n"
    assert state.dotenv.read_text() == "MY_KEY=secret\n"
    notes = state.workspace() / "notes"
    assert (notes / "boat.md").read_text() == "nine o'clock"
    assert (notes / "latest").read_text() == "nine o'clock"
    assert (notes / "run.sh").stat().st_mode & 0o777 == 0o700
    assert state.root.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in done.kept] == ["home.before-restore"]
    assert (done.kept[0] / "workspace" / "notes" / "boat.md").read_text() == "changed afterwards"
    assert names(state.root.parent) == [
        "elsewhere.tar.gz",
        "home",
        "home.before-restore",
    ]


async def test_a_backup_leaves_out_logs_locks_and_links_that_lead_outside(state: StateDir) -> None:
    manifest = create(state, CLOCK).manifest
    assert "state/identity/device.json" in manifest.files
    assert not [name for name in manifest.files if "logs" in name or name.startswith("state/homarus.db")]
    assert manifest.links == {"state/workspace/notes/latest": "boat.md"}
    assert any("passwords" in reason for reason in manifest.left_out)


async def test_a_backup_is_made_while_the_database_is_written_to(state: StateDir) -> None:
    database = await open_database(None, state.root, CLOCK)
    try:
        await database.write(put_value, "test", "later", "x" * 5_000_000, 2)
        manifest = create(state, CLOCK, state.root.parent / "out.tar.gz").manifest
        await database.write(put_value, "test", "later", "y", 3)
    finally:
        await database.close()
    assert manifest.database.revision is not None
    restore(state, state.root.parent / "out.tar.gz", CLOCK)
    assert await value_of(state, "later") == "x" * 5_000_000


async def test_a_backup_never_replaces_a_file(state: StateDir, tmp_path: Path) -> None:
    target = tmp_path / "precious.txt"
    target.write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        create(state, CLOCK, target)
    assert target.read_text() == "mine"


async def test_workspaces_elsewhere_come_back_only_when_asked_for(state: StateDir, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "plan.md").write_text("the plan")
    state.config_file.write_text(json.dumps({"agents": {"defaults": {"workspace": str(work)}}}))
    archive = create(state, CLOCK, tmp_path / "out.tar.gz").path
    (work / "plan.md").write_text("changed")
    with pytest.raises(UserError, match=str(work)):
        restore(state, archive, CLOCK)
    assert not (tmp_path / "home.before-restore").exists()
    restore(state, archive, CLOCK, with_outside=False)
    assert (work / "plan.md").read_text() == "changed"
    done = restore(state, archive, CLOCK, with_outside=True)
    assert (work / "plan.md").read_text() == "the plan"
    assert (tmp_path / "work.before-restore" / "plan.md").read_text() == "changed"
    assert len(done.kept) == 2


async def test_nothing_is_restored_under_a_running_gateway(state: StateDir, tmp_path: Path) -> None:
    archive = create(state, CLOCK, tmp_path / "out.tar.gz").path
    lock = StateLock(state.root)
    lock.acquire(CLOCK.now_ms(), 18789)
    try:
        with pytest.raises(UserError, match="18789"):
            restore(state, archive, CLOCK)
    finally:
        lock.release()
    assert not (tmp_path / "home.before-restore").exists()


async def test_a_newer_schema_is_refused_and_everything_stays(state: StateDir, tmp_path: Path) -> None:
    with closing(sqlite3.connect(state.database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    archive = create(state, CLOCK, tmp_path / "out.tar.gz").path
    with pytest.raises(StorageError, match="9999") as caught:
        restore(state, archive, CLOCK)
    assert "newer" in str(caught.value.fix)
    assert names(tmp_path) == ["home", "out.tar.gz"]


async def test_a_restore_onto_a_machine_without_state_makes_it(state: StateDir, tmp_path: Path) -> None:
    archive = create(state, CLOCK, tmp_path / "out.tar.gz").path
    fresh = StateDir.resolve({"HOMARUS_HOME": str(tmp_path / "new" / "home")})
    assert restore(fresh, archive, CLOCK).kept == ()
    assert await value_of(fresh, "greeting") == "hello"


async def test_postgresql_is_named_as_not_included(state: StateDir) -> None:
    state.config_file.write_text(json.dumps({"storage": {"url": "postgresql://homarus:pw@127.0.0.1:1/homarus"}}))
    manifest = create(state, CLOCK).manifest
    assert (manifest.database.kind, manifest.database.revision) == ("postgresql", None)
    assert "database.db" not in manifest.files
    assert "pw" not in manifest.as_json()


def repack(archive: Path, change: dict[str, bytes | tarfile.TarInfo | None]) -> Path:
    """Write the archive anew with members replaced, added or left out."""
    changed = archive.with_name("changed.tar.gz")
    with tarfile.open(archive) as old, tarfile.open(changed, "w:gz") as new:
        for member in old.getmembers():
            data = old.extractfile(member)
            assert data is not None
            content = data.read()
            replacement = change.get(member.name, content)
            if isinstance(replacement, bytes):
                member.size = len(replacement)
                new.addfile(member, io.BytesIO(replacement))
            if member.name == "state/.env":
                for name, extra in change.items():
                    if isinstance(extra, tarfile.TarInfo):
                        new.addfile(extra, io.BytesIO(b"x" * extra.size))
                    elif name not in old.getnames() and extra is not None:
                        info = tarfile.TarInfo(name)
                        info.size = len(extra)
                        new.addfile(info, io.BytesIO(extra))
    return changed


def link(name: str, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"state/.env": b"MY_KEY=other\n"}, "SHA-256"),
        ({"state/.env": None}, "missing"),
        ({"manifest.json": None}, "manifest"),
        ({"manifest.json": b"{}"}, "manifest"),
        ({"manifest.json": b"[" * 100_000}, "manifest"),
        ({"database.db": b"not a database"}, "SHA-256"),
        ({"state/more": b"x"}, "not in its manifest"),
        ({"../outside": b"x"}, "outside"),
        ({"/tmp/outside": b"x"}, "outside"),
        ({"state/a/../../../outside": b"x"}, "outside"),
        ({"state/link": link("state/link", "/etc")}, "no plain file"),
    ],
)
async def test_damaged_and_hostile_archives_are_refused(
    state: StateDir, tmp_path: Path, change: dict[str, bytes | tarfile.TarInfo | None], problem: str
) -> None:
    archive = repack(create(state, CLOCK, tmp_path / "out.tar.gz").path, change)
    with pytest.raises(StorageError, match=problem):
        verify(archive)
    with pytest.raises(StorageError):
        restore(state, archive, CLOCK)
    assert names(tmp_path) == ["changed.tar.gz", "home", "out.tar.gz"]


@pytest.mark.parametrize("cut", [0, 10, 200, -1, -200])
async def test_a_cut_archive_is_refused(state: StateDir, tmp_path: Path, cut: int) -> None:
    data = create(state, CLOCK, tmp_path / "out.tar.gz").path.read_bytes()
    half = tmp_path / "half.tar.gz"
    half.write_bytes(data[:cut])
    with pytest.raises(StorageError):
        verify(half)


async def test_a_database_whose_pages_are_damaged_makes_no_backup(state: StateDir, tmp_path: Path) -> None:
    data = bytearray(state.database.read_bytes())
    data[4096 * 3 : 4096 * 6] = b"\xff" * 4096 * 3
    state.database.write_bytes(data)
    with pytest.raises(StorageError):
        create(state, CLOCK, tmp_path / "out.tar.gz")
    assert names(tmp_path) == ["home"]


def test_names_that_leave_their_folder_are_known() -> None:
    assert [name for name in ("a", "a/b", "a/.b") if not is_safe(name)] == []
    assert [name for name in ("", "/a", "../a", "a/../b", "a//b", "./a", "a\0", "a\\b") if is_safe(name)] == []
    assert is_safe_link("state/workspace/a", "../b")
    assert not is_safe_link("state/a", "../b")
    assert not is_safe_link("state/a/b", "../../b")
    assert not is_safe_link("state/a", "/b")
