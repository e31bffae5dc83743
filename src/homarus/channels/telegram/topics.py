"""Settings of groups, direct chats and the topics inside them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, field_validator

from homarus.channels.policy_config import (
    ConfigModel,
    DmPolicy,
    GroupConfig,
    GroupPolicy,
    ToolPolicyConfig,
    senders_as_text,
)

SAFE_INT = 9007199254740991
"""The largest integer that JSON readers keep exact."""


class ErrorPolicy(StrEnum):
    """How failures of a run are shown in the chat."""

    ALWAYS = "always"
    ONCE = "once"
    SILENT = "silent"


class TopicLabelConfig(ConfigModel):
    """Naming of new topics by the model."""

    enabled: bool | None = None
    prompt: str | None = None


class TopicConfig(ConfigModel):
    """One entry of `topics`, keyed by topic id."""

    require_mention: bool | None = None
    ingest: bool | None = None
    disable_audio_preflight: bool | None = None
    group_policy: GroupPolicy | None = None
    skills: list[str] | None = None
    enabled: bool | None = None
    allow_from: list[str] | None = None
    system_prompt: str | None = None
    agent_id: str | None = None
    error_policy: ErrorPolicy | None = None
    error_cooldown_ms: Annotated[int, Field(ge=0, le=SAFE_INT)] | None = None

    @field_validator("allow_from", mode="before")
    @classmethod
    def _write_numbers_as_text(cls, value: object) -> object:
        return senders_as_text(value)


class TelegramGroupConfig(GroupConfig):
    """One entry of `groups`, keyed by chat id or `*`."""

    ingest: bool | None = None
    disable_audio_preflight: bool | None = None
    group_policy: GroupPolicy | None = None
    topics: dict[str, TopicConfig] = Field(default_factory=dict)
    error_policy: ErrorPolicy | None = None
    error_cooldown_ms: Annotated[int, Field(ge=0, le=SAFE_INT)] | None = None


class DirectConfig(ConfigModel):
    """One entry of `direct`, keyed by user id."""

    dm_policy: DmPolicy | None = None
    tools: ToolPolicyConfig | None = None
    tools_by_sender: dict[str, ToolPolicyConfig] = Field(default_factory=dict)
    skills: list[str] | None = None
    enabled: bool | None = None
    allow_from: list[str] | None = None
    system_prompt: str | None = None
    topics: dict[str, TopicConfig] = Field(default_factory=dict)
    error_policy: ErrorPolicy | None = None
    error_cooldown_ms: Annotated[int, Field(ge=0, le=SAFE_INT)] | None = None
    require_topic: bool | None = None
    auto_topic_label: bool | TopicLabelConfig | None = None

    @field_validator("allow_from", mode="before")
    @classmethod
    def _write_numbers_as_text(cls, value: object) -> object:
        return senders_as_text(value)
