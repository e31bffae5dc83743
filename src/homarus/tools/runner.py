"""The one way a tool is run: arguments, policy, loop guard, label gate, time limit, redaction, bound, label, log.

Everything that goes wrong becomes text for the model; only cancellation passes through.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from homarus.clock import Clock
from homarus.errors import HomarusError, UserError
from homarus.ids import AgentId
from homarus.labels import Confidentiality, Integrity, Label
from homarus.models.contract import ToolCall, ToolSpec
from homarus.sandbox.contract import Sandbox
from homarus.sandbox.registry import Unavailable
from homarus.security.gate import Ask, Decision, Refuse, decide
from homarus.security.redaction import redact_text, redact_value
from homarus.tools.bound_tool import BoundTool, PreparedCall
from homarus.tools.bounding import bound_text
from homarus.tools.contract import Effect, ToolContext, ToolOutput
from homarus.tools.loop_guard import MAX_REPEATS, LoopGuard
from homarus.tools.policy import ToolPolicy
from homarus.tools.registry import ToolRegistry

log: Final = logging.getLogger("homarus.tools")
PRIVATE_EFFECTS: Final = frozenset({Effect.READ_PRIVATE, Effect.EXEC})


class ToolOutcome(Struct, frozen=True):
    """What a call gave. `refused` is the rule that stopped it before it ran; `arguments` as they were understood."""

    output: ToolOutput
    label: Label
    duration_ms: int = 0
    refused: str | None = None
    arguments: dict[str, object] = field(default_factory=dict)


class Ready(Struct, frozen=True):
    """A call that may run."""

    tool: BoundTool
    call: PreparedCall
    rule: str


class Refusal(Struct, frozen=True):
    """A call that may not run: the text for the model, the rule, and the arguments as far as they were understood."""

    text: str
    rule: str
    arguments: dict[str, object] = field(default_factory=dict)


class ToolRunner:
    """Runs calls for all agents; calls may overlap. `policy_of` gives the rules of an agent at the time of the call."""

    def __init__(
        self,
        registry: ToolRegistry,
        policy_of: Callable[[AgentId], ToolPolicy],
        sandbox: Sandbox | Unavailable,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._policy_of = policy_of
        self._sandbox = sandbox
        self._clock = clock
        self._loops = LoopGuard()

    def specs(self, agent_id: AgentId) -> tuple[ToolSpec, ...]:
        """Return the tools an agent's model is offered."""
        return self._registry.specs(self._policy_of(agent_id).is_allowed)

    def is_idempotent(self, name: str) -> bool:
        """Tell whether a call may be repeated when its outcome is unknown; a tool that does not exist does nothing."""
        tool = self._registry.get(name)
        return tool is None or tool.is_idempotent

    async def run(self, call: ToolCall, context: ToolContext) -> ToolOutcome:
        """Run one call to its outcome."""
        prepared = self.prepare(call, context)
        if isinstance(prepared, Refusal):
            outcome = _refused(prepared, context)
        else:
            outcome = await self._execute(prepared, context)
        _record(call, context, outcome, prepared.rule)
        return outcome

    def prepare(self, call: ToolCall, context: ToolContext) -> Ready | Refusal:
        """Decide whether a call may run."""
        if self._loops.count(context.run_id, call.name, call.arguments) >= MAX_REPEATS:
            text = f"this same call was made {MAX_REPEATS} times in a row; it was not run again. Do something else, or"
            return Refusal(f"{text} answer with what you have", "loop")
        policy = self._policy_of(context.agent_id)
        tool = self._registry.get(call.name)
        if tool is None:
            names = ", ".join(spec.name for spec in self.specs(context.agent_id)) or "none"
            return Refusal(f"there is no tool named {call.name[:80]!r}; the tools are: {names}", "unknown-tool")
        if (rule := policy.refusing_rule(call.name)) is not None:
            return Refusal(f"{call.name} is switched off for this agent by `{rule}` in the configuration", rule)
        if context.policy is not None and (rule := context.policy.refusing_rule(call.name)) is not None:
            return Refusal(f"{call.name} is switched off for this chat or sender by the channel's `{rule}`", rule)
        try:
            prepared = tool.prepare(call.arguments)
        except UserError as error:
            return Refusal(_explain(error), "arguments")
        return self._judge(tool, prepared, context)

    def _judge(self, tool: BoundTool, prepared: PreparedCall, context: ToolContext) -> Ready | Refusal:
        is_sandboxed = not isinstance(self._sandbox, Unavailable)
        arguments = prepared.arguments
        decision = decide(tool.effects, tool.control, context.label, arguments, is_sandboxed=is_sandboxed)
        if isinstance(decision, Ask | Refuse):
            return Refusal(self._explain_decision(tool.name, decision), decision.rule, arguments)
        return Ready(tool, prepared, decision.rule)

    def _explain_decision(self, name: str, decision: Decision) -> str:
        match decision:
            case Ask(reason):
                return f"{name} needs the owner's approval: {reason}. Approval is not available on this surface yet"
            case Refuse(reason, "exec-needs-sandbox") if isinstance(self._sandbox, Unavailable):
                return f"{name} is refused: {reason} ({self._sandbox.reason}). To fix it: {self._sandbox.fix}"
            case Refuse(reason):
                return f"{name} is refused: {reason}"
            case _:
                return f"{name} is refused"

    async def _execute(self, ready: Ready, context: ToolContext) -> ToolOutcome:
        started = self._clock.monotonic()

        def report(piece: str) -> None:
            context.report(redact_text(piece))

        output = await _call(ready.tool, ready.call, replace(context, report=report))
        duration = int((self._clock.monotonic() - started) * 1000)
        safe = replace(output, text=bound_text(redact_text(output.text)), details=_redact(output.details))
        label = output.label or _default_label(ready.tool)
        return ToolOutcome(safe, label, duration, None, ready.call.arguments)


