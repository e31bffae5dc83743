"""What the catalogue is built from: providers, their models and how each differs from the common protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct, field


class SecretText(Protocol):
    """A secret that shows itself only on request."""

    def reveal(self) -> str:
        """Return the secret itself; raises ConfigError when its source cannot give it."""
        ...


class Compat(Struct, frozen=True):
    """How a server differs from the common chat completions protocol; None means nothing was said.

    `max_tokens_field` is `max_tokens` or `max_completion_tokens`; `thinking_format` one of openai, openrouter, zai,
    qwen, qwen-chat-template. Names follow `models.providers.<id>.models[].compat`.
    """

    max_tokens_field: str | None = None
    supports_store: bool | None = None
    supports_developer_role: bool | None = None
    supports_reasoning_effort: bool | None = None
    supports_usage_in_streaming: bool | None = None
    supports_tools: bool | None = None
    thinking_format: str | None = None
    requires_tool_result_name: bool | None = None
    requires_assistant_after_tool_result: bool | None = None
    requires_thinking_as_text: bool | None = None
    requires_mistral_tool_ids: bool | None = None
    unsupported_tool_schema_keywords: tuple[str, ...] | None = None

    def over(self, base: Compat) -> Compat:
        """Return `base` with everything said here put over it."""
        names = self.__struct_fields__
        said = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return Compat(**{**{name: getattr(base, name) for name in names}, **said})


class ModelSettings(Struct, frozen=True):
    """One model of a provider. `context_window` and `max_tokens` are in tokens; defaults are the reference's."""

    id: str
    name: str = ""
    context_window: int = 200_000
    max_tokens: int = 8192
    has_vision: bool = False
    has_reasoning: bool = False
    api: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    compat: Compat = field(default_factory=Compat)


class ProviderSettings(Struct, frozen=True):
    """One provider. `api` is the wire protocol; header values may be secrets.

    `auth_header` False sends no `Authorization` header even when there is a key.
    """

    id: str
    base_url: str
    api_key: SecretText | None = None
    api: str = "openai-completions"
    headers: Mapping[str, SecretText | str] = field(default_factory=dict[str, "SecretText | str"])
    auth_header: bool = True
    models: tuple[ModelSettings, ...] = ()
    compat: Compat = field(default_factory=Compat)
    is_open_ended: bool = False
    """Any model id may be asked for, not only the listed ones."""


class CatalogueSettings(Struct, frozen=True):
    """Everything configured about models. `primary` and `fallbacks` are references `provider/id` or aliases."""

    providers: tuple[ProviderSettings, ...] = ()
    primary: str | None = None
    fallbacks: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict[str, str])
