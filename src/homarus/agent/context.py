"""The size budget of a request: arithmetic over everything that is sent, and a deterministic way to fit.

Sizes are estimated from characters and corrected by what the provider last reported. Fitting first shortens old tool
results, then drops the oldest whole turns; the stored transcript is never touched, and the last turn always stays.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from homarus.models.contract import (
    AssistantMessage,
    Image,
    Message,
    ModelInfo,
    Text,
    ToolResultMessage,
    ToolSpec,
    UserMessage,
)

CHARS_PER_TOKEN = 3.5
IMAGE_TOKENS = 1_600
MESSAGE_TOKENS = 6
OLD_RESULT_CHARS = 3_000
MIN_RESERVE = 1_024
_MAX_KNOWN = 1_000
_known_tools: dict[int, tuple[ToolSpec, int]] = {}
"""Tokens of tools by identity; each tool is kept, so that no other takes its place."""


class Fitted(Struct, frozen=True):
    """The messages to send, their estimated tokens with system prompt and tools, and how many turns were left out."""

    messages: tuple[Message, ...]
    tokens: int
    dropped_turns: int


def fit(
    messages: Sequence[Message], system: str, tools: Sequence[ToolSpec], model: ModelInfo, *, correction: float = 1.0
) -> Fitted:
    """Return messages that leave the model room to answer. `correction` is reported over estimated tokens so far."""
    reserve = min(max(model.max_tokens, MIN_RESERVE), model.context_window // 4)
    fixed = estimate_text(system) + estimate_tools(tools)
    room = int((model.context_window - reserve) / max(correction, 0.5)) - fixed
    kept, total = list(messages), _total(messages)
    if total > room:
        kept = [_shorten(message) for message in kept[:-1]] + kept[-1:]
        total = _total(kept)
    dropped = 0
    while total > room and (cut := _next_turn(kept)):
        total -= _total(kept[:cut])
        kept = kept[cut:]
        dropped += 1
    return Fitted(tuple(kept), total + fixed, dropped)


def estimate_text(text: str) -> int:
    """Return the estimated tokens of a text."""
    size = len(text) if text.isascii() else len(text.encode())
    return int(size / CHARS_PER_TOKEN) + 1


def estimate_tools(tools: Sequence[ToolSpec]) -> int:
    """Return the estimated tokens of tool schemas."""
    return sum(map(_estimate_tool, tools))


def _estimate_tool(tool: ToolSpec) -> int:
    """Return the estimated tokens of a tool's schema, which is the same object in turn after turn."""
    known = _known_tools.get(id(tool))
    if known is not None:
        return known[1]
    if len(_known_tools) >= _MAX_KNOWN:
        _known_tools.clear()
    tokens = estimate_text(json.dumps(dict(tool.parameters)) + tool.description) + MESSAGE_TOKENS
    _known_tools[id(tool)] = (tool, tokens)
    return tokens


def estimate_message(message: Message) -> int:
    """Return the estimated tokens of one message."""
    match message:
        case UserMessage(content):
            parts = sum(estimate_text(part.text) if isinstance(part, Text) else IMAGE_TOKENS for part in content)
        case AssistantMessage(text, calls):
            parts = estimate_text(text) + sum(estimate_text(call.name + call.arguments) for call in calls)
        case ToolResultMessage():
            parts = estimate_text(message.text) + IMAGE_TOKENS * len(message.images)
    return parts + MESSAGE_TOKENS


def _total(messages: Sequence[Message]) -> int:
    return sum(estimate_message(message) for message in messages)


def _shorten(message: Message) -> Message:
    match message:
        case ToolResultMessage() if len(message.text) > OLD_RESULT_CHARS:
            half = OLD_RESULT_CHARS // 2
            cut = f"{message.text[:half]}\n[... {len(message.text) - OLD_RESULT_CHARS} characters left out ...]\n"
            return replace(message, text=cut + message.text[-half:], images=())
        case UserMessage(content) if any(isinstance(part, Image) for part in content):
            return UserMessage(tuple(Text("[image]") if isinstance(part, Image) else part for part in content))
        case _:
            return message


def _next_turn(messages: Sequence[Message]) -> int:
    """Return where the second turn begins, 0 when there is only one."""
    return next((i for i in range(1, len(messages)) if isinstance(messages[i], UserMessage)), 0)
