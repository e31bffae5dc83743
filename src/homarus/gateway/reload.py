"""Taking over a changed configuration while the gateway runs, or refusing it as a whole."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Protocol, cast

from msgspec import Struct

from homarus.config.reload import Impact, changed_paths, impact_of
from homarus.errors import ConfigError

if TYPE_CHECKING:
    from homarus.config.load import LoadedConfig

log = logging.getLogger("homarus.gateway.reload")


class Problem(Struct, frozen=True):
    """One thing that is wrong with the new configuration."""

    path: str
    message: str
    fix: str | None = None

    def __str__(self) -> str:
        """Return it on one line."""
        where = f"{self.path}: " if self.path else ""
        return f"{where}{self.message}" + (f" - {self.fix}" if self.fix else "")


class Reloaded(Struct, frozen=True):
    """What a reload did: keys in force now, all keys that wait for a restart, channel accounts that were changed.

    With problems, nothing was changed.
    """

    applied: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


class Holder(Protocol):
    """Where the configuration in force is kept."""

    @property
    def current(self) -> LoadedConfig:
        """Return the configuration in force."""
        ...


class Reloader:
    """Reloads when asked. `read` loads and checks the file, `apply` puts it into force and names changed accounts.

    Both raise ConfigError; `apply` only before it has changed anything.
    """

    def __init__(
        self,
        holder: Holder,
        read: Callable[[], LoadedConfig],
        apply: Callable[[LoadedConfig], Awaitable[tuple[str, ...]]],
    ) -> None:
        self._holder = holder
        self._read = read
        self._apply = apply
        self._wanted = asyncio.Event()
        self._turn = asyncio.Lock()
        self._started_with = _late(holder.current)
        self.awaiting: tuple[str, ...] = ()
        """Keys that differ from those the gateway was started with and count after a restart."""
        self.is_refused = holder.current.is_recovered
        """Whether the file as it was last read has errors, so that an older configuration is in force."""

    def ask(self) -> None:
        """Reload soon; SIGHUP does this."""
        self._wanted.set()

    async def run(self) -> None:
        """Reload whenever asked."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self.reload()

    async def reload(self) -> Reloaded:
        """Read the file again and take it over, or keep everything as it is and say what is wrong."""
        async with self._turn:
            before = self._holder.current
            try:
                loaded = await asyncio.to_thread(self._read)
                accounts = await self._apply(loaded)
            except ConfigError as error:
                self.is_refused = True
                return _refused(error)
            self.is_refused = False
            self.awaiting = tuple(changed_paths(self._started_with, _late(loaded)))
            changed = changed_paths(_flat(before.written), _flat(loaded.written))
            live = tuple(path for path in changed if not _is_late(path))
            return _told(Reloaded(live, self.awaiting, accounts))


def _refused(error: ConfigError) -> Reloaded:
    problems = problems_of(error)
    log.error("the configuration was not taken over, the one in force stays: %d problem(s)", len(problems))
    for problem in problems:
        log.error("%s", problem)
    return Reloaded(problems=problems)


def problems_of(error: ConfigError) -> tuple[Problem, ...]:
    """Return everything an error says is wrong."""
    issues = getattr(error, "issues", None)
    if not issues:
        return (Problem(error.path or "", error.message, error.fix),)
    return tuple(Problem(issue.path, issue.message, issue.fix) for issue in issues)


def _flat(tree: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Return a tree as dotted keys and values, so that a new section is told key by key."""
    flat: dict[str, object] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(cast("Mapping[str, object]", value), f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _late(loaded: LoadedConfig) -> dict[str, object]:
    """Return the keys that count after a restart only; a section without keys is as none."""
    return {path: value for path, value in _flat(loaded.written).items() if _is_late(path) and value != {}}


def _is_late(path: str) -> bool:
    return impact_of(path) is Impact.RESTART


def _told(done: Reloaded) -> Reloaded:
    log.info("configuration taken over: %s", ", ".join(done.applied) or "nothing changed that is in force at once")
    if done.channels:
        log.info("channel accounts changed: %s", ", ".join(done.channels))
    if done.needs_restart:
        log.warning("these keys count after a restart: %s", ", ".join(done.needs_restart))
    return done
