"""`agents.defaults.subagents`: agents started by agents."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from homarus.config.base import Count, Many, Positive, Section
from homarus.config.choices import Choice


class SubagentDefaults(Section):
    """Limits of agents started by agents."""

    allow_agents: Many[str] = ()
    """Agent ids that may be spawned ("*" all)."""
    max_concurrent: Positive = 8
    """Children running at the same time."""
    max_spawn_depth: Annotated[int, Field(ge=1, le=5)] = 1
    """Nesting limit."""
    max_children_per_agent: Annotated[int, Field(ge=1, le=20)] = 5
    """Active children limit."""
    archive_after_minutes: Count = 60
    """Archive finished children."""
    model: Choice | None = None
    """Model of the children."""
    thinking: str | None = None
    """Thinking level."""
    run_timeout_seconds: Count = 0
    """Child run limit (0 none)."""
    announce_timeout_ms: Positive | None = None
    """Announce call limit, ms."""
    require_agent_id: bool = False
    """Spawn must name an agent."""


class AgentSubagents(Section):
    """What this agent may start."""

    allow_agents: Many[str] = ()
    """Agent ids that may be spawned ("*" all)."""
    model: Choice | None = None
    """Model of the children."""
    thinking: str | None = None
    """Thinking level of the children."""
    require_agent_id: bool | None = None
    """Spawning must name an agent."""
