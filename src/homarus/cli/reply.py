"""Reading fields of a gateway's replies, whatever they turn out to be."""

from __future__ import annotations

from typing import cast

Row = dict[str, object]


def as_row(value: object) -> Row:
    """Return an object, empty when the value is none."""
    return cast("Row", value) if isinstance(value, dict) else {}


def rows(value: object, name: str) -> list[Row]:
    """Return the objects of a list field."""
    listed = as_row(value).get(name)
    return [as_row(item) for item in cast("list[object]", listed)] if isinstance(listed, list) else []


def text(row: Row, name: str, default: str = "") -> str:
    """Return a field as text, the default when it is absent or null."""
    value = row.get(name)
    return default if value is None else str(value)


def number(row: Row, name: str) -> int:
    """Return a whole number, 0 when the field is none."""
    value = row.get(name)
    return int(value) if isinstance(value, (int, float)) else 0
