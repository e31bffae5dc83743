"""One run as `agent` and `chat` events of protocol version 3 (reference 03)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from msgspec import Struct, field

from homarus.agent.events import (
    AgentEvent,
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
from homarus.gateway.delta import Delta
from homarus.gateway.hub import EventHub, Shapes
from homarus.gateway.tool_events import ToolFrame, ToolView
from homarus.gateway.transcript import INJECTED_MODEL, is_silent, may_become_silent, usage_json, visible_text
from homarus.pipeline.contract import RunInfo
from homarus.protocol.events import AGENT, CHAT, SESSION_TOOL
from homarus.protocol.frames import JsonObject
from homarus.protocol.versions import V3, V4

DELTA_INTERVAL_MS: Final = 150
"""Least time between two `chat` deltas of a run (reference 03)."""


class RunView(Struct):
    """What is known of a run beside its own events.

    `raw_key` is its session as the client that asked wrote it, `recipients` returns who gets tool events, `snapshot`
    the session it belongs to.
    """

    info: RunInfo
    raw_key: Callable[[], str | None]
    recipients: Callable[[], list[str]]
    snapshot: Callable[[], JsonObject]


class RunTeller(Struct):
    """Tells clients of one version of one run. `told` is the text of the last chat delta, `told_at` when it was."""

    version: ClassVar[int] = V3
    interval: ClassVar[int] = DELTA_INTERVAL_MS

    hub: EventHub
    view: RunView
    seq: int = 0
    is_started: bool = False
    started_at: int = 0
    text: str = ""
    told: str = ""
    told_at: int = 0
    streamed: str = ""
    tools: dict[str, ToolView] = field(default_factory=dict[str, ToolView])

    @property
    def info(self) -> RunInfo:
        """Return which run this is."""
        return self.view.info

    def tell(self, event: AgentEvent, at: int) -> None:
        """Tell of an event; `at` in milliseconds."""
        match event:
            case TurnStarted(started_at):
                self.start(started_at, at)
            case TextStreamed(text):
                self.stream(text, at)
            case ThinkingStreamed(text, delta):
                self.agent("thinking", {"text": text, "delta": delta}, at)
            case ToolStarted() | ToolProgressed() | ToolFinished():
                self.tool_step(event, at)
            case TurnFinished():
                self.finish(event)
            case TurnAborted():
                self.abort(event)
            case TurnFailed():
                self.fail(event)

    def start(self, started_at: int, at: int) -> None:
        """A run that begins again after a restart or a retry says its text anew."""
        self.text = self.streamed = self.told = ""
        self.is_started, self.started_at = True, started_at
        self.agent("lifecycle", {"phase": "start", "startedAt": started_at}, at)

    def stream(self, text: str, at: int) -> None:
        """Tell of more text, and of all text so far when the last time is long enough ago."""
        self.text = text
        if may_become_silent(text, self.info.run_id):
            return
        self.assistant(text, at)
        if at - self.told_at >= self.interval:
            self.flush(at)

    def assistant(self, text: str, at: int) -> None:
        """Tell what was added to the text."""
        self.agent("assistant", self.assistant_data(text), at)

    def assistant_data(self, text: str) -> JsonObject:
        """Return what the text is now and what was added since it was told last."""
        data: JsonObject = {"text": text, "delta": text[len(self.streamed) :]}
        if not text.startswith(self.streamed):
            data = {"text": text, "delta": "", "replace": True}
        self.streamed = text
        return data

    def flush(self, at: int) -> None:
        """Send the text so far, unless it was sent already or may yet turn out silent."""
        text = visible_text(self.text)
        if not text or text == self.told or may_become_silent(text, self.info.run_id):
            return
        payload = self.chat_delta(text, at)
        self.told, self.told_at = text, at
        self.hub.stream(self.chat_piece(payload), self.info.session_key, self.version)

    def chat_piece(self, payload: JsonObject) -> Delta:
        """Return a chat delta as something to stream: each holds all text, so the latest is enough."""
        return Delta(CHAT, self.info.run_id, payload, lambda _earlier, later: later)

    def chat_delta(self, text: str, at: int) -> JsonObject:
        """Return the payload of a chat delta."""
        return {**self.chat_head("delta"), "message": assistant_message(text, at)}

    def tool_step(self, step: ToolStarted | ToolProgressed | ToolFinished, at: int) -> None:
        """Tell of a step of a tool call, after the text before it."""
        if isinstance(step, ToolStarted):
            self.flush(at)
            view = self.tools[step.call_id] = ToolView.of(step, at)
            self._frames(view, view.started(), at)
            return
        view = self.tools.get(step.call_id) or ToolView.unknown(step.call_id, step.name, at)
        if isinstance(step, ToolProgressed):
            self._frames(view, view.progressed(step.output, step.cwd, step.pid), at)
        else:
            self.tools.pop(step.call_id, None)
            self._frames(view, view.finished(step, at), at)

    def _frames(self, view: ToolView, frames: list[ToolFrame], at: int) -> None:
        for frame in frames:
            data = self.tool_data(view, frame)
            if frame.stream == "tool":
                self._tool(data, at)
            else:
                self.agent(frame.stream, data, at)

    def tool_data(self, view: ToolView, frame: ToolFrame) -> JsonObject:  # noqa: ARG002 - later versions look at the call
        """Return what a step of a tool call looks like."""
        return frame.data

    def _tool(self, data: JsonObject, at: int) -> None:
        """Tool events go to those who asked for the run, and to those who watch all sessions."""
        body = self.agent_body("tool", data, at)
        recipients, watchers = self.view.recipients(), self.hub.session_watchers()
        if not recipients and not watchers:
            return
        full = self.shaped({**body, **self.view.snapshot()})
        self.hub.send_to(recipients, AGENT, full)
        self.hub.send_to(self.tool_watchers(watchers, recipients), SESSION_TOOL, full)

    def tool_watchers(self, watchers: frozenset[str], recipients: list[str]) -> frozenset[str]:  # noqa: ARG002 - see above
        """Return which session watchers hear of tools."""
        return watchers

    def finish(self, finished: TurnFinished) -> None:
        """Tell that the run ended well."""
        at = finished.ended_at
        text = "" if is_silent(finished.text, self.info.run_id) else visible_text(finished.text)
        if not self.is_started:
            self.seq += 1
            self._end(finished, stored_message(text, at) if text else None)
            return
        self.agent("lifecycle", self.end_data(finished), at)
        self.text = finished.text
        self.flush(at)
        self._end(finished, assistant_message(text, at) if text else None)

    def end_data(self, finished: TurnFinished) -> JsonObject:
        """Return what the end of a run looks like."""
        return {"phase": "end", "endedAt": finished.ended_at}

    def abort(self, aborted: TurnAborted) -> None:
        """Tell that the run was stopped."""
        at = aborted.ended_at
        data: JsonObject = {"phase": "end", "endedAt": at, "aborted": True, "stopReason": aborted.reason}
        if self.is_started:
            self.agent("lifecycle", data, at)
        text = "" if is_silent(aborted.text, self.info.run_id) else visible_text(aborted.text)
        self.seq += 1
        head = self.chat_head("aborted")
        head["sessionKey"] = self.view.raw_key() or self.info.session_key
        head["stopReason"] = aborted.reason
        if text:
            head["message"] = assistant_message(text, at)
        self.chat(head)

    def fail(self, failed: TurnFailed) -> None:
        """Tell that the run failed."""
        self.agent("lifecycle", {"phase": "error", "error": failed.error, "endedAt": failed.ended_at}, failed.ended_at)
        self.chat({**self.chat_head("error"), "errorMessage": failed.error, **self.error_facts(failed)})

    def error_facts(self, failed: TurnFailed) -> JsonObject:  # noqa: ARG002 - later versions say why
        """Return what is told of a failure beside its message."""
        return {}

    def _end(self, finished: TurnFinished, message: JsonObject | None) -> None:
        head = self.final_head(finished)
        if message is not None:
            head["message"] = message
        self.chat(head)

    def final_head(self, finished: TurnFinished) -> JsonObject:  # noqa: ARG002 - later versions look at how it ended
        """Return the beginning of the last chat event."""
        return self.chat_head("final")

    def chat(self, payload: JsonObject) -> None:
        """Send a chat event that must not be lost."""
        self.hub.broadcast(CHAT, self.shaped(payload), session=self.info.session_key)

    def agent(self, stream: str, data: JsonObject, at: int) -> None:
        """Send an agent event to everybody who may have it."""
        self.hub.broadcast(AGENT, self.shaped(self.agent_body(stream, data, at)), session=self.info.session_key)

    def agent_body(self, stream: str, data: JsonObject, at: int) -> JsonObject:
        """Return the payload of an agent event, with the run's next number."""
        self.seq += 1
        return {
            "runId": self.info.run_id,
            "stream": stream,
            "data": data,
            "sessionKey": self.info.session_key,
            "seq": self.seq,
            "ts": at,
        }

    def chat_head(self, state: str) -> JsonObject:
        """Return the beginning of a chat event."""
        return {"runId": self.info.run_id, "sessionKey": self.info.session_key, "seq": self.seq, "state": state}

    def shaped(self, payload: JsonObject) -> Shapes:
        """Return an event that only clients of this version get."""
        return Shapes(None, payload) if self.version >= V4 else Shapes(payload, None)


def stored_message(text: str, at: int) -> JsonObject:
    """Return an assistant message that no model wrote, as clients know it."""
    return {
        **assistant_message(text, at),
        "stopReason": "stop",
        "usage": usage_json(None),
        "api": "openai-responses",
        "provider": "homarus",
        "model": INJECTED_MODEL,
    }


def assistant_message(text: str, at: int) -> JsonObject:
    """Return an assistant message as runs stream it."""
    return {"role": "assistant", "content": [{"type": "text", "text": text}], "timestamp": at}
