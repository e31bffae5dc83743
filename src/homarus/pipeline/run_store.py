"""Where runs begin: the commit that takes messages up as one run, resumes it after a stop, or steers more into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from homarus.clock import Clock
from homarus.ids import AgentId, RunId
from homarus.labels import join_all
from homarus.meter import Meter
from homarus.pipeline.batch_text import preview_of, text_of, title_of
from homarus.pipeline.collected_files import FileCollector
from homarus.pipeline.contract import Requester, RunInfo
from homarus.pipeline.error_replies import ErrorReplies
from homarus.pipeline.lanes import Batch, is_shortened
from homarus.pipeline.orders import Order
from homarus.pipeline.outbox import Outbox
from homarus.pipeline.overheard import Overheard, lines_of
from homarus.pipeline.session_rules import SessionRules
from homarus.sessions.keys import parse_key
from homarus.sessions.store import new_session
from homarus.storage import entries, inbound, runs, sessions
from homarus.storage.database import Connection, Database
from homarus.storage.records import Entry, InboundMessage, Run, Session

LATE_AFTER_MS = 6 * 3_600_000
"""A message that waited longer is answered with a mark, because what it asks may be over by now."""
Stamp = Callable[[int], str]


class Begun(Struct, frozen=True):
    """A run that may go on: its row and how often it has begun.

    `origin` is what the caller asked for, `settings` what the session has stored (thinkingLevel, modelOverride ...).
    `is_ended` tells that there is nothing left to do: the run ended in a commit whose answer got lost (`end` is its
    row), or it was taken up already with another of its messages; `order` that it is answered without a model.
    """

    info: RunInfo
    starts: int
    origin: dict[str, object]
    settings: dict[str, object]
    is_ended: bool = False
    end: Run | None = None
    order: Order | None = None


class RunStore:
    """Begins runs, and holds what their journals need."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        outbox: Outbox,
        rules: SessionRules,
        stamp: Stamp = str,
        steering: Callable[[RunInfo], Batch] = lambda _info: (),
        meter: Meter | None = None,
        *,
        put_back: Callable[[str, Batch], None] = lambda _key, _batch: None,
        collector: FileCollector | None = None,
        overheard: Overheard | None = None,
        error_replies: ErrorReplies | None = None,
    ) -> None:
        self.database = database
        self.clock = clock
        self.outbox = outbox
        self.rules = rules
        self.stamp = stamp
        self.steering = steering
        self.put_back = put_back
        self.collector = collector
        self.overheard = overheard
        self.error_replies = error_replies
        self.meter = meter or Meter()
        self._opened_at = clock.now_ms()

    async def begin(self, batch: Batch, run_id: RunId) -> Begun:
        """Store that a run begins, with the user's entry; a run that had begun before is counted as resumed."""
        return await self.database.write(self._begin, batch, run_id)

    async def find(self, run_id: RunId) -> Run | None:
        """Return how a run stands."""
        return await self.database.read(runs.select_run, run_id)

    def unbegun(self, message: InboundMessage, run_id: RunId) -> RunInfo:
        """Return a run that has not begun, as far as it is known."""
        address = message.address if self.outbox.needs_sending(message.address) else None
        agent, origin = AgentId(message.agent_id or "main"), _origin(message)
        kind = str(origin.get("kind") or "channel")
        return RunInfo(run_id, agent, message.session_key or "", "", kind, _requester(origin), address)

    def _begin(self, connection: Connection, batch: Batch, run_id: RunId) -> Begun:
        last = batch[-1]
        known = runs.select_run(connection, run_id)
        key = parse_key(last.session_key or "")
        session = sessions.ensure_session(connection, new_session(key, self.clock))
        order = self.rules.order_of(last) if len(batch) == 1 else None
        if known is not None:
            return self._resume(connection, known, session, batch, order)
        late = self._late(batch)
        reasons = {each.id: _reason(each, late) for each in batch}
        got = inbound.claim_inbound(connection, reasons, self.clock.now_ms(), run_id=run_id)
        if len(got) < len(batch):
            # A commit whose answer got lost has dealt with the others already.
            batch = tuple(message for message in batch if message.id in got)
            if not batch:
                return Begun(_info(self._new_run(last, run_id, session), None), 1, {}, {}, is_ended=True)
            last = batch[-1]
        is_expired = not _origin(last).get("keeps_session") and self.rules.is_expired(session, self.clock.now_ms())
        if is_expired or (order is not None and order.name == "new"):
            self._measure_session(connection, session)
            session = sessions.renew_session(connection, session.key, self.clock.uuid(), self.clock.now_ms())
        run = self._new_run(last, run_id, session)
        runs.insert_run(connection, run)
        heard = self.overheard.before(connection, batch, run_id) if self.overheard is not None else []
        entry = self._user_entry(batch, run, late, heard)
        order = _first_words(order, entry)
        if order is None or order.name != "new":
            entries.insert_entry(connection, entry)
        sessions.note_run(connection, session, run, title_of(last), preview_of(batch))
        return Begun(_info(run, self._reply_to(batch)), 1, run.origin, session.meta, order=order)

    def _measure_session(self, connection: Connection, ended: Session) -> None:
        began = entries.select_first_time(connection, ended.session_id)
        if began is not None:
            self.meter.sessions.observe((ended.updated_at - began) / 1000)

    def _resume(self, connection: Connection, known: Run, session: Session, batch: Batch, order: Order | None) -> Begun:
        is_ended = known.state != "running"
        starts = known.starts if is_ended else runs.count_start(connection, known.id)
        late = None if is_ended else self._late(batch)
        if late:
            now = self.clock.now_ms()
            payload: dict[str, object] = {"kind": "late", "text": f"[{late}]"}
            label = join_all(message.label for message in batch)
            note = Entry(0, self.clock.uuid(), known.session_id, known.id, "note", payload, label, 0, now)
            entries.insert_entry(connection, note)
            inbound.move_inbound(connection, [message.id for message in batch], "running", now, reason=f"late: {late}")
        open_order = None if order is None or order.rest else order
        info = _info(known, self._reply_to(batch))
        return Begun(info, starts, known.origin, session.meta, is_ended, known if is_ended else None, open_order)

    def _reply_to(self, batch: Batch) -> str | None:
        """Return the platform's id of the message that a reply quotes, None when it quotes none."""
        last, mode = batch[-1], self.outbox.reply_mode(batch[-1].address)
        is_of_platform = last.external_id != last.run_id
        is_quoted = (
            mode == "all" or (mode == "first" and last.kind == "group") or (mode == "batched" and len(batch) > 1)
        )
        return last.external_id if is_of_platform and is_quoted else None

    def steer(self, connection: Connection, batch: Batch, info: RunInfo) -> list[Entry] | None:
        """Store messages that came while a run goes on as part of it; None when the run has ended meanwhile."""
        run = runs.lock_run(connection, info.run_id)
        if run is None or run.state != "running":
            return None
        known = {message.id for message in inbound.select_by_run(connection, info.run_id)}
        new = [message for message in batch if message.id not in known]
        ids = [message.id for message in new]
        if ids:
            inbound.move_inbound(connection, ids, "running", self.clock.now_ms(), reason="steered", run_id=info.run_id)
        return [entries.insert_entry(connection, self._user_entry((message,), run, None)) for message in new]

    def _late(self, batch: Batch) -> str | None:
        """Return what must be said about a message that waited for longer than LATE_AFTER_MS, None for a fresh one.

        It may have waited here, or at a platform that keeps messages for who is away.
        """
        now, received_at = self.clock.now_ms(), batch[0].received_at
        sent_at = batch[0].sent_at
        if sent_at is not None and received_at - sent_at >= LATE_AFTER_MS:
            return f"sent {_age(now - sent_at)} ago, and kept by the platform meanwhile"
        if now - received_at < LATE_AFTER_MS:
            return None
        age = f"received {_age(now - received_at)} ago"
        return f"{age}, while I was offline" if received_at < self._opened_at else age

    def _new_run(self, message: InboundMessage, run_id: RunId, session: Session) -> Run:
        is_networked = self.outbox.needs_sending(message.address)
        return Run(
            id=run_id,
            agent_id=AgentId(message.agent_id or "main"),
            session_key=session.key,
            session_id=session.session_id,
            state="running",
            started_at=self.clock.now_ms(),
            origin=_origin(message) or {"kind": "channel"},
            address=message.address if is_networked else None,
        )

    def _user_entry(self, batch: Batch, run: Run, late: str | None, heard: Sequence[InboundMessage] = ()) -> Entry:
        first = batch[0]
        payload: dict[str, object] = {"text": text_of(batch), "stamp": self.stamp(first.received_at)}
        if late:
            payload["late"] = f"[{late}]"
        if heard:
            payload["heard"] = lines_of(heard)
        if first.kind == "group":
            payload["speaker"] = f"{first.sender_name or first.sender_id}:"
        payload["sender"] = {"id": first.sender_id, "name": first.sender_name}
        payload["channel"] = first.address.channel
        payload["key"] = run.id
        images = [image for message in batch for image in _list(message.payload.get("images"))]
        if images:
            payload["images"] = images
        label = join_all(message.label for message in (*batch, *heard))
        return Entry(0, self.clock.uuid(), run.session_id, run.id, "user", payload, label, 0, run.started_at)


