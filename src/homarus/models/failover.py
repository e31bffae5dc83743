"""Tries the next model when one fails before it said anything."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing

from msgspec.structs import replace

from homarus.clock import Clock
from homarus.models.attempt import Attempt
from homarus.models.contract import Failed, FailureKind, Model, ModelEvent, ModelInfo, ModelRequest
from homarus.models.cooldown import Cooldowns

FIRST_EVENT_WITHIN = 150.0
"""Seconds for the whole chain until something arrives: one provider timing out, then another answering."""

_FINAL_KINDS = frozenset({FailureKind.CONTEXT_OVERFLOW, FailureKind.BAD_REQUEST})


log = logging.getLogger("homarus.models")


class FailoverModel:
    """A primary model and its fallbacks as one model. It presents itself as the primary."""

    def __init__(
        self, models: Sequence[Model], cooldowns: Cooldowns, clock: Clock, *, within: float = FIRST_EVENT_WITHIN
    ) -> None:
        self._models = tuple(models)
        self._cooldowns = cooldowns
        self._clock = clock
        self._within = within

    @property
    def info(self) -> ModelInfo:
        """What the primary model is."""
        return self._models[0].info

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Ask the models in turn; the failure shown is that of the first one tried."""
        deadline = self._clock.monotonic() + self._within
        shown: Failed | None = None
        for model in self._candidates():
            attempt = Attempt(model, request)
            async with aclosing(self._run(model.info.ref, attempt, deadline)) as events:
                async for event in events:
                    yield event
            if attempt.failure is None:
                return
            failure = self._named(attempt.failure, model)
            shown = shown or failure
            if attempt.has_spoken or failure.kind in _FINAL_KINDS:
                shown = failure
                break
            if self._clock.monotonic() >= deadline:
                break
            log.info("%s did not answer; the next model is asked", model.info.ref)
        if shown is not None:
            yield shown

    def _named(self, failure: Failed, model: Model) -> Failed:
        """Return a failure with the model it is of, when that is a fallback."""
        return failure if model.info.ref == self.info.ref else replace(failure, ref=model.info.ref)

    def _candidates(self) -> Iterator[Model]:
        """Yield the models not in cooldown; when all are, the one that would be ready first."""
        is_any_ready = False
        for model in self._models:
            if self._cooldowns.admit(model.info.ref):
                is_any_ready = True
                yield model
        if not is_any_ready:
            yield min(self._models, key=lambda model: self._cooldowns.ends_at(model.info.ref))

    async def _run(self, ref: str, attempt: Attempt, deadline: float) -> AsyncGenerator[ModelEvent]:
        """Run one attempt, waiting for its first event no longer than the chain has left."""
        try:
            async with aclosing(attempt.events()) as events:
                try:
                    async with asyncio.timeout(max(0.0, deadline - self._clock.monotonic())):
                        event = await anext(events, None)
                except TimeoutError:
                    attempt.failure = Failed(FailureKind.TIMEOUT, "No model answered in time. Try again.")
                    event = None
                while event is not None:
                    yield event
                    event = await anext(events, None)
        finally:
            self._record(ref, attempt)

    def _record(self, ref: str, attempt: Attempt) -> None:
        if attempt.failure is not None:
            self._cooldowns.fail(ref, attempt.failure)
        elif attempt.is_completed:
            self._cooldowns.succeed(ref)
        else:
            self._cooldowns.release(ref)
