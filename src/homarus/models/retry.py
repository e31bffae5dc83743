"""Tries a model again when that can help and cannot repeat text."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing

from msgspec import Struct

from homarus.clock import Clock
from homarus.models.attempt import Attempt
from homarus.models.contract import RETRYABLE_KINDS, Failed, Model, ModelEvent, ModelInfo, ModelRequest

log = logging.getLogger("homarus.models")


class RetryPolicy(Struct, frozen=True):
    """Seconds. `total_wait` bounds all pauses together; no retry begins later than `start_within` after the call."""

    max_retries: int = 2
    first_delay: float = 1.0
    total_wait: float = 30.0
    start_within: float = 90.0


PATIENT = RetryPolicy()
"""For a model that has no fallback."""
HASTY = RetryPolicy(max_retries=1, first_delay=0.5, total_wait=2.0, start_within=10.0)
"""For a model that has one: another model is better than a pause."""


def with_retries(model: Model, clock: Clock, policy: RetryPolicy = PATIENT) -> Model:
    """Return the model with retries around it."""
    return RetryingModel(model, clock, policy)


class RetryingModel:
    """Repeats a failed call only while nothing of it was passed on."""

    def __init__(self, model: Model, clock: Clock, policy: RetryPolicy) -> None:
        self._model = model
        self._clock = clock
        self._policy = policy

    @property
    def info(self) -> ModelInfo:
        """What the model is."""
        return self._model.info

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Ask the model, again if need be."""
        started = self._clock.monotonic()
        waited = 0.0
        for number in range(self._policy.max_retries + 1):
            attempt = Attempt(self._model, request)
            async with aclosing(attempt.events()) as events:
                async for event in events:
                    yield event
            if attempt.failure is None:
                return
            pause = self._pause(attempt.failure, number)
            if attempt.has_spoken or not self._may_retry(attempt.failure, number, started, waited + pause):
                yield attempt.failure
                return
            waited += pause
            log.info("%s is asked again in %.1f s", self.info.ref, pause)
            await self._clock.sleep(pause)

    def _pause(self, failure: Failed, number: int) -> float:
        backoff = self._policy.first_delay * 2**number * (0.5 + self._clock.jitter())
        return max(backoff, failure.retry_after or 0.0)

    def _may_retry(self, failure: Failed, number: int, started: float, waited: float) -> bool:
        elapsed = self._clock.monotonic() - started
        return (
            failure.kind in RETRYABLE_KINDS
            and number < self._policy.max_retries
            and waited <= self._policy.total_wait
            and elapsed <= self._policy.start_within
        )
