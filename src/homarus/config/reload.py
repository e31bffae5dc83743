"""What a change of the configuration costs: nothing, a restart of one part, or a restart of the process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import cast


class Impact(StrEnum):
    """Cost of a change, cheapest first."""

    LIVE = "live"
    HOT = "hot"
    RESTART = "restart"


_RULES: tuple[tuple[Impact, tuple[str, ...]], ...] = (
    (
        Impact.LIVE,
        (
            "gateway.remote",
            "gateway.reload",
            "gateway.http.rateLimit",
            "gateway.http.webhooks",
            "gateway.tools",
            "diagnostics.stuckSessionWarnMs",
        ),
    ),
    (
        Impact.HOT,
        (
            "gateway.channelHealthCheckMinutes",
            "gateway.channelStaleEventThresholdMinutes",
            "gateway.channelMaxRestartsPerHour",
            "hooks",
            "agents.defaults.heartbeat",
            "agents.defaults.model",
            "agents.defaults.models",
            "models",
            "agents.list",
            "cron",
        ),
    ),
    (Impact.RESTART, ("browser", "channels.defaults", "channels.modelByChannel")),
    (Impact.HOT, ("channels", "web")),
    (
        Impact.LIVE,
        (
            "meta",
            "identity",
            "wizard",
            "logging",
            "agents",
            "tools",
            "bindings",
            "audio",
            "agent",
            "routing",
            "messages",
            "session",
            "talk",
            "skills",
            "secrets",
            "ui",
        ),
    ),
)
"""Prefix rules of the reference, first match wins; anything else needs a restart."""


def impact_of(path: str) -> Impact:
    """Return the cost of changing the key at `path` (dotted, without list indexes)."""
    for impact, prefixes in _RULES:
        if any(path == prefix or path.startswith((f"{prefix}.", f"{prefix}[")) for prefix in prefixes):
            return impact
    return Impact.RESTART


def changed_paths(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """Return the dotted paths that differ between two trees; lists compare as a whole."""
    return list(_differences(old, new, ""))


def _differences(old: Mapping[str, object], new: Mapping[str, object], prefix: str) -> Iterator[str]:
    for key in [*old, *(key for key in new if key not in old)]:
        before, after = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            below = cast("Mapping[str, object]", before), cast("Mapping[str, object]", after)
            yield from _differences(*below, f"{prefix}{key}.")
        elif before != after or (key in old) != (key in new):
            yield f"{prefix}{key}"
