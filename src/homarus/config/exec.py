"""`tools.exec`: the command tool."""

from __future__ import annotations

from typing import Literal

from homarus.config.base import Count, Many, Positive, Section, section

ToolProfile = Literal["minimal", "coding", "messaging", "full"]
ExecHost = Literal["auto", "sandbox", "gateway", "node"]
ExecSecurity = Literal["deny", "allowlist", "full"]
ExecAsk = Literal["off", "on-miss", "always"]


class SafeBinProfile(Section):
    """Argument limits of one program."""

    min_positional: Count | None = None
    """Fewest plain arguments."""
    max_positional: Count | None = None
    """Most plain arguments."""
    allowed_value_flags: Many[str] = ()
    """Flags that may take a value."""
    denied_flags: Many[str] = ()
    """Flags refused."""


class ApplyPatch(Section):
    """Patch tool."""

    enabled: bool | None = None
    """Turns this feature on or off."""
    workspace_only: bool | None = None
    """Stay inside the workspace."""
    allow_models: Many[str] | None = None
    """Models that may use it."""


class CommandRules(Section):
    """Which commands run, and when somebody is asked first."""

    security: ExecSecurity | None = None
    """Command policy."""
    ask: ExecAsk | None = None
    """When to ask."""
    node: str | None = None
    """Node id."""
    path_prepend: Many[str] | None = None
    """Folders put first on PATH."""
    safe_bins: Many[str] | None = None
    """Programs allowed as plain filters."""
    strict_inline_eval: bool | None = None
    """Inline code needs approval."""
    safe_bin_trusted_dirs: Many[str] | None = None
    """Folders they may live in."""
    safe_bin_profiles: dict[str, SafeBinProfile] = section()
    """Argument limits per program."""


class ExecTool(CommandRules):
    """Command tool."""

    host: ExecHost = "auto"
    """Where commands run."""
    background_ms: Positive = 10_000
    """Move to background after, ms."""
    timeout_sec: Positive = 1800
    """Limit in seconds."""
    cleanup_ms: Positive = 1_800_000
    """Forget finished processes after, ms."""
    notify_on_exit: bool = True
    """System event at exit."""
    notify_on_exit_empty_success: bool = False
    """Also when silent and successful."""
    apply_patch: ApplyPatch = section()
    """Patch tool."""
