"""`models`: providers and the models they serve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from homarus.config.base import Many, Positive, Section, Text, later, section
from homarus.config.secret import Secret

if TYPE_CHECKING:
    from homarus.config.transport import RequestOptions
else:
    RequestOptions = later("transport", "RequestOptions")


ModelApi = Literal[
    "openai-completions",
    "openai-responses",
    "openai-codex-responses",
    "anthropic-messages",
    "google-generative-ai",
    "github-copilot",
    "bedrock-converse-stream",
    "ollama",
    "azure-openai-responses",
]


class Cost(Section):
    """Prices in US dollars per million tokens."""

    input: float | None = None
    """Input price."""
    output: float | None = None
    """Output price."""
    cache_read: float | None = None
    """Price of input read from a cache."""
    cache_write: float | None = None
    """Price of input written to a cache."""


class Compatibility(Section):
    """What a service that speaks the same protocol does differently."""

    supports_store: bool | None = None
    """Accepts `store`."""
    supports_developer_role: bool | None = None
    """Accepts the developer role."""
    supports_reasoning_effort: bool | None = None
    """Accepts `reasoning_effort`."""
    supports_usage_in_streaming: bool | None = None
    """Reports usage in streams."""
    supports_tools: bool | None = None
    """Accepts tools."""
    supports_strict_mode: bool | None = None
    """Accepts strict tool schemas."""
    max_tokens_field: Literal["max_completion_tokens", "max_tokens"] | None = None
    """Name of the output limit."""
    thinking_format: Literal["openai", "openrouter", "zai", "qwen", "qwen-chat-template"] | None = None
    """How thinking is requested."""
    requires_tool_result_name: bool | None = None
    """Tool results carry the tool name."""
    requires_assistant_after_tool_result: bool | None = None
    """An assistant message must follow a tool result."""
    requires_thinking_as_text: bool | None = None
    """Thinking is sent back as text."""
    tool_schema_profile: str | None = None
    """Named set of schema limits."""
    unsupported_tool_schema_keywords: Many[Text] = ()
    """Schema keywords left out."""
    native_web_search_tool: bool | None = None
    """Has its own web search."""
    tool_call_arguments_encoding: str | None = None
    """How tool arguments are encoded."""
    requires_mistral_tool_ids: bool | None = None
    """Tool call ids of nine characters."""
    requires_open_ai_anthropic_tool_payload: bool | None = None
    """Tools in the other vendor's shape."""


class ModelEntry(Section):
    """One model of a provider."""

    id: Text
    """Identifier."""
    name: Text
    """Display name."""
    api: ModelApi | None = None
    """Wire protocol."""
    reasoning: bool = False
    """Model can reason."""
    input: Many[Literal["text", "image"]] = ("text",)
    """Kinds of input it takes."""
    cost: Cost | None = None
    """Prices; unset: from the price list."""
    context_window: Positive = 200_000
    """Context size, tokens."""
    context_tokens: Positive | None = None
    """Part of the context that is used, tokens."""
    max_tokens: Positive = 8192
    """Longest answer, tokens."""
    headers: dict[str, str] = section()
    """Extra HTTP headers."""
    compat: Compatibility | None = None
    """Compatibility switches."""


class Provider(Section):
    """One model provider."""

    base_url: Text
    """Base URL."""
    api_key: Secret | None = None
    """Credential."""
    auth: Literal["api-key", "aws-sdk", "oauth", "token"] | None = None
    """Kind of credential."""
    api: ModelApi | None = None
    """Wire protocol."""
    inject_num_ctx_for_open_ai_compat: bool | None = Field(default=None, alias="injectNumCtxForOpenAICompat")
    """Send num_ctx to services that need it."""
    headers: dict[str, Secret] = section()
    """Extra HTTP headers."""
    auth_header: bool | None = None
    """Send the credential as an Authorization header."""
    request: RequestOptions | None = None
    """HTTP transport options."""
    models: Many[ModelEntry]
    """Models it serves."""


class Models(Section):
    """Model providers."""

    mode: Literal["merge", "replace"] = "merge"
    """merge adds to the built-in catalogue, replace uses only what is listed."""
    providers: dict[str, Provider] = section()
    """Providers by id."""
