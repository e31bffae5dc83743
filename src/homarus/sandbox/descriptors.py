"""File descriptors of one launch: opened together, closed together, handed to the child by number."""

from __future__ import annotations

import os
from contextlib import suppress


class Descriptors:
    """Owns fds until they are closed; closing twice is harmless."""

    def __init__(self) -> None:
        self._open: set[int] = set()

    def data(self, content: bytes) -> int:
        """Return an fd that reads `content` from memory."""
        fd = self.adopt(os.memfd_create("homarus", os.MFD_CLOEXEC))
        view = memoryview(content)
        while view:
            view = view[os.write(fd, view) :]
        os.lseek(fd, 0, os.SEEK_SET)
        return fd

    def pipe(self) -> tuple[int, int]:
        """Return the reading and the writing end of a pipe."""
        reader, writer = os.pipe2(os.O_CLOEXEC)
        return self.adopt(reader), self.adopt(writer)

    def adopt(self, fd: int) -> int:
        """Take over an fd and return it."""
        self._open.add(fd)
        return fd

    def close(self, *fds: int) -> None:
        """Close some fds."""
        for fd in fds:
            if fd in self._open:
                self._open.discard(fd)
                with suppress(OSError):
                    os.close(fd)

    def close_all(self) -> None:
        """Close whatever is still open."""
        self.close(*list(self._open))
