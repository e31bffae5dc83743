"""Runs as `agent` and `chat` events (reference 03), translated as they happen.

Everything here is synchronous: an event of the pipeline becomes frames in every outbox before the listener returns,
so their order is the order of the run.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from homarus.agent.events import (
    TextStreamed,
    ThinkingStreamed,
    ToolFinished,
    ToolProgressed,
    ToolStarted,
    TurnAborted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from homarus.clock import Clock
from homarus.gateway.hub import EventHub
from homarus.gateway.tool_events import ToolFrame, ToolView
from homarus.gateway.transcript import INJECTED_MODEL, is_silent, may_become_silent, usage_json, visible_text
from homarus.pipeline.contract import RunEvent, RunInfo
from homarus.protocol.events import AGENT, CHAT, SESSION_TOOL
from homarus.protocol.frames import JsonObject

DELTA_INTERVAL_MS: Final = 150
"""Least time between two `chat` deltas of a run (reference 03)."""
RECIPIENT_TTL_MS: Final = 10 * 60 * 1000
"""How long a connection gets the tool events of a run it started."""
MAX_RUNS: Final = 2000
"""Runs remembered at once; the oldest are forgotten first."""
MAX_HELD: Final = 2000
"""Events kept back for one run until its acknowledgement is out."""

_Snapshots = Callable[[RunInfo], JsonObject]


@dataclass(slots=True)
class _Run:
    """What is known of a run while it is told. `told` is the text of the last chat delta."""

    info: RunInfo
    seq: int = 0
    is_started: bool = False
    text: str = ""
    told: str = ""
    told_at: int = 0
    streamed: str = ""
    tools: dict[str, ToolView] = field(default_factory=dict[str, ToolView])


@dataclass(slots=True)
class _Watch:
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
        self._hub.broadcast(CHAT, {**payload, "message": message})

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
        run = self._runs.setdefault(event.run.run_id, _Run(event.run))
        while len(self._runs) > MAX_RUNS:
            self._runs.popitem(last=False)
        match event.event:
            case TurnStarted(started_at):
                self._start(run, started_at, event.at)
            case TextStreamed(text):
                self._stream(run, text, event.at)
            case ThinkingStreamed(text, delta):
                self._agent(run, "thinking", {"text": text, "delta": delta}, event.at)
            case ToolStarted() | ToolProgressed() | ToolFinished() as step:
                self._tool_step(run, step, event.at)
            case TurnFinished() as finished:
                self._finish(run, finished)
            case TurnAborted() as aborted:
                self._abort(run, aborted)
            case TurnFailed() as failed:
                self._fail(run, failed)

    def _start(self, run: _Run, started_at: int, at: int) -> None:
        """A run that begins again after a restart or a retry says its text anew."""
        run.text = run.streamed = run.told = ""
        run.is_started = True
        self._agent(run, "lifecycle", {"phase": "start", "startedAt": started_at}, at)

    def _stream(self, run: _Run, text: str, at: int) -> None:
        run.text = text
        if may_become_silent(text, run.info.run_id):
            return
        data: JsonObject = {"text": text, "delta": text[len(run.streamed) :]}
        if not text.startswith(run.streamed):
            data = {"text": text, "delta": "", "replace": True}
        run.streamed = text
        self._agent(run, "assistant", data, at)
        if at - run.told_at >= DELTA_INTERVAL_MS:
            self._flush(run, at)

    def _flush(self, run: _Run, at: int) -> None:
        """Send the text so far, unless it was sent already or may yet turn out silent."""
        text = visible_text(run.text)
        if not text or text == run.told or may_become_silent(text, run.info.run_id):
            return
        run.told, run.told_at = text, at
        payload = {**self._chat_head(run, "delta"), "message": _assistant(text, at)}
        self._hub.drop_deltas(CHAT, payload)

    def _tool_step(self, run: _Run, step: ToolStarted | ToolProgressed | ToolFinished, at: int) -> None:
        if isinstance(step, ToolStarted):
            self._flush(run, at)
            view = run.tools[step.call_id] = ToolView.of(step, at)
            self._frames(run, view.started(), at)
            return
        view = run.tools.get(step.call_id) or ToolView.unknown(step.call_id, step.name, at)
        if isinstance(step, ToolProgressed):
            self._frames(run, view.progressed(step.output), at)
        else:
            run.tools.pop(step.call_id, None)
            self._frames(run, view.finished(step, at), at)

    def _frames(self, run: _Run, frames: list[ToolFrame], at: int) -> None:
        for frame in frames:
            if frame.stream == "tool":
                self._tool(run, frame.data, at)
            else:
                self._agent(run, frame.stream, frame.data, at)

    def _tool(self, run: _Run, data: JsonObject, at: int) -> None:
        """Tool events go to those who asked for the run, and to those who watch all sessions."""
        watch = self._watches.get(run.info.run_id)
        now = self._clock.now_ms()
        recipients = [conn for conn, until in watch.recipients.items() if until > now] if watch is not None else []
        watchers = self._hub.session_watchers()
        body = self._agent_body(run, "tool", data, at)
        if not recipients and not watchers:
            return
        full = {**body, **self._snapshot(run.info)}
        self._hub.send_to(recipients, AGENT, full)
        self._hub.send_to(watchers, SESSION_TOOL, full)

    def _finish(self, run: _Run, finished: TurnFinished) -> None:
        at = finished.ended_at
        text = "" if is_silent(finished.text, run.info.run_id) else visible_text(finished.text)
        if not run.is_started:
            run.seq += 1
            self._end(run, stored_message(text, at) if text else None)
            return
        self._agent(run, "lifecycle", {"phase": "end", "endedAt": at}, at)
        run.text = finished.text
        self._flush(run, at)
        self._end(run, _assistant(text, at) if text else None)

    def _abort(self, run: _Run, aborted: TurnAborted) -> None:
        at = aborted.ended_at
        data: JsonObject = {"phase": "end", "endedAt": at, "aborted": True, "stopReason": aborted.reason}
        if run.is_started:
            self._agent(run, "lifecycle", data, at)
        text = "" if is_silent(aborted.text, run.info.run_id) else visible_text(aborted.text)
        watch = self._watches.get(run.info.run_id)
        run.seq += 1
        head = self._chat_head(run, "aborted")
        head["sessionKey"] = (watch.raw_key if watch else None) or run.info.session_key
        head["stopReason"] = aborted.reason
        if text:
            head["message"] = _assistant(text, at)
        self._close(run, head)

    def _fail(self, run: _Run, failed: TurnFailed) -> None:
        data: JsonObject = {"phase": "error", "error": failed.error, "endedAt": failed.ended_at}
        self._agent(run, "lifecycle", data, failed.ended_at)
        self._close(run, {**self._chat_head(run, "error"), "errorMessage": failed.error})

    def _end(self, run: _Run, message: JsonObject | None) -> None:
        head = self._chat_head(run, "final")
        if message is not None:
            head["message"] = message
        self._close(run, head)

    def _close(self, run: _Run, payload: JsonObject) -> None:
        self._hub.broadcast(CHAT, payload)
        self._runs.pop(run.info.run_id, None)
        self._watches.pop(run.info.run_id, None)

    def _agent(self, run: _Run, stream: str, data: JsonObject, at: int) -> None:
        self._hub.broadcast(AGENT, self._agent_body(run, stream, data, at))

    def _agent_body(self, run: _Run, stream: str, data: JsonObject, at: int) -> JsonObject:
        run.seq += 1
        return {
            "runId": run.info.run_id,
            "stream": stream,
            "data": data,
            "sessionKey": run.info.session_key,
            "seq": run.seq,
            "ts": at,
        }

    def _chat_head(self, run: _Run, state: str) -> JsonObject:
        return {"runId": run.info.run_id, "sessionKey": run.info.session_key, "seq": run.seq, "state": state}


def stored_message(text: str, at: int) -> JsonObject:
    """Return an assistant message that no model wrote, as clients know it."""
    return {
        **_assistant(text, at),
        "stopReason": "stop",
        "usage": usage_json(None),
        "api": "openai-responses",
        "provider": "homarus",
        "model": INJECTED_MODEL,
    }


def _assistant(text: str, at: int) -> JsonObject:
    return {"role": "assistant", "content": [{"type": "text", "text": text}], "timestamp": at}
