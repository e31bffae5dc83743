"""`messages`: prefixes, group rules, the queue in front of a busy session, reactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from homarus.config.base import Count, Many, Positive, Section, later, section

if TYPE_CHECKING:
    from homarus.config.speech import Speech
else:
    Speech = later("speech", "Speech")

QueueMode = Literal["steer", "followup", "collect", "steer-backlog", "steer+backlog", "queue", "interrupt"]


class GroupChat(Section):
    """Group rules."""

    mention_patterns: Many[str] | None = None
    """Regular expressions that count as a mention."""
    history_limit: Positive = 50
    """Group messages kept as context."""


class QueueModes(Section):
    """Queue mode per channel."""

    whatsapp: QueueMode | None = None
    """WhatsApp."""
    telegram: QueueMode | None = None
    """Telegram."""
    discord: QueueMode | None = None
    """Discord."""
    irc: QueueMode | None = None
    """IRC."""
    slack: QueueMode | None = None
    """Slack."""
    mattermost: QueueMode | None = None
    """Mattermost."""
    signal: QueueMode | None = None
    """Signal."""
    imessage: QueueMode | None = None
    """iMessage."""
    msteams: QueueMode | None = None
    """Microsoft Teams."""
    webchat: QueueMode | None = None
    """Web chat."""


class MessageQueue(Section):
    """What happens to messages that arrive while a run is active."""

    mode: QueueMode = "collect"
    """collect, followup, steer, interrupt or a mixture."""
    by_channel: QueueModes = section()
    """Setting per channel."""
    debounce_ms: Count = 1000
    """Quiet time before queued messages are taken, milliseconds."""
    debounce_ms_by_channel: dict[str, Count] = section()
    """That wait per channel."""
    cap: Positive = 20
    """Queue length."""
    drop: Literal["old", "new", "summarize"] = "summarize"
    """What is dropped when full."""


class InboundDebounce(Section):
    """Incoming messages."""

    debounce_ms: Count = 0
    """Quiet time in which messages of one sender are joined, milliseconds."""
    by_channel: dict[str, Count] = section()
    """Setting per channel."""


class StatusEmojis(Section):
    """Emoji per state."""

    thinking: str | None = None
    """Thinking."""
    tool: str | None = None
    """Using a tool."""
    coding: str | None = None
    """Working on code."""
    web: str | None = None
    """On the web."""
    done: str | None = None
    """Done."""
    error: str | None = None
    """Failed."""
    stall_soft: str | None = None
    """Slow."""
    stall_hard: str | None = None
    """Stuck."""
    compacting: str | None = None
    """Summarising."""


class StatusTiming(Section):
    """Stall and hold times."""

    debounce_ms: Count | None = None
    """Least time between changes, milliseconds."""
    stall_soft_ms: Count | None = None
    """Silence before the first stall mark, milliseconds."""
    stall_hard_ms: Count | None = None
    """Silence before the second stall mark, milliseconds."""
    done_hold_ms: Count | None = None
    """How long the done mark stays, milliseconds."""
    error_hold_ms: Count | None = None
    """How long the error mark stays, milliseconds."""


class StatusReactions(Section):
    """Reactions following progress."""

    enabled: bool | None = None
    """Turns this feature on or off."""
    emojis: StatusEmojis | None = None
    """Emoji per state."""
    timing: StatusTiming | None = None
    """Stall and hold times."""


class Messages(Section):
    """How messages are received, queued, acknowledged and prefixed."""

    message_prefix: str | None = None
    """Text put before each user message."""
    response_prefix: str | None = None
    """Text put before each reply."""
    group_chat: GroupChat = section()
    """Group rules."""
    queue: MessageQueue = section()
    """What happens to messages that arrive while a run is active."""
    inbound: InboundDebounce = section()
    """Incoming messages."""
    ack_reaction: str | None = None
    """Emoji put on an accepted message."""
    ack_reaction_scope: Literal["group-mentions", "group-all", "direct", "all", "off", "none"] = "group-mentions"
    """Which messages get the reaction."""
    remove_ack_after_reply: bool = False
    """Remove it after the reply."""
    status_reactions: StatusReactions = section()
    """Reactions following progress."""
    suppress_tool_errors: bool = False
    """Hide tool error notes."""
    tts: Speech = section()
    """Text-to-speech settings."""
