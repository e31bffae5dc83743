"""Protocol versions and their negotiation."""

from __future__ import annotations

from typing import Final

PROTOCOL_VERSIONS: Final = (3,)
"""Versions this gateway speaks, oldest first."""


def negotiate(minimum: int, maximum: int) -> int | None:
    """Return the newest version both sides speak, None when there is none."""
    common = [version for version in PROTOCOL_VERSIONS if minimum <= version <= maximum]
    return common[-1] if common else None
