"""The journal of runs: begin, entries, and the one commit that ends a run with everything that follows from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from homarus.agent.usage import usage_json
from homarus.clock import Clock
from homarus.ids import AgentId, RunId
from homarus.labels import Label, join_all
from homarus.meter import Meter
from homarus.models.contract import Usage
from homarus.pipeline.attachments import Attached, attached_by
from homarus.pipeline.batch_text import PREVIEW, preview_of, text_of, title_of
from homarus.pipeline.collected_files import FileCollector, with_files
from homarus.pipeline.contract import Requester, RunInfo
from homarus.pipeline.error_replies import ErrorReplies
from homarus.pipeline.lanes import Batch, is_shortened
from homarus.pipeline.orders import Order
from homarus.pipeline.outbox import Outbox, is_silent, part_key
from homarus.pipeline.overheard import Overheard, lines_of
from homarus.pipeline.run_usage import count_usage
from homarus.pipeline.session_rules import SessionRules
from homarus.sessions.keys import parse_key
from homarus.sessions.store import new_session
from homarus.storage import entries, inbound, outbound, runs, sessions
from homarus.storage.database import Connection, Database
from homarus.storage.records import Entry, EntryType, InboundMessage, Run, Session

LATE_AFTER_MS = 6 * 3_600_000
"""A message that waited longer is answered with a mark, because what it asks may be over by now."""
APOLOGY = "I could not finish this: {error}\nYour message is kept; send it again or ask me to try again."
TOO_LONG = "it took longer than it may"
Stamp = Callable[[int], str]


class Begun(Struct, frozen=True):
    """A run that may go on: its row and how often it has begun.

    `origin` is what the caller asked for, `settings` what the session has stored (thinkingLevel, modelOverride ...).
    `is_ended` tells that there is nothing left to do: the run ended in a commit whose answer got lost, or it was
    taken up already with another of its messages; `order` that it is answered without a model.
    """

    info: RunInfo
    starts: int
    origin: dict[str, object]
    settings: dict[str, object]
    is_ended: bool = False
    order: Order | None = None


class RunStore:
    """Begins runs and opens their journals."""

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

    def journal(self, begun: Begun) -> RunJournal:
        """Return the journal of a run that has begun."""
        return RunJournal(self, begun)

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
        return Begun(info, starts, known.origin, session.meta, is_ended=is_ended, order=open_order)

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
        """Return what must be said about a message that waited for longer than LATE_AFTER_MS, None for a fresh one."""
        received_at = batch[0].received_at
        waited = self.clock.now_ms() - received_at
        if waited < LATE_AFTER_MS:
            return None
        hours = round(waited / 3_600_000)
        age = f"received {hours} h ago" if hours < 48 else f"received {round(hours / 24)} days ago"
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


class RunJournal:
    """The transcript of one run; implements homarus.agent.loop.Journal."""

    def __init__(self, store: RunStore, begun: Begun) -> None:
        self._store = store
        self._begun = begun
        self._info = begun.info
        self._has_tools = begun.starts > 1
        self._ahead: Sequence[Entry] | None = None

    async def read_ahead(self) -> None:
        """Read the transcript that the next `entries` returns, while there is something else to wait for."""
        self._ahead = await self.entries()

    async def entries(self) -> Sequence[Entry]:
        """Return the transcript of the session so far."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            return ahead
        return await self._store.database.read(entries.select_entries, self._info.session_id, None)

    async def append(self, entry_type: EntryType, payload: dict[str, object], label: Label) -> Entry:
        """Store one entry of this run."""
        self._has_tools = self._has_tools or entry_type == "tool_result"
        return await self._store.database.write(entries.insert_entry, self._entry(entry_type, payload, label))

    async def take_steering(self) -> Sequence[Entry]:
        """Store waiting messages that the queue mode lets into this run, and return their entries."""
        batch = self._store.steering(self._info)
        if not batch:
            return ()
        storing = asyncio.ensure_future(self._steer(batch))
        try:
            found = await asyncio.shield(storing)
        except BaseException:
            # Who ends the run must find the messages either with it or waiting, never on their way in between.
            await asyncio.wait((storing,))
            if storing.cancelled() or storing.exception() is not None or storing.result() is None:
                self._store.put_back(self._info.session_key, batch)
            raise
        if found is None:
            self._store.put_back(self._info.session_key, batch)
        return found or ()

    async def _steer(self, batch: Batch) -> list[Entry] | None:
        batch = await with_files(batch, self._store.collector)
        return await self._store.database.write(self._store.steer, batch, self._info)

    async def finish(self, payload: dict[str, object], label: Label, used: Usage) -> None:
        """Store the final response, the run's end, its parts and the state of its messages in one commit."""
        end = self._end("done", str(payload.get("text") or ""), payload, used)
        began = self._store.clock.monotonic()
        await self._store.database.write(self._close, end, self._entry("assistant", payload, label))
        self._store.meter.stages["commit"].observe(self._store.clock.monotonic() - began)

    async def fail(self, error: str, payload: dict[str, object], label: Label, used: Usage) -> None:
        """Store that the run failed and tell the user."""
        end = replace(self._end("failed", APOLOGY.format(error=error), payload, used), error=error)
        await self._store.database.write(self._close, end, self._entry("assistant", payload, label))

    async def give_up(self, error: str, partial: str) -> None:
        """Store that the run could not even go on."""
        label = join_all(entry.label for entry in await self.entries())
        await self.fail(error, {"text": partial, "error": error, "stop_reason": "error"}, label, Usage())

    async def abort(self, reason: str, partial: str) -> bool:
        """Store that the owner stopped the run; what was said so far stays. False when it had ended already."""
        label = join_all(entry.label for entry in await self.entries())
        payload: dict[str, object] = {"text": partial, "stop_reason": "aborted", "aborted": reason}
        end = replace(self._end("aborted", "", payload, Usage()), stop_reason=reason)
        if reason == "timeout" and self._info.address is not None:
            # Nobody in a chat asked for this end, so it must not pass in silence.
            end = replace(end, text=APOLOGY.format(error=TOO_LONG), error=TOO_LONG)
        return await self._store.database.write(self._close, end, self._entry("assistant", payload, label))

    def _entry(self, entry_type: EntryType, payload: dict[str, object], label: Label) -> Entry:
        info, clock = self._info, self._store.clock
        return Entry(0, clock.uuid(), info.session_id, info.run_id, entry_type, payload, label, 0, clock.now_ms())

    def _end(self, state: str, text: str, payload: dict[str, object], used: Usage) -> Run:
        info = self._info
        provider, model = payload.get("provider"), payload.get("model")
        return Run(
            id=info.run_id,
            agent_id=info.agent_id,
            session_key=info.session_key,
            session_id=info.session_id,
            state=state,
            started_at=0,
            origin={},
            text=text,
            stop_reason=str(payload.get("stop_reason") or "stop"),
            model=f"{provider}/{model}" if provider and model else None,
            usage=usage_json(used),
            ended_at=self._store.clock.now_ms(),
        )

    def _close(self, connection: Connection, end: Run, entry: Entry) -> bool:
        now = end.ended_at or 0
        known = runs.lock_run(connection, end.id)
        if known is None or known.state != "running":
            return False
        files = self._files(connection, end)
        if files:
            entry.payload["files"] = [item.file.as_json() for item in files]
        entries.insert_entry(connection, entry)
        messages = inbound.select_by_run(connection, end.id)
        if self._is_hidden(connection, messages, end):
            end = replace(end, text="")
        runs.end_run(connection, end)
        sessions.note_end(connection, end, str(entry.payload.get("text") or "")[:PREVIEW])
        count_usage(connection, end, now)
        self._settle(connection, end, now, files, [message.id for message in messages])
        return True

    def _is_hidden(self, connection: Connection, messages: Sequence[InboundMessage], end: Run) -> bool:
        """Tell whether the chat is not told how its run ended."""
        errors, address = self._store.error_replies, self._info.address
        if errors is None or address is None or end.error is None or not messages:
            return False
        return errors.is_hidden(connection, replace(messages[-1], address=address), end)

    def _files(self, connection: Connection, end: Run) -> list[Attached]:
        """Return the files that go with the reply: those its tools marked, of a run that came to its end."""
        if not self._has_tools or end.state != "done":
            return []
        return attached_by(entries.select_steps(connection, end.session_id, end.id))

    def _settle(
        self, connection: Connection, end: Run, now: int, files: Sequence[Attached], ids: Sequence[str]
    ) -> None:
        """Store the parts of the reply and move the answered messages on."""
        if not ids:
            return
        address, is_hidden = self._info.address, end.error is not None and not end.text
        parts = self._store.outbox.parts(end.id, address, end.text, self._info.reply_to, files) if address else []
        if parts and end.error is not None and self._store.error_replies is not None:
            manner = self._store.error_replies.manner(parts[0].address)
            parts = [replace(part, manner=manner) for part in parts]
        if address is not None and (end.state == "done" or is_hidden) and all(part.part_index for part in parts):
            outbound.withdraw_preview(connection, part_key(end.id, address, 0), now)
        if parts:
            outbound.insert_parts(connection, parts)
            inbound.move_inbound(connection, ids, "replied", now, reason=f"{len(parts)} part(s)")
        elif is_hidden:
            inbound.move_inbound(connection, ids, "failed", now, reason=f"user not told (errorPolicy): {end.error}")
        elif end.state == "aborted":
            inbound.move_inbound(connection, ids, "silent", now, reason=f"aborted: {end.stop_reason}")
        elif is_silent(end.text) and not files:
            inbound.move_inbound(connection, ids, "silent", now, reason="nothing to say")
        elif end.state == "failed":
            inbound.move_inbound(connection, ids, "failed", now, reason=f"user told: {end.error}")
        else:
            inbound.move_inbound(connection, ids, "delivered", now, reason="transcript")


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
    requester = Requester(
        device_id=_text(origin.get("device_id")),
        conn_id=_text(origin.get("conn_id")),
        is_admin=bool(origin.get("admin")),
    )
    kind = str(origin.get("kind") or "channel")
    return RunInfo(RunId(run.id), run.agent_id, run.session_key, run.session_id, kind, requester, run.address, reply_to)


def _origin(message: InboundMessage) -> dict[str, object]:
    origin = message.payload.get("origin")
    return dict(origin) if isinstance(origin, dict) else {}  # pyright: ignore[reportUnknownArgumentType]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]
