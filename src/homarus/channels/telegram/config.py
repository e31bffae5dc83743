"""The `channels.telegram` section, with the keys an OpenClaw configuration has."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Protocol, Self, cast
from urllib.parse import urlsplit

from msgspec import Struct
from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator, model_validator

from homarus.channels.policy_config import ChannelPolicyConfig
from homarus.channels.telegram.options import (
    ActionsConfig,
    CapabilitiesConfig,
    CommandsConfig,
    CountedInt,
    CustomCommandConfig,
    DraftChunkConfig,
    ExecApprovalsConfig,
    HealthMonitorConfig,
    HeartbeatConfig,
    NetworkConfig,
    PositiveInt,
    ReplyToMode,
    RetryConfig,
    Streaming,
    ThreadBindingsConfig,
)
from homarus.channels.telegram.topics import DirectConfig, ErrorPolicy, TelegramGroupConfig, TopicLabelConfig

API_ROOT = "https://api.telegram.org"
"""The cloud server of the Bot API."""

_SOURCES = ("env", "file", "exec")


class SecretReference(Struct, frozen=True):
    """Where a secret is found, as written in the file."""

    source: str
    provider: str
    id: str


class _Resolver(Protocol):
    def resolve(self, ref: SecretReference) -> str: ...


def _resolved(value: object, info: ValidationInfo) -> object:
    """Replace a secret reference by its value, through the resolver given as validation context."""
    if not isinstance(value, dict):
        return value
    parts = cast("dict[str, object]", value)
    if set(parts) != {"source", "provider", "id"} or parts["source"] not in _SOURCES:
        raise ValueError("a secret is a string or {source, provider, id} with source env, file or exec")
    if info.context is None or not hasattr(info.context, "resolve"):
        raise ValueError("a secret reference cannot be resolved here; write the value itself")
    reference = SecretReference(str(parts["source"]), str(parts["provider"]), str(parts["id"]))
    return cast("_Resolver", info.context).resolve(reference)


Secret = Annotated[SecretStr, BeforeValidator(_resolved)]


class TelegramAccountConfig(ChannelPolicyConfig):
    """One bot."""

    bot_token: Secret | None = None
    token_file: str | None = None
    capabilities: list[str] | CapabilitiesConfig | None = None
    exec_approvals: ExecApprovalsConfig | None = None
    commands: CommandsConfig = CommandsConfig()
    custom_commands: Annotated[list[CustomCommandConfig], Field(max_length=90)] = Field(default_factory=list)
    config_writes: bool = True
    reply_to_mode: ReplyToMode = ReplyToMode.FIRST
    groups: dict[str, TelegramGroupConfig] = Field(default_factory=dict)  # pyright: ignore[reportIncompatibleVariableOverride] - entries only gain keys
    direct: dict[str, DirectConfig] = Field(default_factory=dict)
    default_to: str | int | None = None
    streaming: Streaming | None = None
    draft_chunk: DraftChunkConfig | None = None
    timeout_seconds: PositiveInt | None = None
    retry: RetryConfig = RetryConfig()
    network: NetworkConfig = NetworkConfig()
    proxy: str | None = None
    webhook_url: str | None = None
    webhook_secret: Secret | None = None
    webhook_path: str | None = None
    webhook_host: str | None = None
    webhook_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    webhook_cert_path: str | None = None
    actions: ActionsConfig = ActionsConfig()
    thread_bindings: ThreadBindingsConfig | None = None
    reaction_notifications: Literal["off", "own", "all"] | None = None
    reaction_level: Literal["off", "ack", "minimal", "extensive"] | None = None
    heartbeat: HeartbeatConfig = HeartbeatConfig()
    health_monitor: HealthMonitorConfig = HealthMonitorConfig()
    link_preview: bool | None = None
    silent_error_replies: bool | None = None
    ack_reaction: str | None = None
    error_policy: ErrorPolicy | None = None
    error_cooldown_ms: CountedInt | None = None
    api_root: str = API_ROOT
    trusted_local_file_roots: list[str] = Field(default_factory=list)
    auto_topic_label: bool | TopicLabelConfig | None = None

    @field_validator("bot_token")
    @classmethod
    def _is_a_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and value.get_secret_value():
            check_token(value.get_secret_value())
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _is_a_header_value(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()):
            raise ValueError("a webhook secret is 1 to 256 letters, digits, _ and -")
        return value

    @field_validator("api_root")
    @classmethod
    def _is_a_root(cls, value: str) -> str:
        return _address(value, ("http", "https"), "https://api.telegram.org").rstrip("/")

    @field_validator("webhook_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        return None if value is None else _address(value, ("http", "https"), "https://bot.example.org/telegram")

    @field_validator("proxy")
    @classmethod
    def _is_an_http_proxy(cls, value: str | None) -> str | None:
        return None if value is None else _address(value, ("http", "https"), "http://127.0.0.1:3128")

    @field_validator("webhook_path")
    @classmethod
    def _is_a_path(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"/[A-Za-z0-9._~/-]{1,200}", value):
            raise ValueError(f'{value!r} is no path: write it like "/telegram-webhook"')
        return value


class TelegramConfig(TelegramAccountConfig):
    """The whole section: one bot's keys, or `accounts` whose entries override them."""

    accounts: dict[str, TelegramAccountConfig] = Field(default_factory=dict)
    default_account: str | None = None

    @model_validator(mode="after")
    def _one_account_per_token(self) -> Self:
        seen: dict[str, str] = {}
        for name, account in self.accounts.items():
            token = account.bot_token or (None if account.token_file else self.bot_token)
            if token is None or not account.enabled:
                continue
            other = seen.setdefault(token.get_secret_value(), name)
            if other != name:
                raise ValueError(
                    f"accounts {other!r} and {name!r} have the same botToken; Telegram gives each update to one of them"
                )
        return self


def check_token(token: str) -> None:
    """Raise ValueError for what cannot be a bot token, without repeating it."""
    if not re.fullmatch(r"\d{1,20}:[A-Za-z0-9_-]{1,100}", token):
        raise ValueError("a bot token looks like 123456789:AAE...; copy it from @BotFather")


def _address(value: str, schemes: tuple[str, ...], example: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f'write an address like "{example}"')
    return value
