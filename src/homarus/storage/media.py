"""Files on their way out: private copies in the state folder, each under a handle that nobody can guess.

A copy is whole and on the disk before its handle exists, so whatever names a handle can be sent after a crash too.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from homarus.clock import Clock
from homarus.errors import StorageError
from homarus.storage.records import StoredFile

MAX_FILE = 50 * 1024 * 1024
"""Bytes of the largest file that is kept; Telegram, the most generous platform so far, takes no more."""
MAX_TOTAL = 2 * 1024 * 1024 * 1024
"""Bytes of all files together."""
KEPT_MS = 7 * 24 * 3_600_000
"""How long a file is kept at least; deliveries have long ended by then, and old ones make room for new ones."""
_HANDLE = re.compile(r"[0-9a-f]{32}")


class MediaStore:
    """The folder of files. All methods block."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    def keep(self, name: str, mime: str, content: bytes) -> StoredFile:
        """Store a file and return it with its handle. Raises StorageError for one that does not fit."""
        if len(content) > MAX_FILE:
            raise StorageError(f"the file {name!r} has {len(content)} bytes; at most {MAX_FILE} are kept")
        handle = self._clock.uuid().replace("-", "")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room(len(content))
            self._write(handle, content)
        except OSError as error:
            raise StorageError(
                f"the file {name!r} cannot be kept in {self._folder}: {error.strerror or error}",
                fix="free some space there and check the permissions",
            ) from error
        return StoredFile(handle, name, mime, len(content))

    def read(self, handle: str) -> bytes | None:
        """Return a file's content, None when it is no longer kept. Raises StorageError when it cannot be read."""
        if not _HANDLE.fullmatch(handle):
            return None
        try:
            with (self._folder / handle).open("rb") as stream:
                return stream.read(MAX_FILE)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"a kept file cannot be read: {error.strerror or error}") from error

    def _write(self, handle: str, content: bytes) -> None:
        path = self._folder / handle
        temporary = path.with_suffix(".tmp")
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(fd, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.rename(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _make_room(self, size: int) -> None:
        """Remove the oldest files that may go until a new one fits. Raises StorageError when too few may."""
        found = sorted((entry.stat().st_mtime, entry.stat().st_size, entry.path) for entry in os.scandir(self._folder))
        total = size + sum(length for _, length, _ in found)
        before = self._clock.now_ms() / 1000 - KEPT_MS / 1000
        for modified, length, path in found:
            if total <= MAX_TOTAL:
                return
            if modified >= before:
                break
            Path(path).unlink(missing_ok=True)
            total -= length
        if total > MAX_TOTAL:
            raise StorageError(
                f"the files of the last days in {self._folder} already fill {MAX_TOTAL} bytes",
                fix="remove those that are not needed any more",
            )
