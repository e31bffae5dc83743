"""Says in words what is wrong with a file the model named."""

from __future__ import annotations

import errno
import os
import stat
from typing import NoReturn

from homarus.errors import UserError

KINDS = {
    stat.S_IFDIR: "a folder; use list",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFLNK: "a link",
}
REASONS = {
    errno.ENOENT: "does not exist; use list to see what does",
    errno.ENOTDIR: "goes through something that is not a folder",
    errno.ELOOP: "changed into a link while it was opened; it is not followed",
    errno.EISDIR: "is a folder; use list",
    errno.EACCES: "may not be opened: permission denied",
    errno.EPERM: "may not be changed: operation not permitted",
    errno.ENOSPC: "could not be written: the disk is full",
    errno.EDQUOT: "could not be written: the disk quota is used up",
    errno.EROFS: "could not be written: the file system is read-only",
    errno.ENAMETOOLONG: "has a name that is too long",
    errno.ENXIO: "is a socket or device, not a regular file",
}


def refuse(path: str, error: OSError) -> NoReturn:
    """Raise UserError for what the kernel said about `path`."""
    reason = REASONS.get(error.errno or 0) or f"could not be opened: {error.strerror}"
    raise UserError(f"`{path}` {reason}") from error


def check_regular(path: str, status: os.stat_result) -> None:
    """Raise UserError unless it is a regular file."""
    if not stat.S_ISREG(status.st_mode):
        kind = KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise UserError(f"`{path}` is not a regular file: it is {kind}")
