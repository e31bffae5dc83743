"""Finds channels by their manifests and loads one only when it is asked for."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import cast

from msgspec import Struct
from msgspec.structs import fields

from homarus.channels.contract import Capabilities, Channel, Manifest
from homarus.channels.policy_config import ChannelPolicyConfig
from homarus.clock import Clock
from homarus.errors import ConfigError

MANIFEST = "manifest.toml"
_LISTS = ("aliases", "setup", "unused")
_KEYS = {
    "id": str,
    "name": str,
    "module": str,
    "extra": str,
    "docs": str,
    "owner": str,
    "aliases": list,
    "setup": list,
    "unused": list,
}
_NEEDED = ("id", "name", "module")


class ChannelModule(Struct, frozen=True):
    """A loaded channel. `create` takes the channel's validated configuration, the account id and the clock; it opens
    no connection and raises ConfigError for settings that cannot work."""

    manifest: Manifest
    config_model: type[ChannelPolicyConfig]
    create: Callable[[ChannelPolicyConfig, str, Clock], Channel]


@cache
def manifests() -> Mapping[str, Manifest]:
    """Return all channels by id, read from disk once, without importing any of them."""
    return MappingProxyType(scan(Path(__file__).parent))


def scan(folder: Path) -> dict[str, Manifest]:
    """Read the manifests of all channel folders in `folder`. Raises ConfigError for one that is broken."""
    found: dict[str, Manifest] = {}
    for path in sorted(folder.glob(f"*/{MANIFEST}")):
        manifest = read_manifest(path)
        if manifest.id in found:
            raise ConfigError(f"two channels have the id {manifest.id!r}", path=str(path), fix="rename one of them")
        found[manifest.id] = manifest
    return found


def read_manifest(path: Path) -> Manifest:
    """Read one manifest.toml. Raises ConfigError naming the key that is wrong."""
    try:
        data = cast("dict[str, object]", tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"cannot read the manifest: {error}", path=str(path), fix="correct the file") from error
    table = data.pop("capabilities", {})
    if not isinstance(table, dict):
        raise _wrong(path, "capabilities", "must be a table")
    for key, value in data.items():
        _check(path, key, value, _KEYS)
    for key in _NEEDED:
        if not data.get(key):
            raise _wrong(path, key, "is missing")
    return Manifest(
        id=str(data["id"]),
        name=str(data["name"]),
        module=str(data["module"]),
        extra=str(data["extra"]) if data.get("extra") else None,
        docs=str(data.get("docs", "")),
        **{key: tuple(str(item) for item in cast("list[object]", data.get(key, []))) for key in _LISTS},
        capabilities=_capabilities(path, cast("dict[str, object]", table)),
    )


def load(channel_id: str) -> ChannelModule:
    """Import one channel. Raises ConfigError for an unknown id, or with the command that installs a missing extra."""
    manifest = _by_name(channel_id)
    try:
        module = importlib.import_module(manifest.module)
    except ModuleNotFoundError as error:
        if manifest.extra is None or (error.name or "").partition(".")[0] == "homarus":
            raise
        raise ConfigError(
            f"the {manifest.name} channel needs the Python package {error.name!r}, which is not installed",
            path=f"channels.{manifest.id}",
            fix=f"pip install 'homarus[{manifest.extra}]'",
        ) from error
    return ChannelModule(manifest=manifest, config_model=module.config_model, create=module.create)


def _by_name(name: str) -> Manifest:
    known = manifests()
    if name in known:
        return known[name]
    for manifest in known.values():
        if name in manifest.aliases:
            return manifest
    raise ConfigError(
        f"there is no channel {name!r}; available: {', '.join(known)}",
        path=f"channels.{name}",
        fix="correct the name or remove the section",
    )


def _capabilities(path: Path, table: dict[str, object]) -> Capabilities:
    kinds = {item.name: type(cast("object", item.default)) for item in fields(Capabilities)}
    for key, value in table.items():
        _check(path, key, value, kinds)
    return Capabilities(**table)  # pyright: ignore[reportArgumentType] - every key and type was checked above


def _check(path: Path, key: str, value: object, kinds: Mapping[str, type]) -> None:
    if key not in kinds:
        raise _wrong(path, key, f"is not a known key; known: {', '.join(sorted(kinds))}")
    wanted = kinds[key]
    is_right = isinstance(value, wanted) or (wanted is float and isinstance(value, int))
    if not is_right or (isinstance(value, bool) and wanted is not bool):
        raise _wrong(path, key, f"must be {wanted.__name__}, not {value!r}")


def _wrong(path: Path, key: str, problem: str) -> ConfigError:
    return ConfigError(f"{key} {problem}", path=f"{path}:{key}", fix=f"correct {key} in {path.name}")
