"""The smaller groups of keys in `channels.telegram`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator

from homarus.channels.policy_config import ConfigModel, senders_as_text
from homarus.channels.telegram.topics import SAFE_INT

PositiveInt = Annotated[int, Field(gt=0, le=SAFE_INT)]
CountedInt = Annotated[int, Field(ge=0, le=SAFE_INT)]


class Streaming(StrEnum):
    """How a reply is previewed while it is written."""

    OFF = "off"
    PARTIAL = "partial"
    BLOCK = "block"
    PROGRESS = "progress"


class ReplyToMode(StrEnum):
    """Which parts of a reply quote the message they answer."""

    OFF = "off"
    FIRST = "first"
    ALL = "all"
    BATCHED = "batched"


class CapabilitiesConfig(ConfigModel):
    """Features the operator turns on."""

    inline_buttons: Literal["off", "dm", "group", "all", "allowlist"] | None = None


class ExecApprovalsConfig(ConfigModel):
    """Where requests for command approval are shown, and who decides them."""

    enabled: bool | None = None
    approvers: list[str] | None = None
    agent_filter: list[str] | None = None
    session_filter: list[str] | None = None
    target: Literal["dm", "channel", "both"] | None = None

    @field_validator("approvers", mode="before")
    @classmethod
    def _write_numbers_as_text(cls, value: object) -> object:
        return senders_as_text(value)


class CommandsConfig(ConfigModel):
    """The command menu."""

    native: bool | Literal["auto"] | None = None
    native_skills: bool | Literal["auto"] | None = None


class CustomCommandConfig(ConfigModel):
    """One more entry of the command menu. Limits are those of `setMyCommands`."""

    command: Annotated[str, Field(pattern=r"^/?[a-z0-9_]{1,32}$")]
    description: Annotated[str, Field(min_length=1, max_length=256)]


class DraftChunkConfig(ConfigModel):
    """Sizes of preview pieces."""

    min_chars: PositiveInt | None = None
    max_chars: PositiveInt | None = None
    break_preference: Literal["paragraph", "newline", "sentence"] | None = None


class RetryConfig(ConfigModel):
    """Repeating of calls; the outbox keeps its own schedule."""

    attempts: Annotated[int, Field(ge=1, le=SAFE_INT)] = 3
    min_delay_ms: CountedInt = 400
    max_delay_ms: CountedInt = 30000
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.1


class NetworkConfig(ConfigModel):
    """Connection settings."""

    auto_select_family: bool | None = None
    dns_result_order: Literal["ipv4first", "verbatim"] | None = None
    dangerously_allow_private_network: bool | None = None


class ActionsConfig(ConfigModel):
    """Switches of the message tool."""

    reactions: bool | None = None
    send_message: bool | None = None
    poll: bool | None = None
    delete_message: bool | None = None
    edit_message: bool | None = None
    sticker: bool | None = None
    create_forum_topic: bool | None = None
    edit_forum_topic: bool | None = None


class ThreadBindingsConfig(ConfigModel):
    """Sessions bound to topics."""

    enabled: bool | None = None
    idle_hours: Annotated[float, Field(ge=0)] | None = None
    max_age_hours: Annotated[float, Field(ge=0)] | None = None
    spawn_subagent_sessions: bool | None = None
    spawn_acp_sessions: bool | None = None


class HeartbeatConfig(ConfigModel):
    """Which heartbeat results are shown."""

    show_ok: bool | None = None
    show_alerts: bool | None = None
    use_indicator: bool | None = None


class HealthMonitorConfig(ConfigModel):
    """Automatic restart of a stale connection."""

    enabled: bool | None = None