def _first_words(order: Order | None, entry: Entry) -> Order | None:
    """Let the text behind `/new` be the first message of the new conversation."""
    if order is None or not order.rest:
        return order
    entry.payload["text"] = order.rest
    return None


def _reason(message: InboundMessage, late: str | None) -> str:
    marks = [f"late: {late}" if late else "", "shortened: too many waited" if is_shortened(message) else ""]
    return ", ".join(mark for mark in marks if mark)


def _info(run: Run, reply_to: str | None) -> RunInfo:
    origin = run.origin
    kind, requester = str(origin.get("kind") or "channel"), _requester(origin)
    return RunInfo(RunId(run.id), run.agent_id, run.session_key, run.session_id, kind, requester, run.address, reply_to)


def _requester(origin: dict[str, object]) -> Requester:
    return Requester(
        device_id=_text(origin.get("device_id")),
        conn_id=_text(origin.get("conn_id")),
        is_admin=bool(origin.get("admin")),
    )


def _origin(message: InboundMessage) -> dict[str, object]:
    origin = message.payload.get("origin")
    return dict(origin) if isinstance(origin, dict) else {}  # pyright: ignore[reportUnknownArgumentType]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]


def _age(milliseconds: int) -> str:
    hours = round(milliseconds / 3_600_000)
    return f"{hours} h" if hours < 48 else f"{round(hours / 24)} days"
