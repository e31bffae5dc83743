"""Durations and sizes as the file writes them."""

from __future__ import annotations

import re

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(b|kb|k|mb|m|gb|g|tb|t)?")
_BYTES = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def parse_duration(text: str | float, *, unit: str = "ms") -> float:
    """Return seconds for `500ms`, `90s`, `30m`, `1h30m`, `7d`; a bare number counts in `unit`.

    Raises ValueError for anything else.
    """
    if isinstance(text, (int, float)):
        return float(text) * _SECONDS[unit]
    compact = text.strip().lower()
    parts = list(_DURATION.finditer(compact))
    if not parts or "".join(part[0] for part in parts) != compact or (len(parts) > 1 and not all(p[2] for p in parts)):
        raise ValueError("must be a duration such as 500ms, 90s, 30m, 1h30m or 7d")
    return sum(float(part[1]) * _SECONDS[part[2] or unit] for part in parts)


def parse_size(text: str | float) -> int:
    """Return bytes for `512kb`, `10mb`, `1.5gb` or a number; units count in 1024. Raises ValueError otherwise."""
    if isinstance(text, (int, float)):
        return int(text)
    found = _SIZE.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError("must be a size such as 512kb, 10mb or 1gb")
    return int(float(found[1]) * _BYTES[(found[2] or "b")[0]])
