"""Reading a backup: every member is checked against the manifest while it streams by, unpacked or not."""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import tempfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from homarus.errors import StorageError
from homarus.ops.backup_contents import MAX_FILES
from homarus.ops.backup_manifest import (
    DATABASE,
    MANIFEST,
    MAX_MANIFEST,
    STATE,
    FileRecord,
    Manifest,
    is_safe,
    is_safe_link,
    read_manifest,
)
from homarus.storage.backup import verify_backup

CHUNK: Final = 1024 * 1024
MAX_PADDING: Final = 1024 * 1024
"""Bytes of zeros that may stand behind the last member; 10 KiB are usual."""


def verify(path: Path) -> Manifest:
    """Check every checksum and the database of an archive and return its manifest. Raises StorageError."""
    with tempfile.TemporaryDirectory(prefix="homarus-verify-") as folder:
        return _read(path, Path(folder), is_unpacking=False)


def unpack(path: Path, folder: Path) -> Manifest:
    """Unpack an archive into an empty folder, checking as `verify` does. Raises StorageError; the folder is then the
    caller's to remove."""
    manifest = _read(path, folder, is_unpacking=True)
    for name, target in manifest.links.items():
        link = folder / name
        link.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        link.symlink_to(target)
    return manifest


def _read(path: Path, folder: Path, *, is_unpacking: bool) -> Manifest:
    seen: dict[str, FileRecord] = {}
    data: bytes | None = None
    with _explaining(path), gzip.open(path) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
        for member in archive:
            content = _open(archive, member, seen)
            if data is not None:
                raise _bad(f"{member.name!r} comes after the manifest")
            if member.name == MANIFEST:
                data = content.read(MAX_MANIFEST + 1)
                continue
            is_wanted = is_unpacking or member.name == DATABASE
            seen[member.name] = _take(content, folder / member.name if is_wanted else None, member.mode)
        # The checksum of the whole stands behind the last member, where the loop does not get to.
        if len(stream.read(MAX_PADDING + 1)) > MAX_PADDING:
            raise _bad("something follows its last member")
    if data is None:
        raise _bad("it has no manifest, so it was not finished")
    manifest = read_manifest(data)
    _compare(manifest, seen)
    _check_database(manifest, folder / DATABASE)
    return manifest


def _open(archive: tarfile.TarFile, member: tarfile.TarInfo, seen: dict[str, FileRecord]) -> IO[bytes]:
    content = archive.extractfile(member) if member.isreg() else None
    if content is None:
        raise _bad(f"{member.name!r} is no plain file")
    if not is_safe(member.name):
        raise _bad(f"{member.name!r} would be unpacked outside its folder")
    if member.name in seen:
        raise _bad(f"{member.name!r} is there twice")
    if len(seen) > MAX_FILES:
        raise _bad(f"it holds more than {MAX_FILES} files")
    return content


def _take(content: IO[bytes], target: Path | None, mode: int) -> FileRecord:
    """Read one member to its end, writing it to `target` when there is one."""
    digest, size = hashlib.sha256(), 0
    descriptor: int | None = None
    if target is not None:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        while data := content.read(CHUNK):
            digest.update(data)
            size += len(data)
            if descriptor is not None:
                _write_all(descriptor, data)
        if descriptor is not None:
            # Bits for the owner at least, so that a file can be read and replaced after it was restored.
            os.fchmod(descriptor, (mode & 0o777) | 0o600)
            os.fsync(descriptor)
    finally:
        if descriptor is not None:
            os.close(descriptor)
    return FileRecord(digest.hexdigest(), size, mode & 0o777)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _compare(manifest: Manifest, seen: dict[str, FileRecord]) -> None:
    for name, record in manifest.files.items():
        found = seen.get(name)
        if found is None:
            raise _bad(f"{name!r} is missing")
        if (found.sha256, found.size) != (record.sha256, record.size):
            raise _bad(f"{name!r} is not what was written (SHA-256 differs)")
    if unknown := sorted(set(seen) - set(manifest.files)):
        raise _bad(f"{unknown[0]!r} is not in its manifest")
    for name, target in manifest.links.items():
        is_ours = name.startswith((f"{STATE}/", "elsewhere/"))
        if not is_ours or not is_safe(name) or not is_safe_link(name, target) or name in manifest.files:
            raise _bad(f"the link {name!r} leads outside its folder")
    for item in manifest.elsewhere:
        if not is_safe(item.name) or not item.name.startswith("elsewhere/") or not Path(item.path).is_absolute():
            raise _bad(f"{item.what} has no usable place")


def _check_database(manifest: Manifest, copy: Path) -> None:
    if manifest.database.kind != "sqlite":
        return
    if DATABASE not in manifest.files:
        raise _bad("its database is missing")
    revision = verify_backup(copy)
    if revision != manifest.database.revision:
        raise _bad(f"its database has schema {revision}, not {manifest.database.revision}")


@contextmanager
def _explaining(path: Path) -> Generator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise _bad(f"{path.name} is damaged or no archive: {error}") from error
    except OSError as error:
        raise StorageError(
            f"{path} cannot be read or unpacked: {error.strerror or error}",
            fix="check the name, free space and permissions; TMPDIR names where a check unpacks the database",
        ) from error


def _bad(problem: str) -> StorageError:
    return StorageError(f"this is not a usable backup: {problem}", fix="use another backup")
