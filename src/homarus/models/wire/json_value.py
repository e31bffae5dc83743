"""Reading JSON from outside: each function answers for any value and never raises."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import cast

from msgspec import DecodeError
from msgspec.json import decode

JsonObject = dict[str, object]


def parse_json(text: str | bytes) -> object:
    """Return the parsed value, or None for anything that is not JSON (or nested beyond reason)."""
    try:
        return decode(text)
    except (DecodeError, UnicodeError, RecursionError):
        return _parse_loosely(text)


def _parse_loosely(text: str | bytes) -> object:
    """Read what some servers write and the standard library takes: NaN, half a surrogate pair, control characters."""
    try:
        return cast("object", json.loads(text))
    except (ValueError, RecursionError):
        return None


def as_object(value: object) -> JsonObject:
    """Return the value as an object, an empty one when it is something else."""
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def as_objects(value: object) -> Iterable[JsonObject]:
    """Return the objects in a list, leaving out everything else."""
    if not isinstance(value, list):
        return ()
    return [cast("JsonObject", item) for item in cast("list[object]", value) if isinstance(item, dict)]


def as_text(value: object) -> str:
    """Return the value as text, empty when it is something else."""
    return value if isinstance(value, str) else ""


def as_count(value: object) -> int | None:
    """Return a whole number of at least zero, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        return None
    return int(value)


def compact(value: object) -> str:
    """Return JSON without spaces and with characters as they are, to keep requests small."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
