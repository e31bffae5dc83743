"""`agents.defaults.heartbeat`: the periodic run."""

from __future__ import annotations

from typing import Literal

from homarus.config.base import Count, Section


class ActiveHours(Section):
    """Daily window."""

    start: str | None = None
    """First minute, HH:MM."""
    end: str | None = None
    """Last minute, HH:MM; 24:00 allowed."""
    timezone: str | None = None
    """Zone: user, local or a name."""


class Heartbeat(Section):
    """Periodic run."""

    every: str = "30m"
    """Interval; 0 turns off."""
    active_hours: ActiveHours | None = None
    """Daily window."""
    model: str | None = None
    """Model of the run."""
    session: str = "main"
    """Session it runs in."""
    include_reasoning: bool = False
    """Send reasoning too."""
    target: str = "none"
    """Where it is delivered."""
    direct_policy: Literal["allow", "block"] = "allow"
    """Allow delivery into direct chats."""
    to: str | None = None
    """Recipient."""
    account_id: str | None = None
    """Channel account."""
    prompt: str | None = None
    """Prompt text."""
    ack_max_chars: Count = 300
    """Longest remainder after the token still dropped."""
    suppress_tool_error_warnings: bool | None = None
    """Hide tool error notes."""
    light_context: bool = False
    """Load only the heartbeat file."""
    isolated_session: bool = False
    """Fresh session each time."""
