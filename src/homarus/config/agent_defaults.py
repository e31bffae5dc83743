"""`agents.defaults`: settings every agent starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import JsonValue

from homarus.config.base import Count, Many, Positive, PositiveNumber, Section, later, section
from homarus.config.choices import Choice, ThinkingLevel, TypingMode

if TYPE_CHECKING:
    from homarus.config.context import Compaction, ContextPruning
    from homarus.config.heartbeat import Heartbeat
    from homarus.config.memory_search import MemorySearch
    from homarus.config.sandboxing import Sandbox
    from homarus.config.subagents import SubagentDefaults
else:
    Compaction = later("context", "Compaction")
    ContextPruning = later("context", "ContextPruning")
    Heartbeat = later("heartbeat", "Heartbeat")
    MemorySearch = later("memory_search", "MemorySearch")
    Sandbox = later("sandboxing", "Sandbox")
    SubagentDefaults = later("subagents", "SubagentDefaults")


class AllowedModel(Section):
    """Short name and parameters of one model."""

    alias: str | None = None
    """Short name."""
    params: dict[str, JsonValue] | None = None
    """Extra model request parameters."""
    streaming: bool | None = None
    """Live preview mode."""


class StreamLimits(Section):
    """Model stream settings."""

    idle_timeout_seconds: Count | None = None
    """Silence limit (0 none)."""


class EmbeddedPi(Section):
    """Embedded runtime settings."""

    project_settings_policy: Literal["trusted", "sanitize", "ignore"] | None = None
    """Trust of project settings files."""


class BlockStreamingChunk(Section):
    """Block size limits."""

    min_chars: Positive = 800
    """Least characters."""
    max_chars: Positive = 1200
    """Most characters."""
    break_preference: Literal["paragraph", "newline", "sentence"] = "paragraph"
    """Preferred cut point."""


class BlockStreamingCoalesce(Section):
    """Merging of streamed blocks before sending."""

    min_chars: Positive | None = None
    """Least characters."""
    max_chars: Positive | None = None
    """Most characters."""
    idle_ms: Count = 1000
    """Flush after silence, ms."""


class HumanDelay(Section):
    """Random pause between blocks."""

    mode: Literal["off", "natural", "custom"] = "off"
    """off, natural (the default bounds) or custom."""
    min_ms: Count = 800
    """Shortest pause, milliseconds."""
    max_ms: Count = 2500
    """Longest pause, milliseconds."""


class AgentDefaults(Section):
    """Settings every agent starts from."""

    params: dict[str, JsonValue] | None = None
    """Extra model request parameters."""
    model: Choice | None = None
    """Model and fallbacks, as provider/model."""
    image_model: Choice | None = None
    """Model that looks at pictures when the main one cannot."""
    image_generation_model: Choice | None = None
    """Model that makes pictures."""
    video_generation_model: Choice | None = None
    """Model that makes videos."""
    music_generation_model: Choice | None = None
    """Model that makes music."""
    pdf_model: Choice | None = None
    """Model that reads PDF files."""
    pdf_max_bytes_mb: PositiveNumber | None = None
    """Largest PDF, megabytes."""
    pdf_max_pages: Positive | None = None
    """Most PDF pages."""
    models: dict[str, AllowedModel] = section()
    """Model names with alias and parameters; when set, also the list of models users may pick."""
    workspace: str | None = None
    """Folder of the default agent's files; unset: `workspace` in the state folder."""
    skills: Many[str] | None = None
    """Skill names allowed; unset: all."""
    repo_root: str | None = None
    """Repository shown in the prompt."""
    skip_bootstrap: bool = False
    """Do not create starter files."""
    bootstrap_max_chars: Positive = 20_000
    """Characters of one prompt file."""
    bootstrap_total_max_chars: Positive = 150_000
    """Characters of all prompt files together."""
    bootstrap_prompt_truncation_warning: Literal["off", "once", "always"] = "once"
    """When to warn the model about cut files."""
    user_timezone: str | None = None
    """Zone for times in prompts."""
    time_format: Literal["auto", "12", "24"] = "auto"
    """12 or 24 hour."""
    envelope_timezone: str | None = None
    """Zone in message prefixes."""
    envelope_timestamp: Literal["on", "off"] = "on"
    """Show time in message prefixes."""
    envelope_elapsed: Literal["on", "off"] = "on"
    """Show elapsed time in message prefixes."""
    context_tokens: Positive | None = None
    """Context size used; unset: the model's window, else 200000."""
    memory_search: MemorySearch = section()
    """Memory index settings."""
    context_pruning: ContextPruning = section()
    """Trim old tool results."""
    llm: StreamLimits = section()
    """Model stream settings."""
    compaction: Compaction = section()
    """History summarising."""
    embedded_pi: EmbeddedPi = section()
    """Embedded runtime settings."""
    thinking_default: ThinkingLevel | None = None
    """Thinking level without override."""
    verbose_default: Literal["off", "on", "full"] = "off"
    """Verbose level without override."""
    elevated_default: Literal["off", "on", "ask", "full"] = "on"
    """Elevated level without override."""
    block_streaming_default: Literal["off", "on"] = "off"
    """Block streaming unless a channel decides."""
    block_streaming_break: Literal["text_end", "message_end"] = "text_end"
    """Flush at text end or message end."""
    block_streaming_chunk: BlockStreamingChunk = section()
    """Block size limits."""
    block_streaming_coalesce: BlockStreamingCoalesce = section()
    """Merging of streamed blocks before sending."""
    human_delay: HumanDelay = section()
    """Random pause between blocks."""
    timeout_seconds: Positive | None = None
    """Longest run, seconds."""
    media_max_mb: PositiveNumber | None = None
    """Largest media, megabytes."""
    image_max_dimension_px: Positive = 1200
    """Images are scaled down to this side."""
    typing_interval_seconds: Positive = 6
    """Seconds between typing refreshes."""
    typing_mode: TypingMode | None = None
    """When typing starts; unset: instant in direct chats and on mention, else message."""
    heartbeat: Heartbeat = section()
    """Periodic run."""
    max_concurrent: Positive = 4
    """Runs at the same time, over all sessions."""
    subagents: SubagentDefaults = section()
    """Spawned agents."""
    sandbox: Sandbox = section()
    """Isolation of tool runs."""
