"""The configuration keys that all channels share: who may speak, in which groups, and how replies are cut.

A channel's `config.py` derives its account model from `ChannelPolicyConfig` and its top-level model from that, adding
`accounts` and `defaultAccount`; `account_ids` and `resolve_account` then work on it. The core's access stage reads the
policy fields from the resolved model and from nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.alias_generators import to_camel

from homarus.errors import ConfigError

DEFAULT_ACCOUNT = "default"
"""The account id of a channel that has no `accounts`."""

_SAFE_INT = 9007199254740991  # the largest integer that JSON readers keep exact


class DmPolicy(StrEnum):
    """Who may write in direct messages."""

    PAIRING = "pairing"
    ALLOWLIST = "allowlist"
    OPEN = "open"
    DISABLED = "disabled"


class GroupPolicy(StrEnum):
    """Which groups are answered."""

    OPEN = "open"
    DISABLED = "disabled"
    ALLOWLIST = "allowlist"


class ChunkMode(StrEnum):
    """Where long text is cut: by length, or at every blank line and then by length."""

    LENGTH = "length"
    NEWLINE = "newline"


class TableMode(StrEnum):
    """How tables are shown."""

    OFF = "off"
    BULLETS = "bullets"
    CODE = "code"
    BLOCK = "block"


class ContextVisibility(StrEnum):
    """Which quoted or history text reaches the model."""

    ALL = "all"
    ALLOWLIST = "allowlist"
    ALLOWLIST_QUOTE = "allowlist_quote"


class ConfigModel(BaseModel):
    """Base of every channel configuration model: camelCase keys, unknown keys refused, values frozen.

    Built on first use.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        frozen=True,
        defer_build=True,
    )


class ToolPolicyConfig(ConfigModel):
    """Which tools a group or sender may use; `deny` wins."""

    allow: list[str] | None = None
    also_allow: list[str] | None = None
    deny: list[str] | None = None


class GroupConfig(ConfigModel):
    """One entry of `groups`, keyed by group id or `*`."""

    require_mention: bool | None = None
    tools: ToolPolicyConfig | None = None
    tools_by_sender: dict[str, ToolPolicyConfig] = Field(default_factory=dict)
    skills: list[str] | None = None
    enabled: bool | None = None
    allow_from: list[str] | None = None
    system_prompt: str | None = None

    @field_validator("allow_from", mode="before")
    @classmethod
    def _write_numbers_as_text(cls, value: object) -> object:
        return senders_as_text(value)


class DmConfig(ConfigModel):
    """One entry of `dms`, keyed by user id."""

    history_limit: Annotated[int, Field(ge=0, le=_SAFE_INT)] | None = None


class MarkdownConfig(ConfigModel):
    """Text formatting options."""

    tables: TableMode | None = None


class CoalesceConfig(ConfigModel):
    """Merging of streamed blocks before sending."""

    min_chars: Annotated[int, Field(gt=0, le=_SAFE_INT)] | None = None
    max_chars: Annotated[int, Field(gt=0, le=_SAFE_INT)] | None = None
    idle_ms: Annotated[int, Field(ge=0, le=_SAFE_INT)] | None = None


