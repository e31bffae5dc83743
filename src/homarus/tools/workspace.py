"""The one way tools open files: beneath the workspace, regular ones only, bounded, and replaced in one step.

Hard links cannot be told from other files: a sandboxed command cannot make one to the outside (another mount), and
writing replaces the name, never the content behind another name.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path, PurePosixPath

from homarus.errors import UserError
from homarus.tools.file_errors import check_regular, refuse
from homarus.tools.walk import FOLDER_FLAGS, SANDBOX_VIEW, Place, Walk

MAX_PATH = 4_096
# without O_NONBLOCK opening a pipe would wait for its other end
FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
NEW_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_numbers = count()


class Workspace:
    """The folder tools may touch. All methods block, and raise UserError for what cannot be done."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def place(self, path: str, *, create_folders: bool = False) -> Generator[Place]:
        """Give the folder and name `path` leads to, links resolved; the handle is closed afterwards."""
        parts = self._split(path)
        walk = Walk(self._open_root(), path, create_folders=create_folders)
        try:
            yield walk.run(parts)
        finally:
            walk.close()

    def read(self, path: str, max_bytes: int) -> bytes:
        """Return the content of a regular file of at most `max_bytes`."""
        with self.place(path) as place:
            try:
                fd = os.open(place.name, FILE_FLAGS, dir_fd=place.folder)
            except OSError as error:
                refuse(path, error)
        try:
            status = os.fstat(fd)
            check_regular(path, status)
            _check_size(path, status.st_size, max_bytes)
            # it may grow meanwhile
            with os.fdopen(fd, "rb", closefd=False) as file:
                content = file.read(max_bytes + 1)
        finally:
            os.close(fd)
        _check_size(path, len(content), max_bytes)
        return content

    def write(self, path: str, content: bytes) -> bool:
        """Replace or create a file in one step, with its folders; return whether it is new."""
        with self.place(path, create_folders=True) as place:
            if place.name == ".":
                raise UserError(f"`{path}` is a folder; give the path of a file")
            try:
                return _replace(place, path, content)
            except OSError as error:
                refuse(path, error)

    @contextmanager
    def folder(self, path: str) -> Generator[int]:
        """Give a handle of a folder; it is closed afterwards."""
        with self.place(path) as place:
            try:
                fd = os.open(place.name, FOLDER_FLAGS, dir_fd=place.folder)
            except NotADirectoryError as error:
                raise UserError(f"`{path}` is a file, not a folder; use read") from error
            except OSError as error:
                refuse(path, error)
        try:
            yield fd
        finally:
            os.close(fd)

    def _split(self, path: str) -> list[str]:
        """Return the components of a path as the model wrote it: relative, or absolute within the workspace."""
        if not path or "\0" in path or len(path) > MAX_PATH:
            raise UserError("the path is empty, too long or contains a NUL character; give one such as notes.md")
        pure = PurePosixPath(path)
        if pure.parts and pure.parts[0].startswith("~"):
            raise UserError(f"`{path}` is outside the workspace; paths are relative to the workspace, without `~`")
        if not pure.is_absolute():
            return list(pure.parts)
        for base in (SANDBOX_VIEW, str(self._root)):
            if pure.is_relative_to(base):
                return list(pure.relative_to(base).parts)
        raise UserError(f"`{path}` is outside the workspace; give a path relative to the workspace")

    def _open_root(self) -> int:
        try:
            return os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise UserError(f"the workspace cannot be opened: {error.strerror}", fix="homarus doctor") from error


def _check_size(path: str, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise UserError(
            f"`{path}` is larger than {max_bytes} bytes",
            fix="use exec with a command that takes a part of it, such as head, tail or grep",
        )


def _replace(place: Place, path: str, content: bytes) -> bool:
    """Write a new file beside the old one and rename it over; what was there stays whole until then."""
    mode = _mode_of(place, path)
    temporary, fd = _open_new(place)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.rename(temporary, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=place.folder)
        raise
    os.fsync(place.folder)
    return mode is None


def _mode_of(place: Place, path: str) -> int | None:
    """Return the permissions of the file to be replaced, None when there is none."""
    try:
        status = os.stat(place.name, dir_fd=place.folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    check_regular(path, status)
    return status.st_mode & 0o777


def _open_new(place: Place) -> tuple[str, int]:
    for _ in range(100):
        name = f".homarus-{os.getpid()}-{next(_numbers)}.tmp"
        with suppress(FileExistsError):
            return name, os.open(name, NEW_FLAGS, 0o666, dir_fd=place.folder)
    raise FileExistsError(errno.EEXIST, "no free name for a temporary file")
