"""The gateway token of an installation that configured none: made once, kept in the state folder for this user only."""

from __future__ import annotations

import os
from pathlib import Path

from homarus.clock import Clock
from homarus.errors import ConfigError

NAME = "gateway-token"


def read_token(identity: Path) -> str | None:
    """Return the stored token, None when there is none. `identity` is the folder of this installation's keys."""
    try:
        return (identity / NAME).read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def read_or_create_token(identity: Path, clock: Clock) -> str:
    """Return the stored token, made now when there is none. Raises ConfigError when it cannot be stored."""
    known = read_token(identity)
    if known is not None:
        return known
    token = clock.token(32)
    path = identity / NAME
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigError(
            f"the gateway token cannot be stored in {path}: {error.strerror}", fix="make the state folder writable"
        ) from error
    return token
