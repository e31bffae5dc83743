"""The built-in model: rules in place of a language model, through the same contract and the same tools."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cached_property

from homarus.clock import Clock
from homarus.models.basic.english import ENGLISH
from homarus.models.basic.envelope import Said, drop_speaker, open_envelope, split_queue
from homarus.models.basic.intent import Intent, Understanding
from homarus.models.basic.plan import PlannedCall, plan_calls
from homarus.models.basic.results import Done, tell_results
from homarus.models.basic.texts import NOTICE, TALK, tell_help, tell_model, tell_no_tool, tell_time, tell_unknown
from homarus.models.contract import (
    AssistantMessage,
    Completed,
    Message,
    ModelEvent,
    ModelInfo,
    ModelRequest,
    Text,
    TextDelta,
    ToolCall,
    ToolResultMessage,
    Usage,
    UserMessage,
)
from homarus.models.wire.json_value import compact

BASIC_REF = "homarus/basic"

_INFO = ModelInfo("homarus", "basic", "Built-in rules (no language model)", context_window=128_000, max_tokens=8192)
_PIECE = re.compile(r"(?:\S+\s*){1,4}|\s+")
_MAX_CALLS = 8
_UNKNOWN = Intent("unknown", {})
_SAYS_WHAT_IT_IS = frozenset({"help", "about", _UNKNOWN.name})


class BasicModel:
    """Answers plain requests. `found` names the local models that could replace it."""

    def __init__(self, clock: Clock, found: Callable[[], tuple[str, ...]] = tuple) -> None:
        self._clock = clock
        self._found = found

    @cached_property
    def _understanding(self) -> Understanding:
        """Return the compiled rules; compiling them takes longer than a start may, so the first request does it."""
        return Understanding(ENGLISH)

    @property
    def info(self) -> ModelInfo:
        """What this model is."""
        return _INFO

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Answer the last message: tool results with text, always; a user's words with text or tool calls."""
        answer = self._answer(request)
        for piece in _PIECE.findall(answer.text):
            yield TextDelta(piece)
        yield Completed(answer, "tool_calls" if answer.tool_calls else "stop", Usage(0, 0))

    def _answer(self, request: ModelRequest) -> AssistantMessage:
        said = _last_said(request.messages)
        if done := _results_at_end(request.messages):
            text = tell_results(done, said)
            return AssistantMessage(text if _has_introduced(request.messages) else f"{text}\n\n{NOTICE}")
        intents = tuple(intent for each in split_queue(said.text) for intent in self._read(each))
        available = frozenset(tool.name for tool in request.tools)
        calls = [call for intent in intents for call in plan_calls(intent, said)][:_MAX_CALLS]
        texts = [*self._tell(intents, said), *_tell_missing(calls, available)]
        text = "\n\n".join(dict.fromkeys(texts))
        usable = tuple(self._call(call) for call in calls if call.tool in available)
        if not usable and not _has_introduced(request.messages) and not _is_introduction(intents):
            text = f"{text}\n\n{NOTICE}"
        return AssistantMessage(text, usable)

    def _read(self, text: str) -> tuple[Intent, ...]:
        """Return what a message asks for; what no rule covers is an intent, too.

        "note: milk" is a request and "ines: help" somebody in a room: the whole is tried before its end.
        """
        return self._understanding.read(text) or self._understanding.read(drop_speaker(text)) or (_UNKNOWN,)

    def _tell(self, intents: tuple[Intent, ...], said: Said) -> Iterator[str]:
        for intent in intents:
            if intent is _UNKNOWN:
                yield tell_unknown()
            elif intent.name in {"time", "date"} and said.at:
                yield tell_time(said)
            elif intent.name == "help":
                yield tell_help(self._found())
            elif intent.name == "model":
                yield tell_model(self._found())
            elif intent.name in TALK:
                yield TALK[intent.name]

    def _call(self, call: PlannedCall) -> ToolCall:
        return ToolCall(f"call_{self._clock.uuid().replace('-', '')[:24]}", call.tool, compact(call.arguments))


def _tell_missing(calls: list[PlannedCall], available: frozenset[str]) -> Iterator[str]:
    return (tell_no_tool(call.tool) for call in calls if call.tool not in available)


def _is_introduction(intents: tuple[Intent, ...]) -> bool:
    """Help, a question about itself and the answer to what it does not understand all say what it is."""
    return any(intent.name in _SAYS_WHAT_IT_IS for intent in intents)


def _has_introduced(messages: tuple[Message, ...]) -> bool:
    return any(isinstance(message, AssistantMessage) and message.text for message in messages)


def _last_said(messages: tuple[Message, ...]) -> Said:
    for message in reversed(messages):
        if isinstance(message, UserMessage):
            return open_envelope("\n".join(part.text for part in message.content if isinstance(part, Text)))
    return Said("")


def _results_at_end(messages: tuple[Message, ...]) -> list[Done]:
    """Return the results after the last response, each with the arguments of its call."""
    results: list[ToolResultMessage] = []
    for message in reversed(messages):
        if isinstance(message, ToolResultMessage):
            results.insert(0, message)
        elif isinstance(message, AssistantMessage):
            arguments = {call.id: call.arguments for call in message.tool_calls}
            return [Done(result, arguments.get(result.call_id, "{}")) for result in results]
        else:
            break
    return [Done(result, "{}") for result in results]
