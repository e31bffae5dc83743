"""One run as events of protocol version 4: text in pieces, progress, and more facts (v4-differences §7 and §8)."""

from __future__ import annotations

from typing import ClassVar, Final, cast

from homarus.agent.events import ToolFinished, ToolProgressed, ToolStarted, TurnFailed, TurnFinished
from homarus.automation.heartbeat.reply import RUN_PREFIX
from homarus.gateway.delta import Delta
from homarus.gateway.run_failure import facts_of
from homarus.gateway.run_teller import RunTeller, assistant_message
from homarus.gateway.tool_events import COMMAND_TOOLS, ToolFrame, ToolView
from homarus.gateway.transcript import is_silent, may_become_silent, visible_text
from homarus.protocol.events import AGENT, CHAT
from homarus.protocol.frames import JsonObject, as_object
from homarus.protocol.versions import V4

TEXT_INTERVAL_MS: Final = 75
"""Least time between two pieces of text of a run."""

PREPARATION: Final = ("preparing_workspace", "preparing_context")
"""What a run did before it is told of: the files of the workspace and the transcript are read by then."""


class RunTellerV4(RunTeller):
    """Tells clients of version 4. `parts` counts the texts between tool calls, from 1."""

    version: ClassVar[int] = V4
    interval: ClassVar[int] = TEXT_INTERVAL_MS

    parts: int = 1
    is_dirty: bool = False
    must_replace: bool = False

    def start(self, started_at: int, at: int) -> None:
        """Tell that the run began and that its model is asked; what it said before it began again is replaced."""
        self.must_replace = bool(self.told)
        for phase in PREPARATION:
            self._tell_phase(phase, at)
        super().start(started_at, at)
        self._tell_phase("starting_model", at)

    def _tell_phase(self, phase: str, at: int) -> None:
        self.chat({**self.chat_head("status"), "phase": phase})
        self.agent("run_status", {"phase": phase}, at)

    def stream(self, text: str, at: int) -> None:
        """Take more text; what comes within the interval goes out with the next piece."""
        self.text = text
        self.is_dirty = True
        if at - self.told_at >= self.interval:
            self.flush(at)

    def flush(self, at: int) -> None:
        """Send the text that was not told yet, once as an agent event and once as a chat event."""
        self.is_dirty = False
        if self.text != self.streamed and not may_become_silent(self.text, self.info.run_id):
            self.assistant(self.text, at)
            self.told_at = at
        super().flush(at)

    def assistant(self, text: str, at: int) -> None:
        """Tell what was added to the text, in a form that slow clients get put together."""
        body = self.agent_body("assistant", self.assistant_data(text), at)
        delta = Delta(AGENT, f"{self.info.run_id}:assistant", body, _join_assistant)
        self.hub.stream(delta, self.info.session_key, self.version)

    def assistant_data(self, text: str) -> JsonObject:
        """Return the data of an assistant event, with the text it belongs to."""
        data = super().assistant_data(text)
        if self.must_replace:
            data |= {"delta": "", "replace": True}
        return {**data, "itemId": f"{self.info.run_id}:{self.parts}"}

    def chat_delta(self, text: str, at: int) -> JsonObject:
        """Return the payload of a chat delta: what was added, or with `replace` all of it."""
        payload: JsonObject = {**self.chat_head("delta"), "deltaText": text[len(self.told) :]}
        if self.must_replace or not text.startswith(self.told):
            payload |= {"deltaText": text, "replace": True}
            self.must_replace = False
        payload["message"] = assistant_message(text, at)
        return payload

    def chat_piece(self, payload: JsonObject) -> Delta:
        """Return a chat delta as something to stream: pieces that wait are put together."""
        return Delta(CHAT, f"{self.info.run_id}:chat", payload, join_chat)

    def finish(self, finished: TurnFinished) -> None:
        """Tell the rest of the text, then that the run ended well."""
        if self.is_started and not is_silent(finished.text, self.info.run_id):
            self.text = finished.text
            self.flush(finished.ended_at)
        super().finish(finished)

    def tool_step(self, step: ToolStarted | ToolProgressed | ToolFinished, at: int) -> None:
        """Tell of a step of a tool call; the text after it is another one."""
        super().tool_step(step, at)
        if isinstance(step, ToolStarted):
            self.parts += 1

    def tool_data(self, view: ToolView, frame: ToolFrame) -> JsonObject:
        """Return what a step looks like: commands are marked, and results say how they came about."""
        if view.name not in COMMAND_TOOLS:
            return frame.data
        if frame.stream == "tool":
            return _command_result(frame)
        if frame.stream == "item" and frame.data.get("kind") == "tool":
            return {**frame.data, "commandBearing": True}
        return frame.data

    def tool_watchers(self, watchers: frozenset[str], recipients: list[str]) -> frozenset[str]:
        """Return the session watchers that do not get the run's own tool events."""
        return watchers.difference(recipients)

    def end_data(self, finished: TurnFinished) -> JsonObject:
        """Return what the end of a run looks like."""
        visible = "" if is_silent(finished.text, self.info.run_id) else visible_text(finished.text)
        reply: JsonObject = {"disposition": "visible" if visible else "silent"}
        return {
            "phase": "end",
            "endedAt": finished.ended_at,
            "stopReason": finished.stop_reason,
            "aborted": False,
            "terminalReply": {**reply, "text": visible} if visible else reply,
        }

    def final_head(self, finished: TurnFinished) -> JsonObject:
        """Return the beginning of the last chat event."""
        return {**self.chat_head("final"), "stopReason": finished.stop_reason}

    def error_facts(self, failed: TurnFailed) -> JsonObject:
        """Return why a run failed, and which model at which provider did."""
        return facts_of(failed.failure)

    def agent_body(self, stream: str, data: JsonObject, at: int) -> JsonObject:
        """Return the payload of an agent event, with whose it is."""
        body = super().agent_body(stream, data, at)
        body["agentId"] = self.info.agent_id
        body["sessionId"] = self.info.session_id
        body["isHeartbeat"] = self.info.run_id.startswith(RUN_PREFIX)
        return body

    def chat_head(self, state: str) -> JsonObject:
        """Return the beginning of a chat event, with whose it is."""
        return {**super().chat_head(state), "agentId": self.info.agent_id}


