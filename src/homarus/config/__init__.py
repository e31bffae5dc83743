"""Configuration: the models of `homarus.json`, loading, changing, hiding secrets, and where state lives."""

from __future__ import annotations


def json_schema() -> dict[str, object]:
    """Return the JSON Schema of the file, with the meaning of every key as its description."""
    from homarus.config.reference import schema_with_meanings  # noqa: PLC0415 - loads every model

    return schema_with_meanings()
