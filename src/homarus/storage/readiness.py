"""Whether a commit would succeed, found out without making one: a probe must not cost a sync of the disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from homarus.errors import StorageError

NEEDED: Final = 1_048_576
"""Bytes that must be free beside a SQLite file: a commit is some pages of 4 KB in the log next to it."""


def expect_writable(connection: Connection) -> None:
    """Raise StorageError when what this transaction wrote could not be kept. To be run as a write: it holds the lock
    of writers while it looks, and changes nothing, so that nothing is synced."""
    if connection.dialect.name == "sqlite":
        _expect_room(connection.engine.url.database)
    elif connection.exec_driver_sql("SHOW transaction_read_only").scalar_one() != "off":
        raise StorageError("the PostgreSQL server takes no writes now", fix="point storage.url at the primary server")


def _expect_room(file: str | None) -> None:
    if not file:
        return  # in memory
    path = Path(file)
    if not os.access(path, os.W_OK):
        raise StorageError(
            f"{path} cannot be written", fix="check that it exists, its permissions and how its file system is mounted"
        )
    free = shutil.disk_usage(path.parent).free
    if free < NEEDED:
        raise StorageError(
            f"the disk is full: {free} bytes are free at {path.parent}",
            fix="free some space; everything accepted before is safe",
        )
