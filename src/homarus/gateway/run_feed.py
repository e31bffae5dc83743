"""Runs as `agent` and `chat` events (reference 03), translated as they happen.

Everything here is synchronous: an event of the pipeline becomes frames in every outbox before the listener returns,
so their order is the order of the run.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

from msgspec import Struct, field

from homarus.agent.events import TurnAborted, TurnFailed, TurnFinished
from homarus.clock import Clock
from homarus.gateway.hub import EventHub
from homarus.gateway.run_teller import RunTeller, RunView
from homarus.gateway.run_teller_v4 import TEXT_INTERVAL_MS, RunTellerV4
from homarus.gateway.transcript import may_become_silent, visible_text
from homarus.pipeline.contract import RunEvent, RunInfo
from homarus.protocol.events import CHAT
from homarus.protocol.frames import JsonObject

RECIPIENT_TTL_MS: Final = 10 * 60 * 1000
"""How long a connection gets the tool events of a run it started."""
MAX_RUNS: Final = 2000
"""Runs remembered at once; the oldest are forgotten first."""
MAX_HELD: Final = 2000
"""Events kept back for one run until its acknowledgement is out."""

_Snapshots = Callable[[RunInfo], JsonObject]


class _Run(Struct, frozen=True):
    """A run while it is told, in each version of the protocol."""

    v3: RunTeller
    v4: RunTellerV4

    def tell(self, event: RunEvent) -> None:
        """Tell of an event in every version."""
        self.v3.tell(event.event, event.at)
        self.v4.tell(event.event, event.at)


class _Watch(Struct):
    """A run that a client asked for: the key as it wrote it, who gets tool events, and events held back."""

    raw_key: str | None = None
    recipients: dict[str, int] = field(default_factory=dict[str, int])
    held: deque[RunEvent] | None = None


class RunFeed:
    """Listens to runs and tells the hub."""

    def __init__(self, hub: EventHub, clock: Clock, snapshot: _Snapshots) -> None:
        self._hub = hub
        self._clock = clock
        self._snapshot = snapshot
        self._runs: OrderedDict[str, _Run] = OrderedDict()
        self._watches: OrderedDict[str, _Watch] = OrderedDict()
        self._dirty: dict[str, RunTellerV4] = {}
        self._wake = asyncio.Event()

    def hold(self, run_id: str, raw_key: str | None = None) -> Callable[[], None]:
        """Keep the events of a run back until the returned function is called: its acknowledgement goes first."""
        watch = self._watch(run_id)
        watch.raw_key = raw_key or watch.raw_key
        if watch.held is None:
            watch.held = deque(maxlen=MAX_HELD)
        return lambda: self._release(run_id)

    def add_tool_recipient(self, run_id: str, conn_id: str) -> None:
        """Send a connection the tool events of a run."""
        self._watch(run_id).recipients[conn_id] = self._clock.now_ms() + RECIPIENT_TTL_MS

    def forget(self, conn_id: str) -> None:
        """Send a connection that left nothing more."""
        for watch in self._watches.values():
            watch.recipients.pop(conn_id, None)

    def listen(self, event: RunEvent) -> None:
        """Tell clients of an event of a run; the pipeline's listener."""
        watch = self._watches.get(event.run.run_id)
        if watch is not None and watch.held is not None:
            watch.held.append(event)
        else:
            self._tell(event)

    def tell_injected(self, session_key: str, message_id: str, message: JsonObject) -> None:
        """Tell clients of an assistant message that no run wrote."""
        payload = {"runId": f"inject-{message_id}", "sessionKey": session_key, "seq": 0, "state": "final"}
        self._hub.broadcast(CHAT, {**payload, "message": message}, session=session_key)

    def in_flight(self, session_key: str) -> JsonObject | None:
        """Return what the run of a session has said so far, None when none goes on."""
        for run in reversed(self._runs.values()):
            teller = run.v4
            if teller.info.session_key == session_key and teller.is_started:
                text = "" if may_become_silent(teller.text, teller.info.run_id) else visible_text(teller.text)
                return {"runId": teller.info.run_id, "text": text, "startedAt": teller.started_at}
        return None

    async def run(self) -> None:
        """Send text whose interval is over although no more came; otherwise a pause would hold it back."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._dirty:
                due = min(teller.told_at for teller in self._dirty.values()) + TEXT_INTERVAL_MS
                await self._clock.sleep(max(due - self._clock.now_ms(), 1) / 1000)
                self.flush()

    def flush(self) -> None:
        """Send text that waits for the next piece."""
        dirty, self._dirty = self._dirty, {}
        now = self._clock.now_ms()
        for run_id, teller in dirty.items():
            if not teller.is_dirty or run_id not in self._runs:
                continue
            if now - teller.told_at >= TEXT_INTERVAL_MS:
                teller.flush(now)
            else:
                self._dirty[run_id] = teller

    def _release(self, run_id: str) -> None:
        watch = self._watches.get(run_id)
        if watch is None or watch.held is None:
            return
        held, watch.held = watch.held, None
        for event in held:
            self._tell(event)

    def _watch(self, run_id: str) -> _Watch:
        watch = self._watches.setdefault(run_id, _Watch())
        while len(self._watches) > MAX_RUNS:
            self._watches.popitem(last=False)
        return watch

    def _tell(self, event: RunEvent) -> None:
        run_id = event.run.run_id
        run = self._runs.get(run_id)
        if run is None:
            run = self._runs[run_id] = self._run_of(event.run)
            while len(self._runs) > MAX_RUNS:
                self._runs.popitem(last=False)
        run.tell(event)
        if isinstance(event.event, (TurnFinished, TurnAborted, TurnFailed)):
            self._runs.pop(run_id, None)
            self._watches.pop(run_id, None)
        elif run.v4.is_dirty:
            self._dirty[run_id] = run.v4
            self._wake.set()

    def _run_of(self, info: RunInfo) -> _Run:
        view = RunView(info, lambda: self._raw_key(info), lambda: self._recipients(info), lambda: self._snapshot(info))
        return _Run(RunTeller(self._hub, view), RunTellerV4(self._hub, view))

    def _raw_key(self, info: RunInfo) -> str | None:
        watch = self._watches.get(info.run_id)
        return None if watch is None else watch.raw_key

    def _recipients(self, info: RunInfo) -> list[str]:
        watch = self._watches.get(info.run_id)
        now = self._clock.now_ms()
        return [] if watch is None else [conn for conn, until in watch.recipients.items() if until > now]