async def _call(tool: BoundTool, call: PreparedCall, context: ToolContext) -> ToolOutput:
    try:
        async with asyncio.timeout(tool.timeout):
            return await call.run(context)
    except TimeoutError:
        return ToolOutput(f"{tool.name} was stopped after {tool.timeout:g} seconds", is_error=True)
    except HomarusError as error:
        return ToolOutput(_explain(error), is_error=True)
    except Exception as error:
        log.exception("tool failed", extra={"fields": {"tool": tool.name, "run": context.run_id}})
        return ToolOutput(f"{tool.name} failed inside: {type(error).__name__}; the log has more", is_error=True)


def _explain(error: HomarusError) -> str:
    return error.message if error.fix is None else f"{error.message}. To fix it: {error.fix}"


def _refused(refusal: Refusal, context: ToolContext) -> ToolOutcome:
    # the text is ours and from the call, so it is as trusted as the context already was
    output = ToolOutput(bound_text(redact_text(refusal.text)), is_error=True, label=context.label)
    return ToolOutcome(output, context.label, refused=refusal.rule, arguments=refusal.arguments)


def _default_label(tool: BoundTool) -> Label:
    is_private = bool(tool.effects & PRIVATE_EFFECTS)
    confidentiality = Confidentiality.PRIVATE if is_private else Confidentiality.CHAT
    return Label(Integrity.EXTERNAL, confidentiality, (f"tool:{tool.name}",))


def _redact(details: dict[str, object]) -> dict[str, object]:
    return {key: redact_value(value) for key, value in details.items()}


def _record(call: ToolCall, context: ToolContext, outcome: ToolOutcome, rule: str) -> None:
    fields = {
        "run": context.run_id,
        "call": call.id,
        "tool": call.name[:80],
        "rule": rule,
        "refused": outcome.refused is not None,
        "error": outcome.output.is_error,
        "ms": outcome.duration_ms,
    }
    log.info("%s: %s", call.name[:80], rule, extra={"fields": fields})
