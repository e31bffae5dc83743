"""What a client keeps on disk: the tokens gateways issued to its device, mode 0600."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import cast


class TokenStore:
    """Device tokens by gateway address and role, in one JSON file beside the device identity."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, url: str, role: str) -> str | None:
        """Return the token for a gateway, None when there is none; a damaged file counts as empty."""
        found = self._read().get(f"{url}|{role}")
        return found if isinstance(found, str) else None

    def set(self, url: str, role: str, token: str | None) -> None:
        """Keep or forget a token. A file that cannot be written is passed over: the token is only a convenience."""
        tokens = self._read()
        key = f"{url}|{role}"
        if tokens.get(key) == token:
            return
        tokens.pop(key, None)
        if token is not None:
            tokens[key] = token
        scratch = self._path.with_suffix(f".{os.getpid()}.tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w") as file:
                json.dump(tokens, file)
            scratch.replace(self._path)
        except OSError:
            scratch.unlink(missing_ok=True)

    def _read(self) -> dict[str, object]:
        try:
            parsed = cast("object", json.loads(self._path.read_text()))
        except (OSError, ValueError):
            return {}
        return cast("dict[str, object]", parsed) if isinstance(parsed, dict) else {}
