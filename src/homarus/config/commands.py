"""`commands`: slash commands and who may use them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from homarus.config.base import Many, Section
from homarus.config.secret import Secret


class Commands(Section):
    """Native command settings."""

    native: bool | Literal["auto"] = "auto"
    """Register commands with the platform."""
    native_skills: bool | Literal["auto"] = "auto"
    """Register skills as platform commands."""
    text: bool = True
    """Chat text commands."""
    bash: bool = False
    """Let `!` run shell commands."""
    bash_foreground_ms: Annotated[int, Field(ge=0, le=30000)] = 2000
    """Foreground time, ms."""
    config: bool = False
    """Let /config change the configuration."""
    mcp: bool = False
    """Allow /mcp."""
    plugins: bool = False
    """Allow /plugins."""
    debug: bool = False
    """Allow /debug."""
    restart: bool = True
    """Allow /restart."""
    use_access_groups: bool = True
    """Apply access rules to commands."""
    owner_allow_from: Many[str | float] | None = None
    """Owner ids."""
    owner_display: Literal["raw", "hash"] = "raw"
    """Owner ids raw or hashed."""
    owner_display_secret: Secret | None = None
    """Key of the hash."""
    allow_from: dict[str, Many[str | float]] | None = None
    """Sender ids admitted; "*" admits all."""
