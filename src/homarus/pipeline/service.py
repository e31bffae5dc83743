"""The pipeline as one thing: messages in, runs watched and stopped, parts out, everything recovered after a stop."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from datetime import UTC, tzinfo

from msgspec import Struct, field

from homarus.agent.events import TextStreamed, TurnAborted, TurnFailed, TurnFinished, TurnStarted
from homarus.agent.loop import Toolbox
from homarus.agent.usage import read_usage
from homarus.channels.contract import Acceptance, Inbound
from homarus.clock import Clock
from homarus.config.schema import Config
from homarus.errors import UserError
from homarus.failpoints import Failpoint, hit
from homarus.ids import Address, RunId
from homarus.labels import Confidentiality, Integrity, Label
from homarus.meter import Meter
from homarus.pipeline.accounts import WEBCHAT, Accounts
from homarus.pipeline.backlog import Backlog
from homarus.pipeline.collected_files import FileCollector
from homarus.pipeline.contract import Load, Requester, RunEvent, RunInfo, RunOutcome, RunState, Submission, Submitted
from homarus.pipeline.error_replies import ErrorReplies
from homarus.pipeline.inbox import MAX_TEXT, Inbox, Stored
from homarus.pipeline.ingest import Ingest
from homarus.pipeline.lanes import Batch, Lanes, setting_of
from homarus.pipeline.orders import is_stop_word
from homarus.pipeline.outbox import Outbox
from homarus.pipeline.overheard import Overheard
from homarus.pipeline.run_meter import RunMeter
from homarus.pipeline.run_store import RunStore, Stamp
from homarus.pipeline.session_rules import SessionRules
from homarus.pipeline.turns import TurnFactory, Turns
from homarus.storage import inbound as journal
from homarus.storage import runs as run_rows
from homarus.storage.database import Database
from homarus.storage.inbound import trail_line
from homarus.storage.records import InboundMessage, Run

log = logging.getLogger("homarus.pipeline")


class Parts(Struct, frozen=True):
    """What the pipeline is made of; given at composition.

    `on_accepted` is told of a message that will be answered, `on_parts` that a channel account has parts to send,
    `on_working` that a run for a chat begins and ends, `on_preview` what it has said so far (None at its end).
    """

    database: Database
    clock: Clock
    accounts: Accounts
    config: Callable[[], Config]
    factory: TurnFactory
    toolbox: Toolbox
    stamp: Stamp
    on_parts: Callable[[str, str], None]
    zone: Callable[[], tzinfo] = lambda: UTC
    on_accepted: Callable[[InboundMessage], None] = lambda _message: None
    on_working: Callable[[Address, bool], None] = lambda _address, _is_working: None
    on_preview: Callable[[RunInfo, str | None], None] = lambda _run, _text: None
    meter: Meter = field(default_factory=Meter)
    collector: FileCollector | None = None


class Pipeline:
    """Implements homarus.channels.contract.Ingress and homarus.pipeline.contract.Runs."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._database = parts.database
        self._clock = parts.clock
        self._rules = SessionRules(parts.config, parts.zone)
        ingest = Ingest(parts.clock, self._rules, parts.config)
        self._inbox = Inbox(parts.database, parts.clock, parts.accounts, parts.config, ingest, self._on_stored)
        self._outbox = outbox = Outbox(parts.accounts, parts.clock)
        self._store = store = RunStore(
            parts.database,
            parts.clock,
            outbox,
            self._rules,
            parts.stamp,
            self._steering,
            parts.meter,
            put_back=self._put_back,
            collector=parts.collector,
            overheard=Overheard(parts.accounts),
            error_replies=ErrorReplies(parts.accounts),
        )
        self._turns = Turns(store, parts.clock, parts.factory, parts.toolbox, self._on_finished)
        self._lanes = Lanes(parts.clock, self._turns.work, self._limit, self._debounce, self._collects)
        self._backlog = Backlog(parts.database, parts.clock, self._lanes, self._rules, parts.meter, parts.on_parts)
        self._turns.listen(self._on_event)
        self._turns.listen(RunMeter(parts.meter).listen)

    async def recover(self) -> int:
        """Take up what a stop left behind, oldest first; returns how many messages that were."""
        waiting = await self._database.read(journal.select_open)
        # A run that had begun goes first: another one's entries must not come between its own.
        for message in sorted(waiting, key=lambda message: message.state != "running"):
            self._lanes.offer(message)
        if waiting:
            log.info("%d message(s) taken up again after a stop", len(waiting))
        return len(waiting)

    def take_up(self, message: InboundMessage) -> None:
        """Go on with a message that was put back by hand: run it, or send its parts."""
        if message.state == "queued":
            self._lanes.offer(message)
        else:
            self._parts.on_parts(message.address.channel, message.address.account)

    async def finish(self, seconds: float) -> None:
        """Begin no more runs and let those that go on end, for at most `seconds`."""
        await self._lanes.finish(seconds)

    def load(self) -> Load:
        """Return how much there is to do now."""
        return Load(self._lanes.count(), self._lanes.depth(), self._lanes.running, self._limit())

    async def stop(self) -> None:
        """End every run where it stands; the journal takes it up at the next start."""
        await self._lanes.stop()

    async def accept(self, message: Inbound) -> Acceptance:
        """Commit a message of a channel; see Ingress."""
        return await self._inbox.accept(message)

    async def submit(self, submission: Submission) -> Submitted:
        """Commit a message of an authenticated surface; see Runs."""
        message = self._submitted(submission)
        if self._backlog.is_full(submission.session_key):
            return await self._refused(message)
        hit(Failpoint.INBOX_BEFORE_COMMIT)
        is_new = await self._database.write(journal.insert_inbound, message)
        hit(Failpoint.INBOX_AFTER_COMMIT)
        self._parts.meter.received.add(message.address.channel, "queued" if is_new else "duplicate")
        if not is_new:
            return await self._known(message)
        return Submitted("queued" if self._lanes.offer(message) else "started")

    async def abort(
        self, session_key: str, run_id: str | None, reason: str, requester: Requester, *, clears_queue: bool = False
    ) -> tuple[RunId, ...]:
        """Stop runs of a session; see Runs."""
        found = [info for info in self.active() if info.session_key == session_key or info.run_id == run_id]
        if run_id is not None:
            found = [info for info in found if info.run_id == run_id]
            if found and found[0].session_key != session_key:
                raise UserError("runId does not match sessionKey")
        mine = [info for info in found if _may_abort(info, requester)]
        if found and not mine:
            raise UserError("unauthorized")
        stopped = [info.run_id for info in mine if self._turns.abort(info.run_id, reason)]
        dropped = {info.run_id for info in mine}
        clears_queue = clears_queue and requester.is_admin
        return (*stopped, *await self._drop_waiting(session_key, dropped, reason, clears_queue=clears_queue))

    async def wait(self, run_id: str, timeout: float) -> RunOutcome | None:
        """Wait for a run's end; see Runs."""
        return await self._turns.wait(run_id, timeout, self.outcome)

    async def outcome(self, run_id: str) -> RunOutcome | None:
        """Return how a run stands; see Runs."""
        run = await self._database.read(run_rows.select_run, run_id)
        return None if run is None else _outcome(run)

    def active(self) -> tuple[RunInfo, ...]:
        """Return the runs that go on or wait; see Runs."""
        running = tuple(active.info for active in self._turns.active.values())
        known = {info.run_id for info in running}
        waiting = self._lanes.waiting()
        queued = (self._store.unbegun(each, RunId(each.run_id)) for each in waiting if each.run_id is not None)
        return (*running, *(info for info in queued if info.run_id not in known))

    def listen(self, listener: Callable[[RunEvent], None]) -> Callable[[], None]:
        """Watch every run; see Runs."""
        return self._turns.listen(listener)

    async def _refused(self, message: InboundMessage) -> Submitted:
        """Answer a repeated submission to a session that takes no more. Raises UserError for any other one."""
        known = await self._database.read(journal.select_known, message.address, message.external_id)
        if known is None:
            raise UserError(
                f"{len(self._lanes.waiting(message.session_key))} messages wait in this session already",
                fix="wait for their answers, or stop the run and what waits",
            )
        return await self._known(message)

    async def _known(self, repeated: InboundMessage) -> Submitted:
        """Answer a repeated submission; one that was committed although its caller was told otherwise begins now."""
        known = await self._database.read(journal.select_known, repeated.address, repeated.external_id)
        if known is not None and known.state == "queued" and not self._lanes.holds(known):
            self._lanes.offer(known)
        return Submitted("known", await self.outcome(repeated.external_id))

    async def _on_stored(self, stored: Stored) -> None:
        message = stored.message
        if message is None:
            return
        self._count(message, is_new=stored.is_new)
        if stored.has_reply:
            self._parts.on_parts(message.address.channel, message.address.account)
        if message.state != "queued" or (not stored.is_new and self._lanes.holds(message)):
            return
        if await self._stops(message):
            return
        if stored.is_new:
            self._parts.on_accepted(message)
        await self._backlog.offer(message)
        if self._rules.queue_mode(message.address.channel) == "interrupt":
            self._interrupt(message)

    async def _stops(self, message: InboundMessage) -> bool:
        """Obey an abort word in a chat: stop the run, clear the queue. With nothing to stop it is ordinary text."""
        if not is_stop_word(message.text) or message.label.integrity < Integrity.USER:
            return False
        key = message.session_key or ""
        running = [active.info.run_id for active in self._turns.active.values() if active.info.session_key == key]
        waiting = self._lanes.take_waiting(key, lambda _message: True)
        if not running and not waiting:
            return False
        for run_id in running:
            self._turns.abort(run_id, "stop")
        ids = [message.id, *(item.id for item in waiting)]
        now = self._clock.now_ms()
        with self._lanes.held(key, waiting):
            await self._database.write(journal.move_inbound, ids, "silent", now, reason="stopped by the sender")
        return True

    def _interrupt(self, message: InboundMessage) -> None:
        """Stop what the session does for the same chat, unless it is this message: the newest counts."""
        key = message.session_key or ""
        if not any(message.id == waiting.id for waiting in self._lanes.waiting(key)):
            return
        for active in tuple(self._turns.active.values()):
            if active.info.session_key == key and active.info.address == message.address:
                self._turns.abort(active.info.run_id, "interrupt")

    def _steering(self, info: RunInfo) -> Batch:
        """Take the waiting messages that the queue mode lets into a run: those from the chat it answers."""
        if info.address is None or self._rules.queue_mode(info.address.channel) != "steer":
            return ()
        address, setting = info.address, self._lanes.setting(info.session_key)
        return self._lanes.take_waiting(
            info.session_key,
            lambda message: message.run_id is None and message.address == address and setting_of(message) == setting,
        )

    def _put_back(self, session_key: str, batch: Batch) -> None:
        """Let messages wait again that a run took and could not store as its own."""
        self._lanes.put_back(session_key, batch)

    def _collects(self, channel: str) -> bool:
        return self._rules.queue_mode(channel) != "followup"

    def _on_event(self, event: RunEvent) -> None:
        address = event.run.address
        if address is None:
            return
        if isinstance(event.event, TextStreamed):
            text = self._outbox.first_text(address, event.event.text)
            if text:
                self._parts.on_preview(event.run, text)
        elif isinstance(event.event, TurnStarted):
            self._parts.on_working(address, True)  # noqa: FBT003 - a callback
        elif isinstance(event.event, TurnFinished | TurnAborted | TurnFailed):
            self._parts.on_working(address, False)  # noqa: FBT003 - a callback
            self._parts.on_preview(event.run, None)

    def _count(self, message: InboundMessage, *, is_new: bool) -> None:
        meter = self._parts.meter
        meter.received.add(message.address.channel, message.state if is_new else "duplicate")
        if is_new and message.state in {"dropped", "silent"}:
            meter.processed += 1

    def _on_finished(self, info: RunInfo) -> None:
        if info.address is not None:
            self._parts.on_parts(info.address.channel, info.address.account)

    async def _drop_waiting(
        self, session_key: str, run_ids: set[RunId], reason: str, *, clears_queue: bool
    ) -> tuple[RunId, ...]:
        dropped = self._lanes.take_waiting(
            session_key,
            lambda message: message.run_id in run_ids or (clears_queue and message.run_id is None),
        )
        if not dropped:
            return ()
        ids, now = [message.id for message in dropped], self._clock.now_ms()
        with self._lanes.held(session_key, dropped):
            await self._database.write(journal.move_inbound, ids, "silent", now, reason=f"aborted: {reason}")
        return tuple(RunId(message.run_id) for message in dropped if message.run_id is not None)

    def _limit(self) -> int:
        return self._parts.config().agents.defaults.max_concurrent

    def _debounce(self, channel: str) -> float:
        if channel == WEBCHAT:
            return 0.0
        settings = self._parts.config().messages.queue
        return settings.debounce_ms_by_channel.get(channel, settings.debounce_ms) / 1000

    def _submitted(self, submission: Submission) -> InboundMessage:
        now, requester = self._clock.now_ms(), submission.requester
        origin: dict[str, object] = {
            "kind": submission.kind,
            "device_id": requester.device_id,
            "conn_id": requester.conn_id,
            "admin": requester.is_admin,
            "model": submission.model,
            "thinking": submission.thinking,
            "extra": submission.extra_system_prompt,
            "timeout": submission.timeout,
            "keeps_session": submission.keeps_session or None,
            "light": submission.is_light or None,
            "verbatim": submission.is_verbatim or None,
        }
        payload: dict[str, object] = {"origin": {name: value for name, value in origin.items() if value is not None}}
        if submission.images:
            payload["images"] = [
                {"mime": image.mime, "data": base64.b64encode(image.data).decode()} for image in submission.images
            ]
        return InboundMessage(
            id=self._clock.uuid(),
            address=submission.deliver_to or Address(WEBCHAT, "default", submission.session_key),
            external_id=submission.run_id,
            kind="direct",
            sender_id=requester.device_id or "operator",
            sender_name="",
            text=submission.text[:MAX_TEXT],
            payload=payload,
            label=submission.label or Label(Integrity.OPERATOR, Confidentiality.PRIVATE, ("channel:webchat",)),
            state="queued",
            received_at=now,
            agent_id=submission.agent_id,
            session_key=submission.session_key,
            run_id=submission.run_id,
            trail=trail_line(now, "received", f"{submission.kind} from {requester.device_id or 'operator'}"),
        )


def _may_abort(info: RunInfo, requester: Requester) -> bool:
    if requester.is_admin:
        return True
    owner = info.requester
    same_device = owner.device_id is not None and owner.device_id == requester.device_id
    return same_device or (owner.conn_id is not None and owner.conn_id == requester.conn_id)


def _outcome(run: Run) -> RunOutcome:
    states: dict[str, RunState] = {"running": "running", "done": "done", "failed": "failed", "aborted": "aborted"}
    return RunOutcome(
        run_id=RunId(run.id),
        state=states[run.state],
        session_key=run.session_key,
        session_id=run.session_id,
        text=run.text,
        error=run.error,
        stop_reason=run.stop_reason,
        started_at=run.started_at,
        ended_at=run.ended_at,
        model=run.model,
        usage=read_usage(run.usage),
    )
