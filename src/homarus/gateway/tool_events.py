"""Tool calls as the streams clients know: `tool`, `item` and, for commands, `command_output`."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct, field

from homarus.agent.events import ToolFinished, ToolStarted
from homarus.protocol.frames import JsonObject

COMMAND_TOOLS: Final = frozenset({"exec", "bash", "shell", "process"})
MAX_META: Final = 200
MAX_OUTPUT: Final = 16 * 1024
"""Characters of output in one event; the transcript holds all of it."""
_META_ARGUMENTS: Final = ("path", "file", "query", "url", "name", "text")

Stream = Literal["tool", "item", "command_output"]
Phase = Literal["start", "update", "end"]


class ToolFrame(Struct, frozen=True):
    """One `agent` event of a tool call. `details` is what the tool says beside its output."""

    stream: Stream
    data: JsonObject
    details: JsonObject = field(default_factory=dict[str, object])


class ToolView(Struct, frozen=True):
    """A call while it goes on. `meta` says in a few words what it does; `started_at` in milliseconds."""

    call_id: str
    name: str
    meta: str
    started_at: int
    arguments: dict[str, object]

    @classmethod
    def of(cls, event: ToolStarted, at: int) -> ToolView:
        """Return the view of a call that begins."""
        return cls(event.call_id, event.name, describe(event.arguments), at, event.arguments)

    @classmethod
    def unknown(cls, call_id: str, name: str, at: int) -> ToolView:
        """Return the view of a call whose start was not seen, as after a restart."""
        return cls(call_id, name, "", at, {})

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the items a call shows as."""
        return ("tool", "command") if self.name in COMMAND_TOOLS else ("tool",)

    def started(self) -> list[ToolFrame]:
        """Return the events of a call that begins."""
        data: JsonObject = {"phase": "start", "name": self.name, "toolCallId": self.call_id, "args": self.arguments}
        items = [ToolFrame("item", {**self._item(kind, "start"), "startedAt": self.started_at}) for kind in self.kinds]
        return [ToolFrame("tool", data), *items]

    def progressed(self, output: str, cwd: str = "", pid: int = 0) -> list[ToolFrame]:
        """Return the events of live output; `output` is all there is so far, `cwd` where the call runs."""
        shown = output[-MAX_OUTPUT:]
        data: JsonObject = {"phase": "update", "name": self.name, "toolCallId": self.call_id}
        data["partialResult"] = _result(shown)
        live: JsonObject = {"sessionId": self.call_id, "startedAt": self.started_at, "cwd": cwd}
        live |= {"pid": pid} if pid else {}
        frames = [ToolFrame("tool", data, {**live, "tail": shown})]
        for kind in self.kinds:
            item = self._item(kind, "update")
            frames.append(ToolFrame("item", {**item, "progressText": shown} if kind == "command" else item))
        if "command" in self.kinds:
            frames.append(ToolFrame("command_output", {**self._output("delta", shown), "status": "running"}))
        return frames

    def finished(self, event: ToolFinished, at: int) -> list[ToolFrame]:
        """Return the events of a call that ended."""
        shown = event.output[:MAX_OUTPUT]
        exit_code = _exit_code(event.details)
        has_failed = event.is_error and exit_code is None
        status = "failed" if has_failed else "completed"
        data: JsonObject = {"phase": "result", "name": self.name, "toolCallId": self.call_id}
        if self.meta:
            data["meta"] = self.meta
        data |= {"isError": event.is_error, "result": _result(shown)}
        frames = [ToolFrame("tool", data, {"durationMs": event.duration_ms, **event.details})]
        for kind in self.kinds:
            item = {**self._item(kind, "end", status), "startedAt": self.started_at, "endedAt": at}
            if has_failed:
                item["error"] = shown[:MAX_META]
            if kind == "command":
                item["summary"] = shown
            frames.append(ToolFrame("item", item))
        if "command" in self.kinds:
            frames.append(ToolFrame("command_output", self._command_end(event, shown, status, exit_code)))
        return frames

    def _command_end(self, event: ToolFinished, shown: str, status: str, exit_code: int | None) -> JsonObject:
        data = {**self._output("end", shown), "status": status, "durationMs": event.duration_ms}
        if exit_code is not None:
            data["exitCode"] = exit_code
        cwd = event.details.get("cwd")
        if isinstance(cwd, str):
            data["cwd"] = cwd
        return data

    def _item(self, kind: str, phase: Phase, status: str = "running") -> JsonObject:
        item: JsonObject = {
            "itemId": f"{kind}:{self.call_id}",
            "phase": phase,
            "kind": kind,
            "title": self._title(kind),
            "status": status,
            "name": self.name,
        }
        if self.meta:
            item["meta"] = self.meta
        item["toolCallId"] = self.call_id
        return item

    def _output(self, phase: str, output: str) -> JsonObject:
        named = {"toolCallId": self.call_id, "name": self.name, "output": output}
        return {"itemId": f"command:{self.call_id}", "phase": phase, "title": self._title("command"), **named}

    def _title(self, kind: str) -> str:
        head = "command" if kind == "command" else self.name
        return f"{head} {self.meta}" if self.meta else head


def describe(arguments: dict[str, object]) -> str:
    """Return what a call does in a few words: its command, path or query."""
    command = arguments.get("command")
    if isinstance(command, str) and command.strip():
        return f"`{_line(command)}`"
    found = next((arguments[name] for name in _META_ARGUMENTS if isinstance(arguments.get(name), str)), "")
    return _line(str(found))


def _line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= MAX_META else f"{flat[: MAX_META - 1]}…"


def _result(text: str) -> JsonObject:
    return {"content": [{"type": "text", "text": text}]}


def _exit_code(details: dict[str, object]) -> int | None:
    code = details.get("exitCode", details.get("exit_code"))
    return code if isinstance(code, int) and not isinstance(code, bool) else None
