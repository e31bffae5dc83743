"""Changing the configuration file: atomically, never into something invalid, with the last good copy beside it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from msgspec import Struct
from msgspec.structs import replace

from homarus.config.include import read_text
from homarus.config.issues import MISSING, dotted, value_at
from homarus.config.json5_text import parse
from homarus.config.load import LoadedConfig, load, load_text
from homarus.errors import ConfigError

if TYPE_CHECKING:
    from homarus.config.load import Judge

if TYPE_CHECKING:
    from homarus.config.load import Tree

Place = tuple[str | int, ...]

_PART = re.compile(r"""\.?(?P<name>[^.\[\]"\\]+)|\[(?P<index>\d{1,6})\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]""")


class Written(Struct, frozen=True):
    """What a change left behind: the checked result, and whether comments of the old file were lost."""

    loaded: LoadedConfig
    comments_lost: bool


def write_text_atomically(path: Path, text: str) -> None:
    """Replace the file in one step, readable by this user only (0600): a crash leaves the old or the new text.

    Raises ConfigError when the folder cannot be written or the disk is full; the old file is then untouched.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)  # noqa: PTH105 - the call tests replace to simulate a crash
        _sync_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{path} cannot be written: {error.strerror or error}",
        fix="free disk space, or make its folder writable for this user",
    )


def backup_of(path: Path) -> Path:
    """Return where the last good copy of a configuration is kept."""
    return path.with_name(f"{path.name}.bak")


def parse_place(text: str) -> Place:
    """Return the parts of `agents.list[0].id` or `models.providers["my.host"]`; raise ConfigError for anything else."""
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        found = _PART.match(text, position)
        if found is None:
            raise ConfigError(
                f"{text!r} is not a key", path=text, fix='write for example agents.list[0].id or a["x.y"]'
            )
        parts.append(int(found["index"]) if found["index"] else found["name"] or str(json.loads(found["quoted"])))
        position = found.end()
    if not parts:
        raise ConfigError("the key is empty", fix="write for example gateway.port")
    return tuple(parts)


def get_value(parsed: Mapping[str, object], key: str) -> object:
    """Return the value written at a dotted key. Raises ConfigError when the file does not set it."""
    value = value_at(parsed, parse_place(key))
    if value is MISSING:
        raise ConfigError(f"{key} is not set in the file", path=key, fix="see docs/reference/config.md for its default")
    return value


def set_value(path: Path, key: str, value: object, env: Mapping[str, str]) -> Written:
    """Set one key, making the objects above it.

    Raises ConfigErrors, leaving the file alone, when the result would be invalid.
    """

    return set_values(path, {key: value}, env)


def set_values(path: Path, values: Mapping[str, object], env: Mapping[str, str]) -> Written:
    """Set several keys in one step, or none. Raises as `set_value` does."""

    def change(tree: Tree) -> None:
        assign_all(tree, values)

    return _change(path, env, change)


def assign_all(tree: Tree, values: Mapping[str, object]) -> None:
    """Set dotted keys in a parsed file, making the objects above them. Raises ConfigError for an impossible key."""
    for key, value in values.items():
        _assign(tree, parse_place(key), value)


def unset(path: Path, key: str, env: Mapping[str, str]) -> Written:
    """Remove one key. Raises ConfigError when it is not there, ConfigErrors when the result is invalid."""
    place = parse_place(key)

    def change(tree: Tree) -> None:
        above = value_at(tree, place[:-1])
        if value_at(tree, place) is MISSING:
            raise ConfigError(f"{key} is not set in the file", path=key, fix="nothing to do")
        cast("dict[str | int, object]", above).pop(place[-1])

    return _change(path, env, change)


def write_tree(path: Path, tree: Mapping[str, object], env: Mapping[str, str]) -> Written:
    """Replace the whole file. Raises ConfigErrors, leaving the file alone, when the new text is invalid."""
    old = read_text(path) if path.exists() else ""
    text = json.dumps(tree, indent=2, ensure_ascii=False) + "\n"
    loaded = load_text(text, path, env)
    if old and _is_valid(old, path, env):
        write_text_atomically(backup_of(path), old)
    write_text_atomically(path, text)
    return Written(loaded, comments_lost=bool(old) and not _is_plain_json(old))


def _change(path: Path, env: Mapping[str, str], change: Callable[[Tree], None]) -> Written:
    text = read_text(path) if path.exists() else ""
    parsed = parse(text, file=str(path))[0] if text.strip() else dict[str, object]()
    if not isinstance(parsed, dict):
        raise ConfigError(f"{path} does not hold an object", fix="put the settings in { }")
    tree = cast("Tree", parsed)
    change(tree)
    return write_tree(path, tree, env)


def _assign(tree: Tree, place: Place, value: object) -> None:
    current: object = tree
    for depth, (part, below) in enumerate(zip(place, (*place[1:], None), strict=True)):
        new: object = value if below is None else [] if isinstance(below, int) else {}
        if isinstance(current, dict) and isinstance(part, str):
            items = cast("Tree", cast("object", current))
            items[part] = new if below is None else items.get(part, new)
            current = items[part]
        elif isinstance(current, list) and isinstance(part, int) and part <= len(cast("list[object]", current)):
            entries = cast("list[object]", current)
            entries[part:] = [new if below is None or part == len(entries) else entries[part], *entries[part + 1 :]]
            current = entries[part]
        else:
            above = dotted(place[:depth])
            raise ConfigError(
                f"{above} cannot hold {part!r}", path=above, fix="check the key; lists grow one entry at a time"
            )


def _is_valid(text: str, path: Path, env: Mapping[str, str]) -> bool:
    try:
        load_text(text, path, env)
    except ConfigError:
        return False
    return True


def _is_plain_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def load_or_last_good(
    path: Path,
    env: Mapping[str, str],
    *,
    may_recover: bool = True,
    judge: Judge | None = None,
) -> LoadedConfig:
    """Load the file and keep a copy as last good; when it is broken, load that copy with a warning instead.

    `judge` looks at the sections of channels, see `load`. Raises the error of the broken file when there is no good
    copy or `may_recover` is false.
    """
    try:
        loaded = load(path, env, judge)
    except ConfigError as error:
        recovered = _recover(path, env, judge) if may_recover else None
        if recovered is None:
            raise
        warning = (
            f"{error.message}\nStarted with the last good copy {backup_of(path)}; changes since then do not count."
        )
        return replace(recovered, warnings=(warning, *recovered.warnings), is_recovered=True)
    if loaded.exists:
        keep_last_good(loaded)
    return loaded


def _recover(path: Path, env: Mapping[str, str], judge: Judge | None) -> LoadedConfig | None:
    backup = backup_of(path)
    if not backup.exists():
        return None
    try:
        return load_text(read_text(backup), path, env, judge=judge)
    except ConfigError:
        return None


def keep_last_good(loaded: LoadedConfig) -> None:
    """Keep the text of a configuration that loaded, unless the copy is the same already."""
    backup = backup_of(loaded.path)
    if not backup.exists() or backup.read_text(encoding="utf-8", errors="replace") != loaded.raw_text:
        write_text_atomically(backup, loaded.raw_text)
