"""The agent loop: ask the model, run the tools it calls, again until it answers.

Every model response and every tool result is committed through the Journal before the next step begins, so a restart
resumes from the transcript. Expected failures end the turn with an event; only cancellation (the abort) passes through.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, cast

from msgspec import Struct
from msgspec.structs import replace

from homarus.agent.context import Fitted, fit
from homarus.agent.events import (
    AgentEvent,
    TextStreamed,
    ThinkingStreamed,
    ToolFinished,
    ToolProgressed,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from homarus.agent.request import UNKNOWN_OUTCOME, build_messages, unanswered_calls
from homarus.agent.usage import add_usage, usage_json
from homarus.clock import Clock
from homarus.failpoints import Failpoint, hit
from homarus.ids import Address, AgentId, RunId
from homarus.labels import Label, join_all
from homarus.models.contract import (
    Completed,
    Failed,
    FailureKind,
    Model,
    ModelInfo,
    ModelRequest,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolSpec,
    Usage,
)
from homarus.storage.records import Entry, EntryType
from homarus.tools.contract import ToolContext, ToolOutput
from homarus.tools.policy import ToolPolicy
from homarus.tools.runner import ToolOutcome

LIVE_OUTPUT_CHARS = 8_000
Emit = Callable[[AgentEvent], None]


class Turn(Struct, frozen=True):
    """Everything a turn needs, frozen when it begins. `is_resumed` tells that a restart interrupted it before.

    `context_tokens` lowers the model's own window, `tool_policy` narrows the agent's rules for this turn.
    """

    run_id: RunId
    agent_id: AgentId
    session_key: str
    workspace: Path
    model: Model
    system: str
    tools: tuple[ToolSpec, ...]
    address: Address | None = None
    thinking: str | None = None
    max_steps: int = 60
    tool_policy: ToolPolicy | None = None
    context_tokens: int | None = None
    is_resumed: bool = False


class Toolbox(Protocol):
    """The one way to run a tool; implemented by homarus.tools.runner."""

    def is_idempotent(self, name: str) -> bool:
        """Tell whether a call of this tool may be repeated when its outcome is unknown."""
        ...

    async def run(self, call: ToolCall, context: ToolContext) -> ToolOutcome:
        """Run one call; failures are outputs, never exceptions."""
        ...


class Journal(Protocol):
    """The turn's transcript. Each call returns only after its commit."""

    async def entries(self) -> Sequence[Entry]:
        """Return the transcript of the session so far."""
        ...

    async def append(self, entry_type: EntryType, payload: dict[str, object], label: Label) -> Entry:
        """Store one entry of this turn."""
        ...

    async def take_steering(self) -> Sequence[Entry]:
        """Store messages that came in meanwhile and are meant for this turn, and return their entries."""
        ...

    async def finish(self, payload: dict[str, object], label: Label, used: Usage) -> None:
        """Store the final response and everything that follows from it, in one commit."""
        ...

    async def fail(self, error: str, payload: dict[str, object], label: Label, used: Usage) -> None:
        """Store that the turn could not be finished, in one commit."""
        ...


async def run_turn(turn: Turn, journal: Journal, toolbox: Toolbox, clock: Clock, emit: Emit) -> None:
    """Run a turn to its end. `emit` must not block; cancellation leaves everything committed so far."""
    await _Loop(turn, journal, toolbox, clock, emit).run()


