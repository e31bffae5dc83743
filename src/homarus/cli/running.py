"""The note a running gateway leaves in the state folder, so that other commands find it on whatever port it has."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, cast

from msgspec import Struct

if TYPE_CHECKING:
    from pathlib import Path

NAME = "running.json"
_MAX_BYTES = 4096


class Running(Struct, frozen=True):
    """A gateway that said it was ready. `url` is http://host:port, or https:// with the certificate's fingerprint."""

    url: str
    pid: int
    tls_fingerprint: str | None = None


def leave_note(root: Path, running: Running) -> None:
    """Write the note. Raises ConfigError when the state folder cannot be written."""
    from homarus.config.write import write_text_atomically

    note = {"url": running.url, "pid": running.pid, "tlsFingerprint": running.tls_fingerprint}
    write_text_atomically(root / NAME, json.dumps(note) + "\n")


def take_note_back(root: Path) -> None:
    """Remove the note of this process, and of no other."""
    found = _read(root / NAME)
    if found is not None and found.pid == os.getpid():
        with contextlib.suppress(OSError):
            (root / NAME).unlink()


def find_running(root: Path) -> Running | None:
    """Return the gateway of a state folder, None when its process is gone."""
    found = _read(root / NAME)
    if found is None:
        return None
    try:
        os.kill(found.pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return found
    return found


def _read(path: Path) -> Running | None:
    try:
        with path.open("rb") as file:
            value: object = json.loads(file.read(_MAX_BYTES))
    except (OSError, ValueError):
        return None
    if not isinstance(value, dict):
        return None
    fields = cast("dict[str, object]", value)
    url, pid, pin = fields.get("url"), fields.get("pid"), fields.get("tlsFingerprint")
    if not (isinstance(url, str) and isinstance(pid, int) and pid > 0):
        return None
    return Running(url, pid, pin if isinstance(pin, str) else None)
