"""Runs in memory: echoes by itself, or does what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from homarus.agent.events import AgentEvent, TextStreamed, TurnAborted, TurnFinished, TurnStarted
from homarus.clock import Clock
from homarus.errors import UserError
from homarus.ids import RunId
from homarus.models.contract import Usage
from homarus.pipeline.contract import Load, Requester, RunEvent, RunInfo, RunOutcome, RunState, Submission, Submitted


class FakeRuns:
    """Implements Runs. With `is_manual` runs only go on through `emit` and `finish`."""

    def __init__(self, clock: Clock, *, is_manual: bool = False) -> None:
        self._clock = clock
        self._listeners: list[Callable[[RunEvent], None]] = []
        self._infos: dict[str, RunInfo] = {}
        self._seqs: dict[str, int] = {}
        self._outcomes: dict[str, RunOutcome] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self.submissions: list[Submission] = []
        self.is_manual = is_manual

    async def submit(self, submission: Submission) -> Submitted:
        run_id = submission.run_id
        if run_id in self._infos:
            return Submitted("known", self._outcomes.get(run_id))
        self.submissions.append(submission)
        self._infos[run_id] = RunInfo(
            run_id,
            submission.agent_id,
            submission.session_key,
            f"session-of-{submission.session_key}",
            submission.kind,
            submission.requester,
            submission.deliver_to,
        )
        self._outcomes[run_id] = self._outcome(run_id, "running")
        self._ended[run_id] = asyncio.Event()
        if not self.is_manual:
            self.echo(run_id, f"echo: {submission.text}")
        return Submitted("started")

    async def abort(
        self,
        session_key: str,
        run_id: str | None,
        reason: str,
        requester: Requester,
        *,
        clears_queue: bool = False,
    ) -> tuple[RunId, ...]:
        running = [info for info in self.active() if run_id in (None, info.run_id)]
        if run_id is not None and running and running[0].session_key != session_key:
            raise UserError("runId does not match sessionKey")
        mine = [info for info in running if info.session_key == session_key]
        if mine and not requester.is_admin and all(info.requester.device_id != requester.device_id for info in mine):
            raise UserError("unauthorized")
        for info in mine:
            self.emit(info.run_id, TurnAborted("so far", reason, self._clock.now_ms()))
            self.finish(info.run_id, "aborted")
        return tuple(info.run_id for info in mine)

    async def wait(self, run_id: str, timeout: float) -> RunOutcome | None:
        ended = self._ended.get(run_id)
        if ended is None:
            return None
        try:
            async with asyncio.timeout(timeout):
                await ended.wait()
        except TimeoutError:
            return None
        return self._outcomes[run_id]

    async def outcome(self, run_id: str) -> RunOutcome | None:
        return self._outcomes.get(run_id)

    def active(self) -> tuple[RunInfo, ...]:
        return tuple(info for info in self._infos.values() if self._outcomes[info.run_id].state == "running")

    def load(self) -> Load:
        running = len(self.active())
        return Load(running, 0, running, 4)

    def listen(self, listener: Callable[[RunEvent], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def emit(self, run_id: str, event: AgentEvent) -> None:
        self._seqs[run_id] = self._seqs.get(run_id, 0) + 1
        for listener in tuple(self._listeners):
            listener(RunEvent(self._infos[run_id], self._seqs[run_id], self._clock.now_ms(), event))

    def finish(self, run_id: str, state: RunState = "done", *, text: str = "", error: str | None = None) -> None:
        self._outcomes[run_id] = self._outcome(run_id, state, text, error)
        self._ended[run_id].set()

    def echo(self, run_id: str, text: str) -> None:
        now = self._clock.now_ms()
        self.emit(run_id, TurnStarted(now))
        self.emit(run_id, TextStreamed(text[:4], text[:4]))
        self.emit(run_id, TextStreamed(text, text[4:]))
        self.finish(run_id, text=text)
        self.emit(run_id, TurnFinished(text, "stop", Usage(), now))

    def _outcome(self, run_id: str, state: RunState, text: str = "", error: str | None = None) -> RunOutcome:
        info = self._infos[run_id]
        now = self._clock.now_ms()
        ended = None if state == "running" else now
        return RunOutcome(
            RunId(run_id), state, info.session_key, info.session_id, text, error, "stop", now, ended, "mock/mock-1"
        )