class ChannelPolicyConfig(ConfigModel):
    """What one account of any channel may set."""

    name: str | None = None
    enabled: bool = True
    dangerously_allow_name_matching: bool = False
    dm_policy: DmPolicy = DmPolicy.PAIRING
    allow_from: list[str] = Field(default_factory=list)
    group_policy: GroupPolicy = GroupPolicy.ALLOWLIST
    group_allow_from: list[str] | None = None
    groups: dict[str, GroupConfig] = Field(default_factory=dict)
    markdown: MarkdownConfig = MarkdownConfig()
    history_limit: Annotated[int, Field(ge=0, le=_SAFE_INT)] | None = None
    dm_history_limit: Annotated[int, Field(ge=0, le=_SAFE_INT)] | None = None
    context_visibility: ContextVisibility = ContextVisibility.ALL
    dms: dict[str, DmConfig] = Field(default_factory=dict)
    text_chunk_limit: Annotated[int, Field(gt=0, le=_SAFE_INT)] | None = None
    chunk_mode: ChunkMode = ChunkMode.LENGTH
    block_streaming: bool = False
    block_streaming_coalesce: CoalesceConfig | None = None
    response_prefix: str | None = None
    media_max_mb: Annotated[float, Field(gt=0)] | None = None

    @field_validator("allow_from", "group_allow_from", mode="before")
    @classmethod
    def _write_numbers_as_text(cls, value: object) -> object:
        return senders_as_text(value)

    @model_validator(mode="after")
    def _open_needs_a_star(self) -> Self:
        if "dm_policy" in self.model_fields_set and self.dm_policy is DmPolicy.OPEN and "*" not in self.allow_from:
            raise ValueError('dmPolicy "open" needs "*" in allowFrom: add it, or use dmPolicy "pairing"')
        return self

    def group(self, group_id: str) -> GroupConfig | None:
        """Return the settings of one group: its own entry, else `*`, else None. Ids compare case-insensitively."""
        wanted = group_id.casefold()
        for key, entry in self.groups.items():
            if key.casefold() == wanted:
                return entry
        return self.groups.get("*")


ConfigT = TypeVar("ConfigT", bound=ChannelPolicyConfig)


def senders_as_text(value: object) -> object:
    """Return a list of sender ids with its numbers written as text; anything else is left to validation."""
    if not isinstance(value, list):
        return value
    items = cast("list[object]", value)
    return [str(item) if isinstance(item, int | float) and not isinstance(item, bool) else item for item in items]


def accounts_of(config: ChannelPolicyConfig) -> Mapping[str, ChannelPolicyConfig]:
    """Return the `accounts` of a channel's top-level model; empty for a channel that has no such key."""
    return cast("Mapping[str, ChannelPolicyConfig]", getattr(config, "accounts", {}))


def account_ids(config: ChannelPolicyConfig) -> tuple[str, ...]:
    """Return the ids of the enabled accounts: the keys of `accounts`, or `default` when there are none."""
    if not config.enabled:
        return ()
    names = accounts_of(config)
    if not names:
        return (DEFAULT_ACCOUNT,)
    return tuple(name for name in names if names[name].enabled)


def resolve_account(config: ConfigT, account_id: str) -> ConfigT:
    """Return the channel's keys overridden by one account's keys, without `accounts`.

    Raises ConfigError for an account that is not configured.
    """
    shared = {name: getattr(config, name) for name in config.model_fields_set if name not in _MULTI_ACCOUNT}
    accounts = accounts_of(config)
    if account_id not in accounts:
        if account_id == DEFAULT_ACCOUNT and not accounts:
            return config
        raise ConfigError(
            f"there is no account {account_id!r}; configured: {', '.join(accounts) or DEFAULT_ACCOUNT}",
            path=f"accounts.{account_id}",
            fix="add the account or correct its name in the binding",
        )
    account = accounts[account_id]
    own = {name: getattr(account, name) for name in account.model_fields_set}
    return config.model_copy(update=_merge(type(config), shared, own))


_MULTI_ACCOUNT = frozenset({"accounts", "default_account"})


def _merge(model: type[BaseModel], shared: dict[str, object], own: dict[str, object]) -> dict[str, object]:
    merged: dict[str, object] = {
        name: field.get_default(call_default_factory=True) for name, field in model.model_fields.items()
    }
    for name, value in (*shared.items(), *own.items()):
        before = merged.get(name)
        is_nested = isinstance(value, ConfigModel) and isinstance(before, type(value))
        merged[name] = _overlay(before, value) if is_nested else value  # pyright: ignore[reportArgumentType]
    return merged


def _overlay(before: ConfigModel, after: ConfigModel) -> ConfigModel:
    return before.model_copy(update={name: getattr(after, name) for name in after.model_fields_set})
