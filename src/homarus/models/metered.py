"""A model that counts its calls, failures, tokens and times."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing

from homarus.clock import Clock
from homarus.meter import Meter
from homarus.models.attempt import Attempt
from homarus.models.contract import (
    Completed,
    Model,
    ModelEvent,
    ModelInfo,
    ModelRequest,
    TextDelta,
    ThinkingDelta,
    Usage,
)

log = logging.getLogger("homarus.models")


class MeteredModel:
    """Passes everything on as it is, and logs failures. One call here is one request: retries count one by one."""

    def __init__(self, model: Model, meter: Meter, clock: Clock) -> None:
        self._model = model
        self._meter = meter
        self._clock = clock

    @property
    def info(self) -> ModelInfo:
        """What the model is."""
        return self._model.info

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Ask the model."""
        began, has_begun = self._clock.monotonic(), False
        attempt = Attempt(self._model, request)
        outcome = "cancelled"
        try:
            async with aclosing(attempt.events()) as events:
                async for event in events:
                    if isinstance(event, Completed):
                        outcome = "done"
                        self._count_tokens(event.usage)
                    elif not has_begun and isinstance(event, TextDelta | ThinkingDelta):
                        has_begun = True
                        self._meter.stages["model_first_token"].observe(self._clock.monotonic() - began)
                    yield event
            if attempt.failure is not None:
                outcome = str(attempt.failure.kind)
                seconds = self._clock.monotonic() - began
                log.warning("%s failed after %.1f s: %s", self.info.ref, seconds, attempt.failure.message)
                yield attempt.failure
        finally:
            self._meter.model_calls.add(self.info.ref, outcome)
            self._meter.stages["model"].observe(self._clock.monotonic() - began)

    def _count_tokens(self, usage: Usage) -> None:
        ref, add = self.info.ref, self._meter.tokens.add
        add(ref, "input", by=usage.input_tokens or 0)
        add(ref, "output", by=usage.output_tokens or 0)
        add(ref, "cache_read", by=usage.cache_read_tokens or 0)
        add(ref, "cache_write", by=usage.cache_write_tokens or 0)
