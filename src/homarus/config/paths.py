"""Where everything lives on disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import field

from homarus.config import environment
from homarus.discreet import Discreet
from homarus.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from homarus.config.schema import Config

_AGENT_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

MIN_FREE_BYTES: Final = 200 * 1024 * 1024
"""Less room than this on the disk of the state folder may not last until somebody looks again."""


class StateDir(Discreet, frozen=True):
    """The state folder: HOMARUS_HOME, else `~/.homarus`."""

    hidden = frozenset({"env"})

    root: Path
    env: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def resolve(cls, env: Mapping[str, str] | None = None) -> StateDir:
        """Return the folder the environment names; nothing is created."""
        found = environment.process_environment() if env is None else env
        named = found.get(environment.HOME)
        return cls(environment.expand(named or "~/.homarus", found), found)

    @property
    def config_file(self) -> Path:
        """Return the configuration file: HOMARUS_CONFIG, else `homarus.json` here."""
        named = self.env.get(environment.CONFIG)
        return environment.expand(named, self.env) if named else self.root / "homarus.json"

    @property
    def database(self) -> Path:
        """Return the SQLite file."""
        return self.root / "homarus.db"

    @property
    def logs(self) -> Path:
        """Return the folder of log files."""
        return self.root / "logs"

    @property
    def identity(self) -> Path:
        """Return the folder of this installation's keys."""
        return self.root / "identity"

    @property
    def backups(self) -> Path:
        """Return the folder of backups made before migrations."""
        return self.root / "backups"

    @property
    def media(self) -> Path:
        """Return the folder of files that go out."""
        return self.root / "media"

    @property
    def dotenv(self) -> Path:
        """Return the file of variables read at start."""
        return self.root / ".env"

    def workspace(self, agent_id: str = "main", config: Config | None = None) -> Path:
        """Return the folder of an agent's files: as configured, else `workspace`, or `workspace-<id>` for others.

        Raises ConfigError for an id that cannot be a folder name.
        """
        if not _AGENT_ID.fullmatch(agent_id):
            raise ConfigError(
                f"agent id {agent_id!r} is not a folder name",
                path="agents.list",
                fix="use lower case letters, digits, - _",
            )
        is_default = agent_id == ("main" if config is None else config.agents.default_id)
        named = None if config is None else config.agents.workspace_of(agent_id, is_default=is_default)
        if named is not None:
            return environment.expand(named, self.env)
        return self.root / ("workspace" if is_default else f"workspace-{agent_id}")

    def create(self) -> None:
        """Make the folder and its private parts, for this user only (0700).

        Raises ConfigError naming the folder and the fix when that is impossible.
        """
        for folder in (self.root, self.logs, self.identity, self.backups):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _check_writable(folder)
            except OSError as error:
                raise ConfigError(
                    f"the state folder {folder} cannot be used: {error.strerror or error}",
                    path=environment.HOME,
                    fix=f"make it writable for this user, or set {environment.HOME} to a folder that is",
                ) from None


def _check_writable(folder: Path) -> None:
    probe = folder / ".write-check"
    probe.touch(mode=0o600)
    probe.unlink()
