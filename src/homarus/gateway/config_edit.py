"""Changing the configuration file for a client: checked first, written in one step, taken over or put back."""

from __future__ import annotations

import asyncio
import copy
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from homarus.errors import ConfigError
from homarus.gateway.reload import problems_of
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject

if TYPE_CHECKING:
    from pathlib import Path

    from homarus.config.load import LoadedConfig
    from homarus.errors import ProtocolError
    from homarus.gateway.services import Services

STALE = "config changed since last load; re-run config.get and retry"
NO_HASH = "config base hash required; re-run config.get and retry"
_turns: dict[asyncio.AbstractEventLoop, asyncio.Lock] = {}


class Edited(Struct, frozen=True):
    """A change: whether anything differs, the redacted file, and the keys that count after a restart only."""

    is_changed: bool
    shown: JsonObject
    needs_restart: tuple[str, ...] = ()


async def change_config(
    services: Services,
    change: Callable[[JsonObject], JsonObject | None],
    base_hash: str | None = None,
    *,
    is_checked: bool = False,
) -> Edited:
    """Change the parsed file and take it over. `change` works in place or returns another tree.

    With `is_checked`, `base_hash` must be that of an existing file. Raises ProtocolError, leaving the file alone.
    """
    from homarus.config.redact import redact  # noqa: PLC0415 - loads every model of the schema

    async with _turn():
        loaded = services.config.current
        text = await asyncio.to_thread(_read, loaded.path)
        if is_checked and text is not None:
            _check_hash(text, base_hash)
        before = _parse(text or "", str(loaded.path))
        work = copy.deepcopy(before)
        tree = change(work)
        after = work if tree is None else tree
        if after == before:
            return Edited(is_changed=False, shown=redact(before))
        needs_restart = await _take_over(services, loaded, after, text)
        return Edited(is_changed=True, shown=redact(after), needs_restart=needs_restart)


def parse_raw(raw: str) -> JsonObject:
    """Return the object a client wrote as JSON5. Raises ProtocolError with line and column."""
    return _parse(raw, "raw")


def merge(base: object, patch: object) -> object:
    """Return `base` with an RFC 7396 patch applied; lists of objects with `id` are merged by id."""
    if isinstance(patch, dict):
        target = dict(cast("JsonObject", base)) if isinstance(base, dict) else JsonObject()
        for name, value in cast("JsonObject", patch).items():
            if value is None:
                target.pop(name, None)
            else:
                target[name] = merge(target.get(name), value)
        return target
    if isinstance(patch, list) and isinstance(base, list):
        return _merge_lists(cast("list[object]", base), cast("list[object]", patch))
    return cast("object", patch)


def _merge_lists(base: list[object], patch: list[object]) -> list[object]:
    if not all(_id(item) for item in (*base, *patch)):
        return patch
    merged = list(base)
    for item in patch:
        place = next((i for i, known in enumerate(merged) if _id(known) == _id(item)), None)
        if place is None:
            merged.append(item)
        else:
            merged[place] = merge(merged[place], item)
    return merged


def _id(item: object) -> str | None:
    found = cast("JsonObject", item).get("id") if isinstance(item, dict) else None
    return found if isinstance(found, str) and found else None


def _turn() -> asyncio.Lock:
    """Return the lock of this loop: two changes must not overtake each other."""
    return _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())


def _read(path: Path) -> str | None:
    from homarus.config.include import read_text  # noqa: PLC0415 - needed on demand only

    return read_text(path) if path.exists() else None


def _parse(text: str, name: str) -> JsonObject:
    from homarus.config.json5_text import parse  # noqa: PLC0415 - needed on demand only

    try:
        found = parse(text, file=name)[0] if text.strip() else JsonObject()
    except ConfigError as error:
        raise _refuse(error) from error
    if not isinstance(found, dict):
        raise invalid("config raw must be an object")
    return cast("JsonObject", found)


def _check_hash(text: str, base_hash: str | None) -> None:
    if not base_hash:
        raise invalid(NO_HASH)
    if base_hash != hashlib.sha256(text.encode()).hexdigest():
        raise invalid(STALE)


async def _take_over(services: Services, loaded: LoadedConfig, tree: JsonObject, text: str | None) -> tuple[str, ...]:
    from homarus.config import write  # noqa: PLC0415 - needed on demand only

    try:
        await asyncio.to_thread(write.write_tree, loaded.path, tree, loaded.env)
    except ConfigError as error:
        raise _refuse(error) from error
    if services.reloader is None:
        return tuple(tree)
    done = await services.reloader.reload()
    if done.problems:
        await asyncio.to_thread(write.write_text_atomically, loaded.path, text or "{}\n")
        issues: list[JsonObject] = [{"path": each.path, "message": each.message} for each in done.problems]
        raise _invalid_config(issues)
    return done.needs_restart


def _refuse(error: ConfigError) -> ProtocolError:
    return _invalid_config([{"path": each.path, "message": each.message} for each in problems_of(error)])


def _invalid_config(issues: list[JsonObject]) -> ProtocolError:
    shown = "; ".join(f"{each['path'] or '<root>'}: {each['message']}" for each in issues[:3])
    more = f" (+{len(issues) - 3} more issues)" if len(issues) > 3 else ""
    return invalid(f"invalid config: {shown}{more}", {"issues": issues[:100]})
