"""A clock that never waits and a model that plays a script."""

from __future__ import annotations

from collections.abc import AsyncIterator

from msgspec import Struct, field

from homarus.clock import SystemClock
from homarus.models.attempt import close_stream
from homarus.models.contract import (
    AssistantMessage,
    Completed,
    Failed,
    FailureKind,
    Model,
    ModelEvent,
    ModelInfo,
    ModelRequest,
    Text,
    TextDelta,
    UserMessage,
)

REQUEST = ModelRequest("m", "", (UserMessage((Text("hi"),)),))


class FastClock(SystemClock):
    """Time passes only by sleeping, at once."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def jitter(self) -> float:
        return 0.5


def done(text: str) -> list[ModelEvent]:
    return [TextDelta(text), Completed(AssistantMessage(text), "stop")]


def failed(kind: FailureKind, retry_after: float | None = None) -> list[ModelEvent]:
    return [Failed(kind, kind.value, retry_after=retry_after)]


class ScriptedModel(Struct):
    """Plays one list of events a call; the last one again and again."""

    script: list[list[ModelEvent]]
    name: str = "m"
    calls: int = 0
    closed: int = 0
    clock: FastClock | None = None
    takes: float = 0.0
    requests: list[ModelRequest] = field(default_factory=list[ModelRequest])

    @property
    def info(self) -> ModelInfo:
        return ModelInfo("p", self.name, self.name, 1000, 100)

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        self.requests.append(request)
        events = self.script[min(self.calls, len(self.script) - 1)]
        self.calls += 1
        if self.clock is not None:
            self.clock.time += self.takes
        try:
            for event in events:
                yield event
        finally:
            self.closed += 1


async def abandon(stream: AsyncIterator[ModelEvent]) -> ModelEvent:
    """Take the first event, then stop listening."""
    first = await anext(stream)
    await close_stream(stream)
    return first


async def events_of(model: Model) -> list[ModelEvent]:
    return [event async for event in model.stream(REQUEST)]