class _Loop:
    def __init__(self, turn: Turn, journal: Journal, toolbox: Toolbox, clock: Clock, emit: Emit) -> None:
        self._turn = turn
        self._journal = journal
        self._toolbox = toolbox
        self._clock = clock
        self._emit = emit
        self._entries: list[Entry] = []
        self._usage = Usage()
        self._correction = 1.0

    async def run(self) -> None:
        """Alternate between tools and model until the model answers, fails or the step limit is reached."""
        self._emit(TurnStarted(self._clock.now_ms()))
        self._entries = list(await self._journal.entries())
        is_after_restart = self._turn.is_resumed
        for _ in range(self._turn.max_steps):
            calls = unanswered_calls(self._entries, self._turn.run_id)
            if calls:
                await self._run_calls(calls, is_after_restart=is_after_restart)
            is_after_restart = False
            self._entries.extend(await self._journal.take_steering())
            outcome = await self._ask()
            if isinstance(outcome, Failed):
                await self._fail(outcome.message, outcome.partial, outcome)
                return
            if not outcome.message.tool_calls:
                await self._finish(outcome)
                return
            await self._append("assistant", self._response(outcome), self._label())
            hit(Failpoint.STEP_AFTER_COMMIT)
        await self._fail(f"stopped after {self._turn.max_steps} steps without an answer", "")

    async def _ask(self) -> Completed | Failed:
        fitted = fit(
            build_messages(self._entries),
            self._turn.system,
            self._turn.tools,
            self._window(),
            correction=self._correction,
        )
        request = ModelRequest(
            model=self._turn.model.info.id,
            system=self._turn.system,
            messages=fitted.messages,
            tools=self._turn.tools,
            thinking=self._turn.thinking,
        )
        hit(Failpoint.MODEL_BEFORE_REQUEST)
        outcome = await self._stream(request)
        hit(Failpoint.MODEL_AFTER_RESPONSE)
        if isinstance(outcome, Completed):
            self._learn(fitted, outcome.usage)
        return outcome

    def _window(self) -> ModelInfo:
        info, limit = self._turn.model.info, self._turn.context_tokens
        return info if limit is None else replace(info, context_window=min(info.context_window, limit))

    async def _stream(self, request: ModelRequest) -> Completed | Failed:
        text = thinking = ""
        async for event in self._turn.model.stream(request):
            match event:
                case TextDelta(delta):
                    text += delta
                    self._emit(TextStreamed(text, delta))
                case ThinkingDelta(delta):
                    thinking += delta
                    self._emit(ThinkingStreamed(thinking, delta))
                case _:
                    return event
        return Failed(FailureKind.CONNECTION, "the model's answer ended without an end", partial=text)

    def _learn(self, fitted: Fitted, usage: Usage) -> None:
        self._usage = add_usage(self._usage, usage)
        if usage.input_tokens and fitted.tokens:
            self._correction = min(max(usage.input_tokens / fitted.tokens, 0.5), 3.0)

    async def _run_calls(self, calls: Sequence[ToolCall], *, is_after_restart: bool) -> None:
        label = self._label()
        async with asyncio.TaskGroup() as group:
            for call in calls:
                is_lost = is_after_restart and not self._toolbox.is_idempotent(call.name)
                group.create_task(self._lose(call, label) if is_lost else self._run_call(call, label))

    async def _run_call(self, call: ToolCall, label: Label) -> None:
        self._emit(ToolStarted(call.id, call.name, read_arguments(call.arguments)))
        hit(Failpoint.TOOL_BEFORE_RUN)
        run = await self._toolbox.run(call, self._context(call, label))
        hit(Failpoint.TOOL_AFTER_RUN)
        await self._record(call, run)

    async def _lose(self, call: ToolCall, label: Label) -> None:
        """Answer a call whose outcome a restart left unknown, without running it again."""
        self._emit(ToolStarted(call.id, call.name, read_arguments(call.arguments)))
        await self._record(call, ToolOutcome(ToolOutput(UNKNOWN_OUTCOME, is_error=True), label, 0))

    def _context(self, call: ToolCall, label: Label) -> ToolContext:
        live, process = "", 0

        def report(piece: str) -> None:
            nonlocal live
            live = (live + piece)[-LIVE_OUTPUT_CHARS:]
            self._emit(ToolProgressed(call.id, call.name, live, str(self._turn.workspace), process))

        def began(pid: int) -> None:
            nonlocal process
            process = pid

        return ToolContext(
            agent_id=self._turn.agent_id,
            session_key=self._turn.session_key,
            run_id=self._turn.run_id,
            call_id=call.id,
            workspace=self._turn.workspace,
            label=label,
            address=self._turn.address,
            policy=self._turn.tool_policy,
            report=report,
            began=began,
        )

    async def _record(self, call: ToolCall, run: ToolOutcome) -> None:
        payload: dict[str, object] = {
            "call_id": call.id,
            "name": call.name,
            "text": run.output.text,
            "is_error": run.output.is_error,
            "images": [_image_json(image.mime, image.data) for image in run.output.images],
            "details": run.output.details,
        }
        await self._append("tool_result", payload, run.label)
        hit(Failpoint.TOOL_AFTER_COMMIT)
        output = run.output
        self._emit(
            ToolFinished(call.id, call.name, output.text, output.is_error, run.duration_ms, dict(output.details))
        )

    async def _append(self, entry_type: EntryType, payload: dict[str, object], label: Label) -> None:
        self._entries.append(await self._journal.append(entry_type, payload, label))

    async def _finish(self, outcome: Completed) -> None:
        hit(Failpoint.RUN_BEFORE_FINISH)
        await self._journal.finish(self._response(outcome), self._label(), self._usage)
        hit(Failpoint.RUN_AFTER_FINISH)
        now = self._clock.now_ms()
        self._emit(TurnFinished(outcome.message.text, outcome.stop_reason, self._usage, now))

    async def _fail(self, error: str, partial: str, failure: Failed | None = None) -> None:
        payload: dict[str, object] = {"text": partial, "error": error, "stop_reason": "error", **self._model_json()}
        await self._journal.fail(error, payload, self._label(), self._usage)
        named = None if failure is None else replace(failure, ref=failure.ref or self._turn.model.info.ref)
        self._emit(TurnFailed(error, self._clock.now_ms(), named))

    def _response(self, outcome: Completed) -> dict[str, object]:
        message = outcome.message
        named: dict[str, object] = {"response_id": outcome.response_id} if outcome.response_id else {}
        return {
            **named,
            "text": message.text,
            "thinking": message.thinking,
            "tool_calls": [{"id": c.id, "name": c.name, "arguments": c.arguments} for c in message.tool_calls],
            "stop_reason": outcome.stop_reason,
            "usage": usage_json(outcome.usage),
            **self._model_json(),
        }

    def _model_json(self) -> dict[str, object]:
        return {"provider": self._turn.model.info.provider, "model": self._turn.model.info.id}

    def _label(self) -> Label:
        return join_all(entry.label for entry in self._entries)


def read_arguments(text: str) -> dict[str, object]:
    """Return call arguments for display: the parsed object, or `{"_raw": text}` when it is none."""
    try:
        value: object = json.loads(text or "{}")
    except ValueError:
        value = None
    return cast("dict[str, object]", value) if isinstance(value, dict) else {"_raw": text[:2_000]}


def _image_json(mime: str, data: bytes) -> dict[str, object]:
    return {"mime": mime, "data": b64encode(data).decode()}
