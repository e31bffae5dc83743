"""What a language model is to the rest of Homarus.

A model is asked with a ModelRequest and answers with a stream of ModelEvents that ends with exactly one Completed or
Failed. Expected failures (refused key, rate limit, cut stream, garbage) are Failed events, never exceptions; only
cancellation of the task passes through.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from enum import StrEnum
from typing import Protocol

from msgspec import Struct, field


class Text(Struct, frozen=True):
    """A piece of plain text."""

    text: str


class Image(Struct, frozen=True):
    """An image: `mime` such as image/png, `data` the raw bytes."""

    mime: str
    data: bytes


Content = Text | Image


class ToolCall(Struct, frozen=True):
    """A call the model asks for; `arguments` is the JSON text as the model wrote it, which may be invalid."""

    id: str
    name: str
    arguments: str


class UserMessage(Struct, frozen=True):
    """What the user (or the platform on the user's behalf) said."""

    content: tuple[Content, ...]


class AssistantMessage(Struct, frozen=True):
    """One model response: text and the tool calls it asks for."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    thinking: str = ""


class ToolResultMessage(Struct, frozen=True):
    """The result of one tool call, paired by `call_id`."""

    call_id: str
    name: str
    text: str
    is_error: bool = False
    images: tuple[Image, ...] = ()


Message = UserMessage | AssistantMessage | ToolResultMessage


class ToolSpec(Struct, frozen=True):
    """A tool as the model sees it; `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: Mapping[str, object]


class ModelRequest(Struct, frozen=True):
    """Everything a model call sends. `messages` is valid: every tool result follows the call it answers."""

    model: str
    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    max_output_tokens: int | None = None
    thinking: str | None = None


class Usage(Struct, frozen=True):
    """Tokens of one call as the provider reported them; None when it did not. `input_tokens` includes cached ones."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None


class FailureKind(StrEnum):
    """Why a call failed, in terms of what can be done about it."""

    AUTH = "auth"  # key refused: another credential or the user's action
    BILLING = "billing"  # no credit
    RATE_LIMIT = "rate_limit"  # wait `retry_after` or use another credential
    OVERLOADED = "overloaded"  # provider-side 5xx: try again, then another model
    TIMEOUT = "timeout"  # nothing arrived in time
    CONNECTION = "connection"  # could not connect, or the stream was cut
    GARBAGE = "garbage"  # the answer was not what the protocol promises
    CONTEXT_OVERFLOW = "context_overflow"  # the request is too large for the model
    BAD_REQUEST = "bad_request"  # the provider refuses the request as it is


RETRYABLE_KINDS = frozenset(
    {
        FailureKind.RATE_LIMIT,
        FailureKind.OVERLOADED,
        FailureKind.TIMEOUT,
        FailureKind.CONNECTION,
        FailureKind.GARBAGE,
    }
)


class TextDelta(Struct, frozen=True):
    """More visible text."""

    text: str


class ThinkingDelta(Struct, frozen=True):
    """More reasoning text, shown only where reasoning is switched on."""

    text: str


class Completed(Struct, frozen=True):
    """The whole response. `stop_reason` is one of stop, tool_calls, length, content_filter.

    `response_id` is the provider's name for it, empty when it gave none.
    """

    message: AssistantMessage
    stop_reason: str
    usage: Usage = field(default_factory=Usage)
    response_id: str = ""


class Failed(Struct, frozen=True):
    """The call failed. `message` is safe to show (no secrets); `partial` is text that had already arrived.

    `retry_after` is in seconds when the provider gave one. `code` is the provider's name for the error and `said` its
    own words, cleaned of secrets. `ref` is the model that failed, empty when it is the one that was asked.
    """

    kind: FailureKind
    message: str
    partial: str = ""
    retry_after: float | None = None
    status: int | None = None
    code: str = ""
    said: str = ""
    ref: str = ""


ModelEvent = TextDelta | ThinkingDelta | Completed | Failed


class ModelInfo(Struct, frozen=True):
    """A model as listed to users. `context_window` and `max_tokens` are in tokens."""

    provider: str
    id: str
    name: str
    context_window: int
    max_tokens: int
    has_vision: bool = False
    has_reasoning: bool = False
    has_tools: bool = True

    @property
    def ref(self) -> str:
        """Return `provider/id`, the form used in configuration."""
        return f"{self.provider}/{self.id}"


class Model(Protocol):
    """One callable model. Instances are shared between sessions and keep no conversation state."""

    @property
    def info(self) -> ModelInfo:
        """What this model is."""
        ...

    def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Ask the model; the iterator ends after one Completed or Failed and must not raise for provider failures."""
        ...


class ModelCatalog(Protocol):
    """Finds models by reference; given to the agent at composition."""

    def resolve(self, ref: str | None) -> Model:
        """Return the model `provider/id`, or the default for None. Raises UserError for an unknown one."""
        ...

    def list_models(self) -> tuple[ModelInfo, ...]:
        """Return every model that can be used now."""
        ...
