"""Making a backup: one archive with the database, the configuration, keys and workspaces, verified before it counts."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tarfile
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from msgspec import Struct
from msgspec.structs import replace

from homarus import __version__
from homarus.clock import Clock
from homarus.config.load import LoadedConfig, load
from homarus.config.paths import StateDir
from homarus.errors import ConfigError, StorageError, UserError
from homarus.ops.backup_contents import Contents, find_contents
from homarus.ops.backup_manifest import DATABASE, MANIFEST, FileRecord, Manifest
from homarus.ops.backup_reading import verify
from homarus.storage.backup import copy_file

CHUNK: Final = 1024 * 1024
IN_MEMORY: Final = 16 * 1024 * 1024
"""Bytes of one file that are held in memory while it is added; a larger one goes through a temporary file."""


class Backup(Struct, frozen=True):
    """An archive that was made. `size` in bytes."""

    path: Path
    size: int
    manifest: Manifest


def create(state: StateDir, clock: Clock, output: Path | None = None) -> Backup:
    """Write an archive (mode 0600) and verify it; a gateway may run meanwhile.

    Without `output` it goes to `backups/backup-<time>.tar.gz` in the state folder. Raises UserError when the file
    exists already, StorageError when something cannot be read or written; then there is no archive.
    """
    contents = find_contents(state, _config(state))
    path = (output or default_path(state, clock.now_ms())).absolute()
    if path.exists():
        raise UserError(f"{path} exists already", fix="choose another name with --output")
    contents.files = {name: file for name, file in contents.files.items() if file != path}
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        manifest = _write(partial, contents, state, clock.now_ms())
        verify(partial)
        partial.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise StorageError(
            f"no backup could be written to {path}: {error.strerror or error}", fix="check free space and permissions"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    return Backup(path, path.stat().st_size, manifest)


def default_path(state: StateDir, now_ms: int) -> Path:
    """Return where a backup goes when nobody says."""
    stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%S")
    return state.backups / f"backup-{stamp}-{now_ms % 1000:03}.tar.gz"


def _config(state: StateDir) -> LoadedConfig | None:
    """Return the configuration; None when it is broken, which must not keep anybody from a backup."""
    try:
        return load(state.config_file, state.env)
    except ConfigError:
        return None


def _write(partial: Path, contents: Contents, state: StateDir, now: int) -> Manifest:
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with (
        os.fdopen(descriptor, "wb") as raw,
        tempfile.TemporaryDirectory(prefix=".backup-", dir=partial.parent) as staging,
        tarfile.open(fileobj=raw, mode="w:gz", format=tarfile.PAX_FORMAT, compresslevel=6) as archive,
    ):
        manifest = _fill(archive, contents, state, now, Path(staging))
        archive.close()
        raw.flush()
        os.fsync(raw.fileno())
    return manifest


def _fill(archive: tarfile.TarFile, contents: Contents, state: StateDir, now: int, staging: Path) -> Manifest:
    files: dict[str, FileRecord] = {}
    database, left_out = contents.database, list(contents.left_out)
    if contents.database_file is not None:
        copy = staging / DATABASE
        database = replace(database, revision=copy_file(contents.database_file, copy))
        files[DATABASE] = _add(archive, DATABASE, copy, staging, now)
    for name, path in contents.files.items():
        try:
            files[name] = _add(archive, name, path, staging, now)
        except (FileNotFoundError, PermissionError) as error:
            left_out.append(f"{path}: {error.strerror}")
    manifest = Manifest(
        created_at=now,
        homarus=__version__,
        root=str(state.root),
        database=database,
        files=files,
        links=contents.links,
        elsewhere=tuple(contents.elsewhere),
        left_out=tuple(left_out),
    )
    data = manifest.as_json().encode()
    archive.addfile(_member(MANIFEST, len(data), 0o600, now), io.BytesIO(data))
    return manifest


def _add(archive: tarfile.TarFile, name: str, path: Path, staging: Path, now: int) -> FileRecord:
    """Add one file as it is at this moment: it is copied first, because its length must be known before."""
    with (
        os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as source,
        tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(staging)) as copy,
    ):
        mode = os.fstat(source.fileno()).st_mode & 0o777
        digest, size = _copy(source, copy)
        copy.seek(0)
        archive.addfile(_member(name, size, mode, now), copy)
    return FileRecord(digest, size, mode)


def _copy(source: IO[bytes], target: IO[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while data := source.read(CHUNK):
        target.write(data)
        digest.update(data)
        size += len(data)
    return digest.hexdigest(), size


def _member(name: str, size: int, mode: int, now: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, mode, now // 1000
    return member


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
