"""The file of command approvals: who may run what without being asked. The gateway and every node host keep one.

Its format is that of OpenClaw's `exec-approvals.json`, so existing files and editors go on working.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Final, cast

from msgspec import Struct

from homarus.errors import UserError

FileBody = dict[str, object]
NAME: Final = "exec-approvals.json"
MAX_BYTES: Final = 1024 * 1024
"""Bytes the file may have."""
DEFAULTS: Final = {"security": "allowlist", "ask": "on-miss", "askFallback": "deny", "autoAllowSkills": False}
"""What counts where the file says nothing: nothing runs that was not approved (reference nodes §5)."""


class Snapshot(Struct, frozen=True):
    """The file at one moment. `hash` is the SHA-256 (hex) of its text, `body` without rules when it is absent."""

    path: Path
    exists: bool
    hash: str
    body: FileBody

    def shown(self) -> dict[str, object]:
        """Return what clients see: everything but the socket's token."""
        body = dict(self.body)
        socket = body.get("socket")
        if isinstance(socket, dict):
            kept = cast("FileBody", socket)
            body["socket"] = {name: value for name, value in kept.items() if name != "token"}
        shown = {"path": str(self.path), "exists": self.exists, "hash": self.hash, "file": body}
        given = self.body.get("defaults")
        written = cast("FileBody", given) if isinstance(given, dict) else {}
        return {**shown, "resolvedDefaults": {name: written.get(name) or value for name, value in DEFAULTS.items()}}


class ExecApprovalsFile:
    """Reads and replaces the file; every change names the version it was made from."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def ensure(self) -> Snapshot:
        """Return the file, made without rules on first use. Raises UserError."""
        found = self.read()
        return found if found.exists else self._write(found.body)

    def read(self) -> Snapshot:
        """Return the file as it is. Raises UserError when it cannot be read or is no such file."""
        try:
            text = self.path.read_bytes()[: MAX_BYTES + 1]
        except FileNotFoundError:
            return Snapshot(self.path, exists=False, hash=_hash(b""), body=self._empty())
        except OSError as error:
            raise UserError(f"cannot read {self.path}: {error.strerror}") from error
        return Snapshot(self.path, exists=True, hash=_hash(text), body=self._parse(text))

    def replace(self, body: FileBody, base_hash: str | None) -> Snapshot:
        """Store other rules in place of the version with `base_hash`, and return what was stored.

        Raises UserError when the file exists and `base_hash` is missing or not its hash.
        """
        found = self.read()
        if found.exists and not base_hash:
            raise UserError("exec approvals base hash required; reload and retry")
        if found.exists and base_hash != found.hash:
            raise UserError("exec approvals changed; reload and retry")
        return self._write({**body, "version": 1, "socket": self._socket(body, found.body)})

    def _socket(self, given: FileBody, stored: FileBody) -> FileBody:
        """Keep the socket's token, which clients are never shown."""
        old, new = stored.get("socket"), given.get("socket")
        kept = cast("FileBody", old) if isinstance(old, dict) else {}
        return {**kept, **(cast("FileBody", new) if isinstance(new, dict) else {})}

    def _parse(self, text: bytes) -> FileBody:
        fix = "correct it, or delete it to begin without rules"
        if len(text) > MAX_BYTES:
            raise UserError(f"{self.path} is larger than {MAX_BYTES} bytes", fix=fix)
        try:
            parsed = cast("object", json.loads(text))
        except (ValueError, RecursionError) as error:
            raise UserError(f"{self.path} is not JSON: {error}", fix=fix) from error
        if not isinstance(parsed, dict):
            raise UserError(f"{self.path} must hold an object", fix=fix)
        return {**self._empty(), **cast("FileBody", parsed)}

    def _empty(self) -> FileBody:
        socket = {"path": str(self.path.with_suffix(".sock"))}
        return {"version": 1, "socket": socket, "defaults": {}, "agents": {}}

    def _write(self, body: FileBody) -> Snapshot:
        text = (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
        if len(text) > MAX_BYTES:
            raise UserError(f"exec approvals are limited to {MAX_BYTES} bytes")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, scratch = tempfile.mkstemp(dir=self.path.parent, prefix=f".{NAME}.")
            with os.fdopen(handle, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(scratch).replace(self.path)
        except OSError as error:
            raise UserError(f"cannot write {self.path}: {error.strerror}") from error
        return Snapshot(self.path, exists=True, hash=_hash(text), body=body)


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
