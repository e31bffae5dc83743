"""`session`: what separates conversations, when they reset and how long they are kept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from homarus.config.base import Count, Many, Positive, Section, section
from homarus.config.choices import TypingMode


def _force_main(_value: str) -> str:
    return "main"


MainKey = Annotated[str, AfterValidator(_force_main)]
"""Any name is accepted; clients rely on `main`, so it always is."""


class Reset(Section):
    """When a session starts afresh."""

    mode: Literal["daily", "idle"] = "daily"
    """At an hour of the day, or after silence."""
    at_hour: Annotated[int, Field(ge=0, le=23)] = 4
    """Local hour of the daily reset."""
    idle_minutes: Positive | None = None
    """Minutes of silence after which the session starts afresh."""


class ResetByType(Section):
    """Expiry per chat type."""

    direct: Reset | None = None
    """Direct chats."""
    dm: Reset | None = None
    """Direct chats (older name)."""
    group: Reset | None = None
    """Groups."""
    thread: Reset | None = None
    """Threads."""


class SendMatch(Section):
    """Conditions."""

    channel: str | None = None
    """Channel id."""
    chat_type: Literal["direct", "group", "channel", "dm"] | None = None
    """Chat kind."""
    key_prefix: str | None = None
    """Session key prefix."""
    raw_key_prefix: str | None = None
    """Prefix of the session key as written."""


class SendRule(Section):
    """One rule: what matches is allowed or denied."""

    action: Literal["allow", "deny"]
    """What to do."""
    match: SendMatch | None = None
    """Conditions."""


class SendPolicy(Section):
    """Rules that block sending."""

    default: Literal["allow", "deny"] | None = None
    """What applies when no rule matches."""
    rules: Many[SendRule] = ()
    """Rules; the first match decides."""


class AgentExchange(Section):
    """Messages between agents."""

    max_ping_pong_turns: Annotated[int, Field(ge=0, le=5)] = 5
    """Exchange limit."""


class ThreadBindings(Section):
    """Sessions bound to threads."""

    enabled: bool = True
    """Turns this feature on or off."""
    idle_hours: Annotated[float, Field(ge=0)] = 24
    """Hours of silence before it ends (0 never)."""
    max_age_hours: Annotated[float, Field(ge=0)] = 0
    """Hours before unbinding (0 never)."""


class Maintenance(Section):
    """Removal of old sessions."""

    mode: Literal["enforce", "warn"] = "warn"
    """warn reports, enforce removes."""
    prune_after: str | float = "30d"
    """Age, for example 30d."""
    prune_days: Positive | None = None
    """Legacy age limit."""
    max_entries: Positive = 500
    """Entry limit."""
    rotate_bytes: str | float = "10mb"
    """Size, for example 10mb."""
    reset_archive_retention: str | float | Literal[False] | None = None
    """How long transcripts before a reset stay; unset: as `pruneAfter`; false: for ever."""
    max_disk_bytes: str | float | None = None
    """Disk budget."""
    high_water_bytes: str | float | None = None
    """Size a cleanup goes down to; unset: 80% of `maxDiskBytes`."""


class Session(Section):
    """How messages are grouped into sessions and how long those live."""

    scope: Literal["per-sender", "global"] = "per-sender"
    """per-sender, or one global session."""
    dm_scope: Literal["main", "per-peer", "per-channel-peer", "per-account-channel-peer"] = "main"
    """What separates direct chats from each other."""
    identity_links: dict[str, Many[str]] = section()
    """Ids of one person across channels."""
    reset_triggers: Many[str] = ("/new", "/reset")
    """Texts that reset."""
    idle_minutes: Positive | None = None
    """Minutes of silence after which the session starts afresh."""
    reset: Reset = section()
    """Session expiry."""
    reset_by_type: ResetByType = section()
    """Expiry per chat type."""
    reset_by_channel: dict[str, Reset] = section()
    """Expiry per channel."""
    store: str | None = None
    """Accepted for old files; sessions live in the database."""
    typing_interval_seconds: Positive | None = None
    """Typing refresh."""
    typing_mode: TypingMode | None = None
    """When typing starts."""
    parent_fork_max_tokens: Count = 100_000
    """Largest parent copied into a thread (0 no limit)."""
    main_key: MainKey = "main"
    """Name of the main session; always `main`."""
    send_policy: SendPolicy | None = None
    """Rules that block sending."""
    agent_to_agent: AgentExchange = section()
    """Messages between agents."""
    thread_bindings: ThreadBindings = section()
    """Sessions bound to threads."""
    maintenance: Maintenance = section()
    """Removal of old sessions."""
