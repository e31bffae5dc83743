"""`tools`: which tools an agent may call and how they behave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, JsonValue

from homarus.config.base import Many, Positive, Section, later, section
from homarus.config.exec import ToolProfile

if TYPE_CHECKING:
    from homarus.config.exec import ExecTool
    from homarus.config.web_tools import WebTools
else:
    ExecTool = later("exec", "ExecTool")
    WebTools = later("web_tools", "WebTools")


class ProviderToolPolicy(Section):
    """Tool policy while one provider or model answers."""

    allow: Many[str] | None = None
    """Tool names or groups admitted."""
    also_allow: Many[str] = ()
    """Tool names added to what the profile admits."""
    deny: Many[str] = ()
    """Tool names or groups refused; wins over `allow`."""
    profile: ToolProfile | None = None
    """Preset of admitted tools."""


class SessionTools(Section):
    """Session tool rules."""

    visibility: Literal["self", "tree", "agent", "all"] = "tree"
    """Which sessions tools may see."""


class LoopDetectors(Section):
    """Single detectors."""

    generic_repeat: bool | None = None
    """Same call again and again."""
    known_poll_no_progress: bool | None = None
    """Polling without change."""
    ping_pong: bool | None = None
    """Two calls in turn."""


class LoopDetection(Section):
    """Repeat guard."""

    enabled: bool = False
    """Turns this feature on or off."""
    history_size: Positive = 30
    """Calls remembered."""
    warning_threshold: Positive = 10
    """Repeats before a warning."""
    critical_threshold: Positive = 20
    """Repeats before a call is refused."""
    global_circuit_breaker_threshold: Positive = 30
    """Repeats before all calls stop."""
    detectors: LoopDetectors = section()
    """Single detectors."""


class AgentMessaging(Section):
    """Messages between agents."""

    enabled: bool = False
    """Turns this feature on or off."""
    allow: Many[str] | None = None
    """Tool names or groups admitted."""


class ElevatedTools(Section):
    """Commands outside the sandbox, on the host."""

    enabled: bool | None = None
    """Turns this feature on or off."""
    allow_from: dict[str, Many[str | float]] | None = None
    """Sender ids admitted; "*" admits all."""


class FileTools(Section):
    """File tools."""

    workspace_only: bool | None = None
    """Stay inside the workspace."""


class ToolNames(Section):
    """Tool names admitted and refused."""

    allow: Many[str] | None = None
    """Tool names or groups admitted."""
    also_allow: Many[str] = ()
    """Tool names added to what the profile admits."""
    deny: Many[str] = ()
    """Tool names or groups refused; wins over `allow`."""


class NestedToolPolicy(Section):
    """Tool policy of one context."""

    tools: ToolNames = section()
    """Tool policy."""


class Tools(Section):
    """Global tool policy."""

    profile: ToolProfile | None = None
    """Preset of admitted tools; unset: full."""
    allow: Many[str] | None = None
    """Tool names or groups admitted."""
    also_allow: Many[str] = ()
    """Tool names added to what the profile admits."""
    deny: Many[str] = ()
    """Tool names or groups refused; wins over `allow`."""
    by_provider: dict[str, ProviderToolPolicy] = section()
    """Policy per provider or provider/model."""
    web: WebTools = section()
    """Web search and fetch."""
    media: dict[str, JsonValue] | None = None
    """Attachment handling."""
    links: dict[str, JsonValue] | None = None
    """Link understanding."""
    sessions: SessionTools = section()
    """Session tool rules."""
    loop_detection: LoopDetection = section()
    """Repeat guard."""
    message: dict[str, JsonValue] | None = None
    """Message tool or text."""
    agent_to_agent: AgentMessaging = section()
    """Messages between agents."""
    elevated: ElevatedTools = section()
    """Commands outside the sandbox, on the host."""
    exec: ExecTool = section()
    """Command tool."""
    fs: FileTools = section()
    """File tools."""
    subagents: NestedToolPolicy = section()
    """Tools of spawned agents."""
    sandbox: NestedToolPolicy = section()
    """Tools of sandboxed sessions."""
    sessions_spawn: dict[str, JsonValue] | None = Field(default=None, alias="sessions_spawn")
    """Spawn tool."""
    experimental: dict[str, JsonValue] | None = None
    """Unstable switches."""
