"""Running batches: from queued messages to a finished run, resumed when a stop interrupted it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from msgspec import Struct

from homarus.agent.events import AgentEvent, TextStreamed, TurnAborted, TurnFailed, TurnFinished, TurnStarted
from homarus.agent.loop import Toolbox, Turn, run_turn
from homarus.agent.usage import read_usage
from homarus.clock import Clock
from homarus.errors import HomarusError, StorageError, UserError, first_error
from homarus.failpoints import Failpoint, hit
from homarus.ids import RunId
from homarus.listeners import Listeners
from homarus.log_context import logging_as
from homarus.models.contract import Usage
from homarus.pipeline.collected_files import has_files, with_files
from homarus.pipeline.contract import RunEvent, RunInfo, RunOutcome
from homarus.pipeline.lanes import Batch
from homarus.pipeline.orders import HELP, Order, describe_sender
from homarus.pipeline.run_journal import RunJournal
from homarus.pipeline.run_store import Begun, RunStore
from homarus.storage.records import Run

log = logging.getLogger("homarus.turns")
MAX_STARTS = 4
MAX_STORAGE_PAUSE = 30.0


class TurnFactory(Protocol):
    """Makes the frozen turn of a run; implemented at composition, where models, tools and workspaces are known."""

    async def make(self, begun: Begun) -> Turn:
        """Return the turn. Raises UserError when its model or agent does not exist."""
        ...

    def timeout(self, begun: Begun) -> float:
        """Return how long the turn may take, in seconds."""
        ...

    async def status(self, begun: Begun) -> str:
        """Return the state of a session in words, for its people."""
        ...


class ActiveRun(Struct):
    """A run from the moment its messages are taken up until its end is stored.

    `task` is the step that an abort breaks off; between steps the run looks at `abort_reason` itself.
    """

    info: RunInfo
    task: asyncio.Task[object] | None = None
    seq: int = 0
    text: str = ""
    abort_reason: str | None = None


class Turns:
    """Runs one batch at a time per caller and tells listeners about it."""

    def __init__(
        self,
        store: RunStore,
        clock: Clock,
        factory: TurnFactory,
        toolbox: Toolbox,
        on_finished: Callable[[RunInfo], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._factory = factory
        self._toolbox = toolbox
        self._on_finished = on_finished
        self._listeners: Listeners[[RunEvent]] = Listeners()
        self.active: dict[str, ActiveRun] = {}
        self._waiters: dict[str, set[asyncio.Event]] = {}

    async def wait(
        self, run_id: str, timeout: float, outcome: Callable[[str], Awaitable[RunOutcome | None]]
    ) -> RunOutcome | None:
        """Wait until a run has ended, for at most `timeout` seconds; None when it has not."""
        ended = asyncio.Event()
        self._waiters.setdefault(run_id, set()).add(ended)
        try:
            known = await outcome(run_id)
            if known is not None and known.state != "running":
                return known
            async with asyncio.timeout(timeout):
                await ended.wait()
            return await outcome(run_id)
        except TimeoutError:
            return None
        finally:
            self._waiters[run_id].discard(ended)
            if not self._waiters[run_id]:
                del self._waiters[run_id]

    def listen(self, listener: Callable[[RunEvent], None]) -> Callable[[], None]:
        """Call `listener` with every event of every run until the returned function is called."""
        return self._listeners.add(listener)

    async def work(self, batch: Batch) -> None:
        """Run a batch to its end. A database that fails pauses the run; it goes on from its journal."""
        run_id = RunId(batch[0].run_id or f"run-{self._clock.uuid()}")
        with logging_as(run=run_id, session=batch[0].session_key, channel=batch[0].address.channel):
            await self._work(batch, run_id)

    async def _work(self, batch: Batch, run_id: RunId) -> None:
        active = self.active[run_id] = ActiveRun(self._store.unbegun(batch[-1], run_id))
        try:
            batch = await self._with_files(batch, active)
            await self._until_stored(batch, active)
        finally:
            del self.active[run_id]
        for ended in self._waiters.get(run_id, ()):
            ended.set()
        self._measure_end(batch)
        self._on_finished(active.info)

    async def _with_files(self, batch: Batch, active: ActiveRun) -> Batch:
        """Fetch the files that came with a batch; without them when it is aborted meanwhile."""
        if self._store.collector is None or not has_files(batch):
            return batch
        fetching = asyncio.get_running_loop().create_task(with_files(batch, self._store.collector))
        active.task = cast("asyncio.Task[object]", fetching)
        try:
            await asyncio.wait((fetching,))
        except asyncio.CancelledError:
            fetching.cancel()
            raise
        active.task = None
        return batch if fetching.cancelled() else fetching.result()

    async def _until_stored(self, batch: Batch, active: ActiveRun) -> None:
        pause = 0.5
        while True:
            try:
                await self._attempt(batch, active)
            except* StorageError as group:
                log.warning("run %s waits for the database: %s", active.info.run_id, first_error(group))
                await self._clock.sleep(pause)
                pause = min(pause * 2, MAX_STORAGE_PAUSE)
            else:
                return

    def abort(self, run_id: str, reason: str) -> bool:
        """Stop a run; False when it is not going on."""
        active = self.active.get(run_id)
        if active is None or active.abort_reason is not None:
            return False
        active.abort_reason = reason
        if active.task is not None:
            active.task.cancel()
        return True

    async def _attempt(self, batch: Batch, active: ActiveRun) -> None:
        hit(Failpoint.RUN_BEFORE_START)
        begun = await self._store.begin(batch, active.info.run_id)
        hit(Failpoint.RUN_AFTER_START)
        active.info = begun.info
        self._measure_wait(begun, batch)
        if begun.is_ended:
            self._tell_end(active, begun.end)
        else:
            await self._run(begun, active, batch)

    async def _run(self, begun: Begun, active: ActiveRun, batch: Batch) -> None:
        journal = RunJournal(self._store, begun)
        if active.abort_reason is not None:
            await self._note_abort(journal, active)
            return
        if begun.order is not None:
            await self._obey(begun.order, begun, journal, active, batch)
            return
        if begun.starts > MAX_STARTS:
            await self._give_up(journal, active, f"stopped after {MAX_STARTS} interrupted attempts")
            return
        turn = await self._prepare(begun, journal)
        if isinstance(turn, UserError):
            await self._give_up(journal, active, turn.message)
            return
        if active.abort_reason is not None:
            await self._note_abort(journal, active)
            return
        task = asyncio.get_running_loop().create_task(self._turn(turn, journal, active), name=f"run {turn.run_id}")
        active.task = cast("asyncio.Task[object]", task)
        try:
            async with asyncio.timeout(self._factory.timeout(begun)):
                await asyncio.shield(task)
        except TimeoutError:
            active.abort_reason = "timeout"
            await self._break_off(task)
            await self._note_abort(journal, active)
        except asyncio.CancelledError:
            await self._break_off(task)
            if active.abort_reason is None:
                raise
            await self._note_abort(journal, active)
        finally:
            active.task = None

    @staticmethod
    async def _break_off(task: asyncio.Task[None]) -> None:
        task.cancel()
        await asyncio.wait((task,))

    async def _prepare(self, begun: Begun, journal: RunJournal) -> Turn | UserError:
        """Return the turn, or why there is none; its transcript is read meanwhile."""
        began = self._clock.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(journal.read_ahead())
            try:
                turn = await self._factory.make(begun)
            except UserError as error:
                return error
        self._store.meter.stages["prepare"].observe(self._clock.monotonic() - began)
        return turn

    def _measure_wait(self, begun: Begun, batch: Batch) -> None:
        if begun.starts == 1 and not begun.is_ended:
            waited = self._clock.now_ms() - batch[0].received_at
            self._store.meter.stages["queue"].observe(waited / 1000)

    def _measure_end(self, batch: Batch) -> None:
        meter, now = self._store.meter, self._clock.now_ms()
        meter.processed += len(batch)
        for message in batch:
            meter.processing.observe((now - message.received_at) / 1000)

    async def _obey(self, order: Order, begun: Begun, journal: RunJournal, active: ActiveRun, batch: Batch) -> None:
        """Answer an order without a model."""
        texts = {"new": "New conversation.", "help": HELP, "whoami": describe_sender(batch[-1])}
        text = texts.get(order.name) or await self._factory.status(begun)
        self._emit(active, TurnStarted(self._clock.now_ms()))
        self._emit(active, TextStreamed(text, text))
        payload: dict[str, object] = {"text": text, "stop_reason": "stop", "order": order.name}
        await journal.finish(payload, batch[-1].label, Usage())
        self._emit(active, TurnFinished(text, "stop", Usage(), self._clock.now_ms()))

    async def _turn(self, turn: Turn, journal: RunJournal, active: ActiveRun) -> None:
        def emit(event: AgentEvent) -> None:
            if isinstance(event, TextStreamed):
                active.text = event.text
            self._emit(active, event)

        try:
            await run_turn(turn, journal, self._toolbox, self._clock, emit)
        except* HomarusError as group:
            error = first_error(group)
            if isinstance(error, StorageError):
                raise error from None
            await self._give_up(journal, active, error.message)
        except* Exception as group:
            log.exception("run %s broke", turn.run_id)
            await self._give_up(
                journal, active, f"an internal error ({type(group.exceptions[0]).__name__}); see the log"
            )

    async def _give_up(self, journal: RunJournal, active: ActiveRun, error: str) -> None:
        await journal.give_up(error, active.text)
        self._emit(active, TurnFailed(error, self._clock.now_ms()))

    async def _note_abort(self, journal: RunJournal, active: ActiveRun) -> None:
        reason = active.abort_reason or "rpc"
        if await journal.abort(reason, active.text):
            self._emit(active, TurnAborted(active.text, reason, self._clock.now_ms()))
        else:
            self._tell_end(active, await self._store.find(active.info.run_id))

    def _tell_end(self, active: ActiveRun, end: Run | None) -> None:
        """Tell those who heard of a run that it ended in a commit whose answer got lost, or was not waited for."""
        if end is not None and end.state != "running" and active.seq:
            self._emit(active, _end_of(end, active.text))

    def _emit(self, active: ActiveRun, event: AgentEvent) -> None:
        active.seq += 1
        self._listeners.tell(RunEvent(active.info, active.seq, self._clock.now_ms(), event))


def _end_of(end: Run, streamed: str) -> AgentEvent:
    """Return the event of a stored end; of an aborted run only what was streamed is known."""
    at = end.ended_at or 0
    if end.state == "done":
        return TurnFinished(end.text, end.stop_reason or "stop", read_usage(end.usage), at)
    if end.state == "aborted":
        return TurnAborted(streamed, end.stop_reason or "rpc", at)
    return TurnFailed(end.error or "", at)
