"""`agents.defaults.contextPruning` and `agents.defaults.compaction`: keeping the context small."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from homarus.config.base import Count, Many, Positive, Section, section


class ToolRules(Section):
    """Tool policy."""

    allow: Many[str] | None = None
    """Tool names or groups admitted."""
    deny: Many[str] = ()
    """Tool names or groups refused; wins over `allow`."""


class SoftTrim(Section):
    """Shortening sizes."""

    max_chars: Count = 4000
    """Most characters."""
    head_chars: Count = 1500
    """Kept start."""
    tail_chars: Count = 1500
    """Kept end."""


class HardClear(Section):
    """Removal settings."""

    enabled: bool = True
    """Turns this feature on or off."""
    placeholder: str = "[Old tool result content cleared]"
    """Replacement text."""


class ContextPruning(Section):
    """Shortening and dropping old tool results."""

    mode: Literal["off", "cache-ttl"] = "off"
    """Operating mode."""
    ttl: str = "5m"
    """Minimum age before pruning."""
    keep_last_assistants: Count = 3
    """Newest assistant turns kept intact."""
    soft_trim_ratio: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Context share at which results are shortened."""
    hard_clear_ratio: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Context share at which results are removed."""
    min_prunable_tool_chars: Count = 50_000
    """Least prunable text."""
    tools: ToolRules = section()
    """Tool policy."""
    soft_trim: SoftTrim = section()
    """Shortening sizes."""
    hard_clear: HardClear = section()
    """Removal settings."""


class QualityGuard(Section):
    """Check the summary."""

    enabled: bool = False
    """Turns this feature on or off."""
    max_retries: Count = 1
    """Summaries tried again."""


class MemoryFlush(Section):
    """Save notes before summarising."""

    enabled: bool = True
    """Turns this feature on or off."""
    soft_threshold_tokens: Count = 4000
    """Margin that starts the flush."""
    force_flush_transcript_bytes: Count | str = 2_097_152
    """Transcript size that forces it."""
    prompt: str | None = None
    """Prompt text."""
    system_prompt: str | None = None
    """Extra prompt text."""


class Compaction(Section):
    """Summarising old history."""

    mode: Literal["default", "safeguard"] = "safeguard"
    """Operating mode."""
    reserve_tokens: Count = 16_384
    """Tokens left free for the reply."""
    keep_recent_tokens: Positive = 20_000
    """Recent tokens kept verbatim."""
    reserve_tokens_floor: Count = 20_000
    """Lower bound of that reserve."""
    max_history_share: Annotated[float, Field(ge=0.1, le=0.9)] = 0.5
    """Largest history share."""
    custom_instructions: str | None = None
    """Extra summary instructions."""
    identifier_policy: Literal["strict", "off", "custom"] = "strict"
    """Keep exact identifiers."""
    identifier_instructions: str | None = None
    """Text for `identifierPolicy: custom`."""
    recent_turns_preserve: Annotated[int, Field(ge=0, le=12)] = 3
    """Recent turns quoted in the summary."""
    quality_guard: QualityGuard = section()
    """Check the summary."""
    post_index_sync: Literal["off", "async", "await"] | None = None
    """Refresh memory index afterwards."""
    post_compaction_sections: Many[str] = ("Session Startup", "Red Lines")
    """AGENTS.md headings injected again."""
    model: str | None = None
    """Model that summarises."""
    timeout_seconds: Positive = 900
    """Time limit, seconds."""
    memory_flush: MemoryFlush = section()
    """Save notes before summarising."""
    notify_user: bool = False
    """Tell the user."""
