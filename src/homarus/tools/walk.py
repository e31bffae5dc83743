"""Walks a path beneath an open folder, one component at a time and never through a link the kernel follows."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from pathlib import PurePosixPath

from msgspec import Struct

from homarus.errors import UserError
from homarus.tools.file_errors import refuse

SANDBOX_VIEW = "/work"  # where commands see the workspace
MAX_LINKS = 20
MAX_DEPTH = 64
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Place(Struct, frozen=True):
    """A name in an open folder; `name` is `.` for the folder itself."""

    folder: int
    name: str


class Walk:
    """One walk from a folder's handle, which it takes over. All methods raise UserError.

    `..` goes back along the handles, so it cannot go above the first, and a link is read and walked like a path: one
    that stays inside works, one that leaves is refused, whoever swaps it when.
    """

    def __init__(self, root: int, path: str, *, create_folders: bool) -> None:
        self._handles = [root]
        self._path = path
        self._create_folders = create_folders
        self._links = 0

    def run(self, parts: list[str]) -> Place:
        """Walk all components and return the place of the last one, valid until `close`."""
        queue = deque(parts)
        name = "."
        while queue:
            part, name = queue.popleft(), "."
            if part == "..":
                self._leave()
            elif (target := self._read_link(part)) is not None:
                queue.extendleft(reversed(self._follow(target)))
            elif queue:
                self._enter(part)
            else:
                name = part
        return Place(self._handles[-1], name)

    def close(self) -> None:
        """Close every handle."""
        while self._handles:
            os.close(self._handles.pop())

    def _read_link(self, part: str) -> str | None:
        with suppress(OSError):
            return os.readlink(part, dir_fd=self._handles[-1])
        return None

    def _follow(self, target: str) -> tuple[str, ...]:
        self._links += 1
        if self._links > MAX_LINKS:
            raise UserError(f"`{self._path}` goes through more than {MAX_LINKS} links")
        path = PurePosixPath(target)
        if not path.is_absolute():
            return path.parts
        if not path.is_relative_to(SANDBOX_VIEW):
            raise UserError(f"`{self._path}` is a link that leads outside the workspace; it is not followed")
        while len(self._handles) > 1:
            os.close(self._handles.pop())
        return path.relative_to(SANDBOX_VIEW).parts

    def _leave(self) -> None:
        if len(self._handles) == 1:
            raise UserError(f"`{self._path}` is outside the workspace; give a path relative to the workspace")
        os.close(self._handles.pop())

    def _enter(self, part: str) -> None:
        if len(self._handles) > MAX_DEPTH:
            raise UserError(f"`{self._path}` is more than {MAX_DEPTH} folders deep")
        folder = self._handles[-1]
        try:
            if self._create_folders:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=folder)
            self._handles.append(os.open(part, FOLDER_FLAGS, dir_fd=folder))
        except OSError as error:
            refuse(self._path, error)
