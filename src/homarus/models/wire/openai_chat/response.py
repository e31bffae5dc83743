"""Turns the JSON objects of an answer, streamed or whole, into model events."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from homarus.models.contract import (
    AssistantMessage,
    Completed,
    Failed,
    FailureKind,
    ModelEvent,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    Usage,
)
from homarus.models.failures import classify_error_object
from homarus.models.wire.json_value import JsonObject, as_count, as_object, as_objects, as_text
from homarus.models.wire.openai_chat.tool_calls import ToolCallAssembler, TooManyCalls

MAX_ID = 200
"""Characters kept of a response id."""
_STOP_REASONS = {
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}


class ChatResponse:
    """One answer being put together. `provider` names the server in failure messages."""

    def __init__(self, provider: str, new_id: Callable[[], str]) -> None:
        self._provider = provider
        self._calls = ToolCallAssembler(new_id)
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._usage = Usage()
        self._finish_reason: str | None = None
        self._has_choice = False
        self._was_refused = False
        self._id = ""

    @property
    def text(self) -> str:
        """The visible text so far."""
        return "".join(self._text)

    @property
    def is_complete(self) -> bool:
        """Whether the server has said why it stopped."""
        return self._finish_reason is not None

    def add(self, chunk: JsonObject) -> Iterator[ModelEvent]:
        """Take one chunk or a whole answer; the events end with Failed when the server reports an error."""
        if chunk.get("error"):
            yield self._fail_with(chunk["error"])
            return
        self._id = self._id or as_text(chunk.get("id"))[:MAX_ID]
        self._read_usage(chunk)
        choice = next(iter(as_objects(chunk.get("choices"))), None)
        if choice is None:
            return
        self._has_choice = True
        if choice.get("error"):
            yield self._fail_with(choice["error"])
            return
        yield from self._read_delta(as_object(choice.get("delta")) or as_object(choice.get("message")))
        self._finish_reason = as_text(choice.get("finish_reason")) or self._finish_reason

    def finish(self, *, was_ended: bool) -> Completed | Failed:
        """Return how it ended. `was_ended` says the server marked the end of the stream itself."""
        calls = self._calls.finish()
        if self._finish_reason == "error":
            return self._fail(FailureKind.OVERLOADED, "stopped with an error in the middle of its answer")
        if not self._has_choice:
            return self._fail(FailureKind.GARBAGE, "sent an answer without any content")
        if not (was_ended or self.is_complete):
            return self._fail(FailureKind.CONNECTION, "cut the connection in the middle of its answer")
        if any(not call.name for call in calls):
            return self._fail(FailureKind.GARBAGE, "asked for a tool without naming it")
        message = AssistantMessage(self.text, calls, "".join(self._thinking))
        return Completed(message, self._stop_reason(calls), self._usage, self._id)

    def _stop_reason(self, calls: tuple[ToolCall, ...]) -> str:
        reason = "content_filter" if self._was_refused else _STOP_REASONS.get(self._finish_reason or "", "stop")
        if reason in {"stop", "tool_calls"}:
            return "tool_calls" if calls else "stop"
        return reason

    def _read_delta(self, delta: JsonObject) -> Iterator[ModelEvent]:
        if thinking := as_text(delta.get("reasoning_content")) or as_text(delta.get("reasoning")):
            self._thinking.append(thinking)
            yield ThinkingDelta(thinking)
        refusal = as_text(delta.get("refusal"))
        self._was_refused = self._was_refused or bool(refusal)
        if text := _join_content(delta.get("content")) + refusal:
            self._text.append(text)
            yield TextDelta(text)
        try:
            self._read_calls(delta)
        except TooManyCalls as error:
            yield self._fail(FailureKind.GARBAGE, f"sent {error}")

    def _read_calls(self, delta: JsonObject) -> None:
        for call in as_objects(delta.get("tool_calls")):
            self._calls.add(call)
        if legacy := as_object(delta.get("function_call")):
            self._calls.add({"index": 0, "function": legacy})

    def _read_usage(self, chunk: JsonObject) -> None:
        usage = as_object(chunk.get("usage")) or as_object(as_object(chunk.get("x_groq")).get("usage"))
        if not usage:
            return
        details = as_object(usage.get("prompt_tokens_details"))
        cached = as_count(details.get("cached_tokens"))
        self._usage = Usage(
            input_tokens=as_count(usage.get("prompt_tokens")),
            output_tokens=as_count(usage.get("completion_tokens")),
            cache_read_tokens=as_count(usage.get("prompt_cache_hit_tokens")) if cached is None else cached,
            cache_write_tokens=as_count(details.get("cache_write_tokens")),
        )

    def _fail_with(self, error: object) -> Failed:
        return classify_error_object(self._provider, error, partial=self.text)

    def _fail(self, kind: FailureKind, what: str) -> Failed:
        return Failed(kind, f"{self._provider} {what}. Try again.", partial=self.text)


def _join_content(content: object) -> str:
    """Content is text, or a list of parts of which the text ones count."""
    if isinstance(content, str):
        return content
    return "".join(as_text(part.get("text")) for part in as_objects(content) if part.get("type", "text") == "text")
