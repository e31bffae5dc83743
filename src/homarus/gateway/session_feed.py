"""Session events for those who subscribed: `sessions.changed` and `session.message` (reference 03).

They need the database, so they are made by one worker behind a bounded queue; on an idle gateway, or while nobody
subscribed, nothing is read.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from homarus.agent.events import ToolFinished, ToolStarted, TurnAborted, TurnFailed, TurnFinished, TurnStarted
from homarus.errors import HomarusError
from homarus.gateway.hub import EventHub, Shapes, widened
from homarus.gateway.services import Services
from homarus.gateway.session_rows import model_defaults, session_row, snapshot_fields
from homarus.gateway.transcript import is_owners, message_of
from homarus.pipeline.contract import RunEvent, RunInfo
from homarus.protocol.events import SESSION_MESSAGE, SESSIONS_CHANGED
from homarus.protocol.frames import JsonObject
from homarus.protocol.versions import V4
from homarus.sessions.keys import SessionKey, parse_key
from homarus.storage.records import Entry, Session

log = logging.getLogger("homarus.gateway.sessions")

MAX_WAITING: Final = 1000
"""Changes that may wait; the oldest are dropped first, clients ask for the list anyway."""
MAX_SESSIONS: Final = 1000
_RECENT: Final = 50
_FRESH = ("new", "reset")
"""Reasons after which clients are told that nothing was used yet."""
_RUN_FIELDS: Final = frozenset({"status", "startedAt", "endedAt", "runtimeMs"})


class _Change(Struct, frozen=True):
    """Something happened to a session. `reason` for operations; `phase` and `run` for runs."""

    key: str
    at: int
    reason: str | None = None
    phase: str | None = None
    run: RunInfo | None = None
    status: str | None = None
    is_gone: bool = False


class SessionFeed:
    """Tells subscribers of changed sessions and new messages. `run` belongs to the gateway's task group."""

    def __init__(self, services: Services, hub: EventHub) -> None:
        self._services = services
        self._hub = hub
        self._waiting: deque[_Change] = deque(maxlen=MAX_WAITING)
        self._wake = asyncio.Event()
        self._rows: OrderedDict[str, JsonObject] = OrderedDict()
        self._told: OrderedDict[str, int] = OrderedDict()

    def changed(self, key: SessionKey, reason: str, *, is_gone: bool = False) -> None:
        """Tell that an operation changed a session."""
        self._put(_Change(str(key), self._services.clock.now_ms(), reason=reason, is_gone=is_gone))

    def listen(self, event: RunEvent) -> None:
        """Tell of a run's steps; the pipeline's listener."""
        key = event.run.session_key
        match event.event:
            case TurnStarted():
                self._put(_Change(key, event.at, phase="start", run=event.run, status="running"))
            case ToolStarted() | ToolFinished():
                self._put(_Change(key, event.at, run=event.run))
            case TurnFinished():
                self._put(_Change(key, event.at, phase="end", run=event.run, status="done"))
            case TurnAborted():
                self._put(_Change(key, event.at, phase="end", run=event.run, status="killed"))
            case TurnFailed():
                self._put(_Change(key, event.at, phase="error", run=event.run, status="failed"))
            case _:
                pass

    def snapshot(self, run: RunInfo) -> JsonObject:
        """Return the session of a run as last seen, for tool events; it may be older than the run."""
        row = self._rows.get(run.session_key) or self._remember(_new_session(run, self._services.clock.now_ms()))
        return {"session": row, **snapshot_fields(row)}

    async def prepare(self, key: SessionKey) -> None:
        """Read a session whose tool events somebody will get."""
        session = await self._services.sessions.get(key)
        if session is not None:
            self._remember(session)

    async def run(self) -> None:
        """Tell of changes as they come."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                change = self._waiting.popleft()
                try:
                    await self._tell(change)
                except HomarusError as error:
                    log.warning("session event of %s lost: %s", change.key, error.message)

    def _put(self, change: _Change) -> None:
        if self._hub.has_session_watchers or change.key in self._rows:
            self._waiting.append(change)
            self._wake.set()

    async def _tell(self, change: _Change) -> None:
        key = parse_key(change.key)
        session = None if change.is_gone else await self._services.sessions.get(key)
        if session is None:
            self._rows.pop(change.key, None)
            self._send_change(key, {"sessionKey": change.key, "reason": change.reason or "delete", "ts": change.at})
            return
        before = self._rows.get(change.key)
        if change.status is not None:
            session = _at_phase(session, change)
        row = self._remember(session)
        if change.run is not None:
            earlier = before if change.phase == "start" and before is not None else row
            await self._tell_messages(session, change.run, _before_run(earlier))
        fields = snapshot_fields(row)
        if change.reason in _FRESH:
            fields |= {"inputTokens": session.input_tokens, "outputTokens": session.output_tokens}
        if change.reason == "compact":
            fields["compacted"] = True
        if change.reason is not None:
            head = {"sessionKey": change.key, "reason": change.reason, "ts": change.at}
            self._send_change(key, {**head, **fields}, row)
        elif change.phase is not None and change.run is not None:
            head = {"sessionKey": change.key, "phase": change.phase, "runId": change.run.run_id, "ts": change.at}
            self._send_change(key, {**head, "session": row, **fields})

    async def _tell_messages(self, session: Session, run: RunInfo, row: JsonObject) -> None:
        watchers = self._hub.message_watchers(session.key)
        if not watchers:
            return
        entries = await self._services.sessions.entries(run.session_id, _RECENT)
        last = self._told.get(run.run_id, 0)
        fields = snapshot_fields(row)
        for entry in entries:
            if entry.run_id != run.run_id or entry.seq <= last:
                continue
            last = entry.seq
            head = {"sessionKey": session.key, "messageId": entry.id, "messageSeq": entry.seq}
            self._hub.send_to(
                watchers, SESSION_MESSAGE, _message_event(session, entry, {**head, "session": row, **fields})
            )
            told = {"sessionKey": session.key, "phase": "message", "ts": entry.created_at, **head}
            self._send_change(parse_key(session.key), {**told, "session": row, **fields})
        self._told[run.run_id] = last
        while len(self._told) > MAX_SESSIONS:
            self._told.popitem(last=False)

    def _send_change(self, key: SessionKey, payload: JsonObject, row: JsonObject | None = None) -> None:
        """Tell who watches sessions; `row` is the session where only version 4 is told it."""
        more: JsonObject = {"agentId": key.agent_id}
        if row is not None:
            more["session"] = row
        self._hub.send_to(self._hub.session_watchers(), SESSIONS_CHANGED, widened(payload, **more))

    def _remember(self, session: Session) -> JsonObject:
        row = session_row(session, model_defaults(self._services))
        self._rows[session.key] = row
        self._rows.move_to_end(session.key)
        while len(self._rows) > MAX_SESSIONS:
            self._rows.popitem(last=False)
        return row


def _new_session(run: RunInfo, now: int) -> Session:
    """Return the row of a session whose stored one was not read yet."""
    key = parse_key(run.session_key)
    channel = run.address.channel if run.address is not None else key.channel
    return Session(run.session_key, key.agent_id, run.session_id, key.kind, now, now, channel, run.address)


def _message_event(session: Session, entry: Entry, payload: JsonObject) -> Shapes:
    """Return the event of a new message; version 4 is also told whether its owner wrote it."""
    more: JsonObject = {"agentId": session.agent_id, "message": message_of(entry, V4)}
    if entry.type == "user":
        more["senderIsOwner"] = is_owners(entry)
    return widened({**payload, "message": message_of(entry)}, **more)


def _before_run(row: JsonObject) -> JsonObject:
    """Return the row messages of a run are shown with: a run that goes on is told by its own events."""
    if row.get("status") != "running":
        return row
    return {name: value for name, value in row.items() if name not in _RUN_FIELDS}


def _at_phase(session: Session, change: _Change) -> Session:
    """Return the session as it stands at a phase of a run, whichever of the two was stored first."""
    if change.phase == "start":
        return replace(session, status="running", started_at=session.started_at or change.at, ended_at=None)
    started = min(session.started_at or change.at, change.at)
    return replace(session, status=change.status, started_at=started, ended_at=change.at)
