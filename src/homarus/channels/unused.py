"""Keys of a channel's section that are accepted and have no effect, as its manifest lists them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from homarus.channels.contract import Manifest


def unused_channel_keys(
    sections: Mapping[str, Mapping[str, object]], manifests: Mapping[str, Manifest]
) -> tuple[str, ...]:
    """Return those that are set in the sections of enabled channels, as dotted paths in file order."""
    found: list[str] = []
    for channel, section in sections.items():
        patterns = manifests[channel].unused if channel in manifests else ()
        if patterns and section.get("enabled", True) is not False:
            wanted = {tuple(pattern.split(".")) for pattern in patterns}
            wanted |= {("accounts", "*", *pattern) for pattern in wanted}
            found += (".".join((f"channels.{channel}", *path)) for path in _paths(section, wanted, ()))
    return tuple(found)


def _paths(
    value: Mapping[str, object], wanted: set[tuple[str, ...]], place: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    for key, item in value.items():
        path = (*place, key)
        if any(_is_at(path, pattern) for pattern in wanted):
            yield path
        elif isinstance(item, dict):
            yield from _paths(cast("Mapping[str, object]", item), wanted, path)


def _is_at(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    return len(path) == len(pattern) and all(wanted in ("*", part) for part, wanted in zip(path, pattern, strict=True))
