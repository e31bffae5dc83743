"""How long a provider asks us to wait, from the headers in which providers say it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

LONGEST = 24 * 3600.0
"""Seconds; a longer wait is cut to this, whatever a header says."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def read_retry_after(headers: Mapping[str, str], *, now_ms: int) -> float | None:
    """Return seconds to wait, None when no header says so. `headers` has lower-case names.

    Sources: RFC 9110 Retry-After (seconds or date), `retry-after-ms`, and the `x-ratelimit-reset*` family.
    """
    exact = _number(headers.get("retry-after-ms"))
    if exact is not None:
        return _bounded(exact / 1000)
    if text := headers.get("retry-after", "").strip():
        seconds = _number(text)
        seconds = _until_date(text, now_ms) if seconds is None else seconds
        if seconds is not None:
            return _bounded(seconds)
    return _read_reset(headers, now_ms)


def _read_reset(headers: Mapping[str, str], now_ms: int) -> float | None:
    names = ("x-ratelimit-reset", "x-ratelimit-reset-requests", "x-ratelimit-reset-tokens")
    waits = [_wait_of(headers[name].strip(), now_ms) for name in names if name in headers]
    known = [wait for wait in waits if wait is not None]
    return _bounded(max(known)) if known else None


def _wait_of(text: str, now_ms: int) -> float | None:
    """A reset is a duration such as 6m0s, a number of seconds, or a time in epoch seconds or milliseconds."""
    number = _number(text)
    if number is None:
        parts = _DURATION.findall(text)
        is_duration = bool(parts) and "".join(f"{value}{unit}" for value, unit in parts) == text
        return sum(float(value) * _UNITS[unit] for value, unit in parts) if is_duration else None
    if number > 1e11:
        return (number - now_ms) / 1000
    return number - now_ms / 1000 if number > 1e8 else number


def _number(text: str | None) -> float | None:
    if text is None or not re.fullmatch(r"\d{1,15}(?:\.\d{1,9})?", text.strip()):
        return None
    return float(text)


def _until_date(text: str, now_ms: int) -> float | None:
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return when.timestamp() - now_ms / 1000


def _bounded(seconds: float) -> float:
    return min(max(0.0, seconds), LONGEST)
