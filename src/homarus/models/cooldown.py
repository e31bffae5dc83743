"""Which models are left alone for a while after they failed; in memory only, so that a restart forgets it."""

from __future__ import annotations

from msgspec import Struct

from homarus.clock import Clock
from homarus.models.contract import Failed, FailureKind

_PAUSES = (30.0, 60.0, 300.0)
"""Seconds by number of failures in a row; the reference's steps."""
_COOLING = frozenset(FailureKind) - {FailureKind.CONTEXT_OVERFLOW, FailureKind.BAD_REQUEST}
_MAX_MODELS = 512


class _State(Struct):
    failures: int = 0
    until: float = 0.0
    is_probing: bool = False


class Cooldowns:
    """Remembers failures by model reference. After a pause one call at a time probes; success forgets everything."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._states: dict[str, _State] = {}

    def admit(self, ref: str) -> bool:
        """Return whether the model may be called now; admits one probe after a pause, to be ended by the others."""
        state = self._states.get(ref)
        if state is None:
            return True
        if state.is_probing or self._clock.monotonic() < state.until:
            return False
        state.is_probing = True
        return True

    def ends_at(self, ref: str) -> float:
        """Return when the pause of a model ends, on the monotonic clock."""
        state = self._states.get(ref)
        return state.until if state else 0.0

    def succeed(self, ref: str) -> None:
        """Forget the failures of a model."""
        self._states.pop(ref, None)

    def fail(self, ref: str, failure: Failed) -> None:
        """Pause a model whose failure is the provider's; at most the longest pause, whatever it asks for."""
        if failure.kind not in _COOLING:
            self.release(ref)
            return
        if len(self._states) >= _MAX_MODELS and ref not in self._states:
            self._states.pop(next(iter(self._states)))
        state = self._states.setdefault(ref, _State())
        pause = max(_PAUSES[min(state.failures, len(_PAUSES) - 1)], failure.retry_after or 0.0)
        state.failures += 1
        state.until = self._clock.monotonic() + min(pause, _PAUSES[-1])
        state.is_probing = False

    def release(self, ref: str) -> None:
        """End a probe that told nothing, such as one the owner stopped."""
        if ref in self._states:
            self._states[ref].is_probing = False
