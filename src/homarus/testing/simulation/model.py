"""A model that answers what it was asked, calls tools, and fails in every way the contract knows."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence

from homarus.models.contract import (
    AssistantMessage,
    Completed,
    Failed,
    FailureKind,
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
from homarus.testing.simulation.life import Life

NAME = re.compile(r"<(c\d+m\d+)>")
INFO = ModelInfo("simulated", "m", "Simulated", 200_000, 4_000)
FAILURES = (FailureKind.RATE_LIMIT, FailureKind.OVERLOADED, FailureKind.CONNECTION, FailureKind.GARBAGE)
TOOLS = ("read", "pay", "send_file")


def line(name: str, number: int, count: int) -> str:
    """Return the mark of one line of the answer to a message, such as `[c1m2.1/3]`."""
    return f"[{name}.{number}/{count}]"


class SimulatedModel:
    """Implements homarus.models.contract.Model; what is wrong with a request goes to `complaints`."""

    info = INFO

    def __init__(self, life: Life, complaints: list[str]) -> None:
        self._life = life
        self._complaints = complaints

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Answer the last user message, sometimes after calls."""
        life = self._life
        await life.go_on()
        self._complaints.extend(problems(request.messages))
        await life.clock.sleep(life.random.uniform(1.0, 15.0) if life.faults.hits("model slow") else 0.2)
        await life.die_if("kill in model")
        if life.faults.hits("model hangs"):
            await life.clock.sleep(100_000.0)
        if life.faults.hits("model fails"):
            yield Failed(life.random.choice(FAILURES), "the model is not well")
            return
        answer = self._answer(request.messages)
        half = answer.message.text[: len(answer.message.text) // 2]
        yield TextDelta(half)
        await life.clock.sleep(life.random.choice((0.05, 0.05, 2.5)))
        await life.die_if("kill in model")
        if life.faults.hits("model half stream"):
            return
        yield TextDelta(answer.message.text[len(half) :])
        yield answer

    def _answer(self, messages: Sequence[Message]) -> Completed:
        steps = _steps(messages)
        if steps < 3 and self._life.random.random() < 0.35:
            calls = tuple(self._call() for _ in range(self._life.random.randint(1, 3)))
            return Completed(AssistantMessage("let me see", calls), "tool_calls", Usage(100, 20))
        names = NAME.findall(_last_said(messages))
        if not names or self._life.random.random() < 0.05:
            return Completed(AssistantMessage("NO_REPLY"), "stop", Usage(100, 2))
        return Completed(AssistantMessage("\n".join(self._reply(name) for name in names)), "stop", Usage(100, 50))

    def _call(self) -> ToolCall:
        call_id = f"call-{self._life.random.getrandbits(48):012x}"
        return ToolCall(call_id, self._life.random.choice(TOOLS), "{}")

    def _reply(self, name: str) -> str:
        count = self._life.random.choice((1, 1, 2, 6))
        return "\n".join(f"{line(name, number, count)} " + "answer " * 9 for number in range(1, count + 1))


def problems(messages: Sequence[Message]) -> list[str]:
    """Return what makes a request one that providers refuse, or one that nobody needs."""
    if not messages or not isinstance(messages[0], UserMessage):
        return ["a request does not begin with a user message"]
    found: list[str] = []
    expected: list[str] = []
    for message in messages:
        if isinstance(message, ToolResultMessage):
            if not expected or expected.pop(0) != message.call_id:
                found.append(f"a request has a result without its call: {message.call_id}")
            continue
        if expected:
            found.append(f"a request leaves calls without results: {expected}")
        expected = [call.id for call in message.tool_calls] if isinstance(message, AssistantMessage) else []
    if expected:
        found.append(f"a request leaves calls without results: {expected}")
    if isinstance(messages[-1], AssistantMessage):
        found.append("a request ends with an answer: nothing was asked")
    return found


def _last_said(messages: Sequence[Message]) -> str:
    last = next(message for message in reversed(messages) if isinstance(message, UserMessage))
    return " ".join(part.text for part in last.content if isinstance(part, Text))


def _steps(messages: Sequence[Message]) -> int:
    count = 0
    for message in reversed(messages):
        if isinstance(message, UserMessage):
            break
        count += isinstance(message, AssistantMessage)
    return count
