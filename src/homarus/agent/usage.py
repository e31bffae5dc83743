"""Adding up and storing what calls cost in tokens."""

from __future__ import annotations

from homarus.models.contract import Usage


def add_usage(one: Usage, other: Usage) -> Usage:
    """Return the sum; a count that only one side reports is taken from there."""
    return Usage(
        _add(one.input_tokens, other.input_tokens),
        _add(one.output_tokens, other.output_tokens),
        _add(one.cache_read_tokens, other.cache_read_tokens),
        _add(one.cache_write_tokens, other.cache_write_tokens),
    )


def usage_json(usage: Usage) -> dict[str, int]:
    """Return `{input, output, cacheRead, cacheWrite, totalTokens}` with 0 for what was not reported."""
    read, write = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    sent, received = usage.input_tokens or 0, usage.output_tokens or 0
    return {"input": sent, "output": received, "cacheRead": read, "cacheWrite": write, "totalTokens": sent + received}


def read_usage(value: dict[str, int]) -> Usage:
    """Read what `usage_json` wrote."""
    return Usage(value.get("input"), value.get("output"), value.get("cacheRead"), value.get("cacheWrite"))


def _add(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other
