"""Putting a backup back: unpacked and checked beside its place first, then swapped in by renaming."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from homarus.clock import Clock
from homarus.config.paths import StateDir
from homarus.errors import StorageError, UserError
from homarus.ops.backup_manifest import DATABASE, STATE, Manifest
from homarus.ops.backup_reading import unpack
from homarus.storage.lock import StateLock, find_holder
from homarus.storage.schema import HEAD, REVISIONS

KEPT: Final = ".before-restore"
_BESIDE_A_DATABASE: Final = ("-wal", "-shm", "-journal")


class Restored(Struct, frozen=True):
    """What a restore did: `kept` is where everything that was replaced is now."""

    manifest: Manifest
    kept: tuple[Path, ...]


class Place(Struct, frozen=True):
    """Something unpacked and where it belongs."""

    new: Path
    target: Path


def restore(state: StateDir, archive: Path, clock: Clock, *, with_outside: bool | None = None) -> Restored:
    """Replace the state folder by an archive, keeping the old one beside it as `<name>.before-restore`.

    `with_outside` says whether what lay outside the state folder goes back to where it was; None refuses an archive
    that has such things. Raises UserError then and while a gateway runs on the folder, StorageError for an archive
    that does not verify, has a newer schema or cannot be put in place; then everything is as it was.
    """
    _refuse_running(state)
    root = state.root.absolute()
    with ExitStack() as stack:
        try:
            root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            staging = _staging(root, stack)
            manifest = unpack(archive, staging)
            _check_schema(manifest)
            outside = _outside(manifest, with_outside=with_outside)
            if root.exists():
                _hold(root, clock, stack)
            kept = _swap(_places(staging, root, outside, stack), clock.now_ms())
        except OSError as error:
            raise StorageError(
                f"{root} cannot be replaced: {error.strerror or error}",
                fix="restore into a folder that can be renamed: set HOMARUS_HOME to a new one",
            ) from error
    return Restored(manifest, kept)


def _staging(target: Path, stack: ExitStack) -> Path:
    """Make an empty folder beside a target, so that a rename can put its contents there; it is gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.restore-", dir=target.parent))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _hold(root: Path, clock: Clock, stack: ExitStack) -> None:
    """Keep a gateway from starting on the old folder meanwhile."""
    lock = StateLock(root)
    lock.acquire(clock.now_ms())
    stack.callback(lock.release)


def _refuse_running(state: StateDir) -> None:
    holder = find_holder(state.root)
    if holder is not None:
        raise UserError(
            f"a gateway runs on {state.root} ({holder})",
            fix=f"stop it first: systemctl --user stop homarus, or kill {holder.pid or '<pid>'}",
        )


def _check_schema(manifest: Manifest) -> None:
    revision = manifest.database.revision
    if revision is not None and revision not in REVISIONS:
        raise StorageError(
            f"the backup has database schema {revision}, this version of Homarus knows up to {HEAD}",
            fix=f"install Homarus {manifest.homarus} or newer, then restore",
        )


def _outside(manifest: Manifest, *, with_outside: bool | None) -> list[tuple[str, Path]]:
    """Return what goes outside the state folder, by name in the archive."""
    found = [(item.name, Path(item.path)) for item in manifest.elsewhere]
    if manifest.database.path is not None:
        found.append((DATABASE, Path(manifest.database.path)))
    if found and with_outside is None:
        places = ", ".join(str(path) for _, path in found)
        raise UserError(
            f"the backup also has what lay outside the state folder: {places}",
            fix="add --outside to put that back as well, or --no-outside to leave it; look at the paths first",
        )
    return found if with_outside else []


def _places(staging: Path, root: Path, outside: list[tuple[str, Path]], stack: ExitStack) -> list[Place]:
    folder = staging / STATE
    folder.mkdir(mode=0o700, exist_ok=True)
    if (staging / DATABASE).exists() and DATABASE not in dict(outside):
        (staging / DATABASE).rename(folder / "homarus.db")
    found = [(staging / name, target) for name, target in outside if (staging / name).exists()]
    return [Place(folder, root), *(_beside(new, target, stack) for new, target in found)]


def _beside(new: Path, target: Path, stack: ExitStack) -> Place:
    """Copy something next to where it belongs, which may be on another disk."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    near = _staging(target, stack) / target.name
    if new.is_dir():
        shutil.copytree(new, near, symlinks=True)
    else:
        shutil.copy2(new, near)
    return Place(near, target)


def _swap(places: list[Place], now: int) -> tuple[Path, ...]:
    """Put everything in place, or nothing."""
    done: list[tuple[Path, Path]] = []
    try:
        for place in places:
            for path in (place.target, *_companions(place)):
                if os.path.lexists(path):
                    kept = _free_name(path, now)
                    path.rename(kept)
                    done.append((kept, path))
            place.new.rename(place.target)
            done.append((place.target, place.new))
            _sync(place.target.parent)
    except OSError:
        for now_at, before in reversed(done):
            now_at.rename(before)
        raise
    return tuple(kept for kept, _ in done if KEPT in kept.name)


def _companions(place: Place) -> list[Path]:
    """Return the files of an old database that would be mistaken for parts of the new one."""
    if place.new.is_dir():
        return []
    return [place.target.with_name(place.target.name + ending) for ending in _BESIDE_A_DATABASE]


def _free_name(path: Path, now: int) -> Path:
    plain = path.with_name(path.name + KEPT)
    if not os.path.lexists(plain):
        return plain
    stamp = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%dT%H%M%S")
    return path.with_name(f"{path.name}{KEPT}-{stamp}-{now % 1000:03}")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
