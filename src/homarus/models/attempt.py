"""One try of a model: passes its events on and remembers how it ended."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from homarus.models.contract import Completed, Failed, FailureKind, Model, ModelEvent, ModelRequest


class Attempt:
    """Runs one call. Failed is kept back in `failure`, so that the caller decides whether it is the last word."""

    def __init__(self, model: Model, request: ModelRequest) -> None:
        self._model = model
        self._request = request
        self.has_spoken = False
        """Whether anything was passed on; then nothing may be tried again, or text would come twice."""
        self.is_completed = False
        self.failure: Failed | None = None

    async def events(self) -> AsyncGenerator[ModelEvent]:
        """Yield everything but Failed; afterwards exactly one of Completed (yielded) and `failure` is there."""
        stream = self._model.stream(self._request)
        try:
            async for event in stream:
                if isinstance(event, Failed):
                    self.failure = event
                    return
                self.has_spoken = True
                self.is_completed = isinstance(event, Completed)
                yield event
                if self.is_completed:
                    return
            what = f"{self._model.info.provider} ended its answer without a result. Try again."
            self.failure = Failed(FailureKind.GARBAGE, what)
        finally:
            await close_stream(stream)


async def close_stream(stream: AsyncIterator[ModelEvent]) -> None:
    """Close a stream that may be a generator, so that its connection is given back now."""
    if isinstance(stream, AsyncGenerator):
        await stream.aclose()
