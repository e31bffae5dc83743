"""`meta`, `env` and `storage`: facts about the file itself, variables, the database."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict

from homarus.config.base import Count, Section, section
from homarus.config.secret import Secret


class Meta(Section):
    """Notes tools leave in the file."""

    last_touched_version: str | None = None
    """Version that last wrote the file."""
    last_touched_at: str | int | float | None = None
    """When it was last written."""


class ShellEnv(Section):
    """Variables from a login shell."""

    enabled: bool = False
    """Turns this feature on or off."""
    timeout_ms: Count = 15_000
    """Time limit, milliseconds."""


class EnvironmentVariables(Section):
    """Variables added to the environment when it does not set them; other keys here are variables too."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str]  # pyright: ignore[reportIncompatibleVariableOverride]

    shell_env: ShellEnv = section()
    """Variables from a login shell."""
    vars: dict[str, str] = section()
    """Variables by name."""


class Storage(Section):
    """Where state is kept."""

    url: Secret | None = None
    """PostgreSQL address, for example postgresql://user@host/name; unset: SQLite in the state folder."""
    skip_backup: bool = False
    """Upgrades a PostgreSQL schema without a backup first, for owners who keep their own."""
    journal_retention: str | float | Literal[False] = "30d"
    """How long ended messages, runs and sent parts stay in the journal, for example 30d; at least 1d; false: for ever.
    Transcripts are not touched."""