def join_chat(earlier: JsonObject, later: JsonObject) -> JsonObject:
    """Return two chat deltas as one."""
    if later.get("replace"):
        return later
    joined = {**later, "deltaText": f"{earlier['deltaText']}{later['deltaText']}"}
    if earlier.get("replace"):
        joined["replace"] = True
    return joined


def _join_assistant(earlier: JsonObject, later: JsonObject) -> JsonObject:
    before, after = as_object(earlier["data"]) or {}, as_object(later["data"]) or {}
    if after.get("replace"):
        return later
    data: JsonObject = {**after, "delta": f"{before['delta']}{after['delta']}"}
    if before.get("replace"):
        # All text is in the event; a client that replaces must not add as well.
        data |= {"delta": "", "replace": True}
    return {**later, "data": data}


def _command_result(frame: ToolFrame) -> JsonObject:
    """Return a tool event of a command with what is known beside its output."""
    data = dict(frame.data)
    for name, status in (("partialResult", "running"), ("result", "completed")):
        shown = as_object(data.get(name))
        if shown is not None:
            data[name] = {**shown, "details": {"status": status, **frame.details, **_ending(name, shown, frame)}}
    if data.get("phase") == "result":
        data["commandBearing"] = True
    return data


def _ending(name: str, shown: JsonObject, frame: ToolFrame) -> JsonObject:
    """Return how a command ended: by itself, or by the limit of its time."""
    if name != "result":
        return {}
    texts = shown.get("content")
    parts = cast("list[JsonObject]", texts) if isinstance(texts, list) else []
    whole = "".join(str(part.get("text") or "") for part in parts)
    reason = "exit" if "exitCode" in frame.details else "timeout"
    return {"exitReason": reason, "aggregated": whole, "noOutputTimedOut": False}
