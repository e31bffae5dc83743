"""`agents.list[]`: one agent and what it overrides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import JsonValue

from homarus.config.base import Count, Many, Positive, Section, later, section
from homarus.config.choices import Choice, ThinkingLevel
from homarus.config.exec import ApplyPatch, CommandRules, ExecHost, ToolProfile
from homarus.config.tools import ElevatedTools, FileTools, LoopDetection, NestedToolPolicy, ProviderToolPolicy

if TYPE_CHECKING:
    from homarus.config.agent_defaults import HumanDelay
    from homarus.config.heartbeat import Heartbeat
    from homarus.config.memory_search import MemorySearch
    from homarus.config.messages import GroupChat
    from homarus.config.sandboxing import Sandbox
    from homarus.config.subagents import AgentSubagents
else:
    HumanDelay = later("agent_defaults", "HumanDelay")
    Heartbeat = later("heartbeat", "Heartbeat")
    MemorySearch = later("memory_search", "MemorySearch")
    GroupChat = later("messages", "GroupChat")
    Sandbox = later("sandboxing", "Sandbox")
    AgentSubagents = later("subagents", "AgentSubagents")


class Identity(Section):
    """Name, emoji and look."""

    name: str | None = None
    """Display name."""
    theme: str | None = None
    """Persona words."""
    emoji: str | None = None
    """Emoji."""
    avatar: str | None = None
    """Picture path or address."""


class AgentExec(CommandRules):
    """The command tool for this agent."""

    host: ExecHost | None = None
    """Bind or target host."""
    background_ms: Positive | None = None
    """Move to background after, ms."""
    timeout_sec: Positive | None = None
    """Limit in seconds."""
    cleanup_ms: Positive | None = None
    """Forget finished processes after, ms."""
    notify_on_exit: bool | None = None
    """System event at exit."""
    notify_on_exit_empty_success: bool | None = None
    """Also when silent and successful."""
    apply_patch: ApplyPatch | None = None
    """Patch tool."""
    approval_running_notice_ms: Count | None = None
    """Notice after an approved command runs this long, milliseconds."""


class AgentTools(Section):
    """Tool policy of this agent."""

    profile: ToolProfile | None = None
    """Preset of admitted tools."""
    allow: Many[str] | None = None
    """Tool names or groups admitted."""
    also_allow: Many[str] = ()
    """Tool names added to what the profile admits."""
    deny: Many[str] = ()
    """Tool names or groups refused; wins over `allow`."""
    by_provider: dict[str, ProviderToolPolicy] = section()
    """Policy per provider or provider/model."""
    elevated: ElevatedTools | None = None
    """Host commands out of a sandbox."""
    exec: AgentExec | None = None
    """Command tool."""
    fs: FileTools | None = None
    """File tools."""
    loop_detection: LoopDetection | None = None
    """Repeat guard."""
    sandbox: NestedToolPolicy | None = None
    """Isolation of tool runs."""


class Runtime(Section):
    """What runs this agent: built in, or an ACP program."""

    type: Literal["embedded"]
    """Binding kind."""


class Acp(Section):
    """ACP settings."""

    agent: str | None = None
    """Agent id."""
    backend: str | None = None
    """Backend id."""
    mode: Literal["persistent", "oneshot"] | None = None
    """Operating mode."""
    cwd: str | None = None
    """Working folder."""


class ListRuntime(Section):
    """What runs this agent: built in, or an ACP program."""

    type: Literal["acp"]
    """Binding kind."""
    acp: Acp = section()
    """ACP settings."""


class AgentEntry(Section):
    """One agent; what it sets overrides `agents.defaults`."""

    id: str
    """Identifier, lower case."""
    default: bool = False
    """Takes messages no binding claims."""
    name: str | None = None
    """Display name."""
    workspace: str | None = None
    """Folder of this agent's files."""
    agent_dir: str | None = None
    """State folder of the agent."""
    model: Choice | None = None
    """Model and fallbacks."""
    thinking_default: ThinkingLevel | None = None
    """Thinking level without override."""
    reasoning_default: Literal["on", "off", "stream"] | None = None
    """Reasoning visibility without override."""
    fast_mode_default: bool | None = None
    """Fast mode without override."""
    skills: Many[str] | None = None
    """Skill names allowed."""
    memory_search: MemorySearch | None = None
    """Memory index overrides."""
    human_delay: HumanDelay | None = None
    """Pause overrides."""
    heartbeat: Heartbeat | None = None
    """Periodic run of this agent."""
    identity: Identity | None = None
    """Name, emoji and look."""
    group_chat: GroupChat | None = None
    """Group rules."""
    subagents: AgentSubagents | None = None
    """What this agent may start."""
    sandbox: Sandbox | None = None
    """Isolation overrides."""
    params: dict[str, JsonValue] | None = None
    """Extra model request parameters."""
    tools: AgentTools | None = None
    """Tool policy."""
    runtime: Runtime | ListRuntime | None = None
    """What runs this agent: built in, or an ACP program."""
