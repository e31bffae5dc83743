"""What the log says of itself: which run, session and channel a line belongs to. For logs only, never for decisions."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

LOG_FIELDS: Final[ContextVar[dict[str, str] | None]] = ContextVar("log_fields", default=None)


def log_fields() -> dict[str, str]:
    """Return the fields of the task that runs now; do not change them."""
    return LOG_FIELDS.get() or {}


@contextmanager
def logging_as(**fields: str | None) -> Generator[None]:
    """Give every line logged inside these fields; an inner one wins, None leaves a field as it is."""
    merged = {**log_fields(), **{name: value for name, value in fields.items() if value is not None}}
    token = LOG_FIELDS.set(merged)
    try:
        yield
    finally:
        LOG_FIELDS.reset(token)
