"""A model that answers from a script and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

from homarus.models.contract import (
    AssistantMessage,
    Completed,
    Failed,
    ModelEvent,
    ModelInfo,
    ModelRequest,
    TextDelta,
    ToolCall,
    Usage,
)

Answer = Completed | Failed | Callable[[ModelRequest], Completed | Failed]


def say(text: str) -> Completed:
    """Return a final answer."""
    return Completed(AssistantMessage(text), "stop", Usage(10, 5))


def call(*calls: tuple[str, str, str], text: str = "") -> Completed:
    """Return an answer that asks for tools: `(id, name, arguments)` each."""
    return Completed(AssistantMessage(text, tuple(ToolCall(*item) for item in calls)), "tool_calls", Usage(10, 5))


class ScriptedModel:
    """Implements homarus.models.contract.Model. When the script is used up, the last answer repeats.

    `gate`, when set, is waited for before every answer, so that a test can hold a run.
    """

    def __init__(self, answers: Sequence[Answer], *, gate: asyncio.Event | None = None) -> None:
        self._answers = list(answers)
        self.gate = gate
        self.requests: list[ModelRequest] = []
        self.info = ModelInfo("scripted", "script", "Scripted", 100_000, 4_000)

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Answer with the next line of the script."""
        self.requests.append(request)
        if self.gate is not None:
            await self.gate.wait()
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        outcome = answer(request) if callable(answer) else answer
        if isinstance(outcome, Completed):
            for piece in _pieces(outcome.message.text):
                yield TextDelta(piece)
        yield outcome


def _pieces(text: str) -> list[str]:
    return [text[i : i + 8] for i in range(0, len(text), 8)]
