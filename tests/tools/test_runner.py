from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from homarus.errors import Permanent, UserError
from homarus.labels import Confidentiality, Integrity, Label
from homarus.models.contract import ToolCall
from homarus.sandbox.bubblewrap import Bubblewrap
from homarus.sandbox.registry import Unavailable
from homarus.testing.manual_clock import ManualClock
from homarus.tools.arguments import Arguments
from homarus.tools.contract import Effect, ToolContext, ToolOutput
from homarus.tools.policy import ToolPolicy
from homarus.tools.registry import ToolRegistry
from homarus.tools.runner import ToolOutcome, ToolRunner

PAGE = Label(Integrity.EXTERNAL, Confidentiality.PUBLIC, ("web:example.org",))
KEY = "sk-ant-" + "a1" * 20
Act = Callable[[ToolContext, "ProbeArgs"], Awaitable[ToolOutput]]


class ProbeArgs(Arguments):
    to: str = ""
    text: str = ""


class ProbeTool:
    name = "probe"
    description = "A probe."
    args = ProbeArgs
    control = frozenset({"to"})
    is_idempotent = False
    timeout = 5.0

    def __init__(self, act: Act, effects: frozenset[Effect], timeout: float) -> None:
        self._act = act
        self.effects = effects
        self.timeout = timeout
        self.runs = 0

    async def run(self, context: ToolContext, args: ProbeArgs) -> ToolOutput:
        self.runs += 1
        return await self._act(context, args)


class Bench:
    """A runner with one tool that does what a test wants."""

    def __init__(
        self,
        act: Act | None = None,
        *,
        effects: frozenset[Effect] = frozenset({Effect.PURE}),
        policy: ToolPolicy | None = None,
        has_sandbox: bool = True,
        timeout: float = 5.0,
    ) -> None:
        self.tool = ProbeTool(act or self.echo, effects, timeout)
        self.clock = ManualClock()
        registry = ToolRegistry()
        registry.register(self.tool)
        sandbox = Bubblewrap() if has_sandbox else Unavailable("bubblewrap: not installed", "apt install it", ())
        self.runner = ToolRunner(registry, lambda _agent: policy or ToolPolicy(), sandbox, self.clock)

    async def echo(self, context: ToolContext, args: ProbeArgs) -> ToolOutput:
        self.clock.advance(0.25)
        return ToolOutput(f"said {args.text}")

    async def call(self, context: ToolContext, arguments: str = "{}", name: str = "probe") -> ToolOutcome:
        return await self.runner.run(ToolCall(context.call_id, name, arguments), context)


def fails_with(error: Exception) -> Act:
    async def act(_context: ToolContext, _args: ProbeArgs) -> ToolOutput:
        raise error

    return act


def says(output: ToolOutput) -> Act:
    async def act(_context: ToolContext, _args: ProbeArgs) -> ToolOutput:
        return output

    return act


async def test_a_call_gives_output_label_duration_and_the_arguments_as_understood(context: ToolContext) -> None:
    outcome = await Bench().call(context, '{"to": "bob", "text": "hi"}')
    assert outcome == ToolOutcome(
        ToolOutput("said hi"),
        Label(Integrity.EXTERNAL, Confidentiality.CHAT, ("tool:probe",)),
        250,
        None,
        {"to": "bob", "text": "hi"},
    )


@pytest.mark.parametrize(("effect", "kept"), [(Effect.READ_PRIVATE, "PRIVATE"), (Effect.WRITE_LOCAL, "CHAT")])
async def test_what_a_tool_reads_of_the_owner_is_private(context: ToolContext, effect: Effect, kept: str) -> None:
    outcome = await Bench(effects=frozenset({effect})).call(context)
    assert outcome.label.confidentiality is Confidentiality[kept]
    assert outcome.label.is_tainted


async def test_a_label_the_tool_knows_better_is_kept(context: ToolContext) -> None:
    outcome = await Bench(says(ToolOutput("x", label=context.label))).call(context)
    assert outcome.label == context.label


@pytest.mark.parametrize(
    ("arguments", "word"), [("{", "not valid JSON"), ('{"too": 1}', "`too` is not"), ('{"to": 1}', "got 1")]
)
async def test_invalid_arguments_come_back_as_text(context: ToolContext, arguments: str, word: str) -> None:
    bench = Bench()
    outcome = await bench.call(context, arguments)
    assert outcome.output.is_error
    assert word in outcome.output.text
    assert (outcome.refused, bench.tool.runs) == ("arguments", 0)


async def test_an_unknown_tool_is_answered_with_the_names_there_are(context: ToolContext) -> None:
    outcome = await Bench().call(context, name="launch_rocket")
    assert outcome.output.text == "there is no tool named 'launch_rocket'; the tools are: probe"
    assert outcome.refused == "unknown-tool"


async def test_a_tool_switched_off_is_neither_offered_nor_run(context: ToolContext) -> None:
    bench = Bench(policy=ToolPolicy(deny=("probe",)))
    outcome = await bench.call(context)
    assert outcome.refused == "tools.deny"
    assert "tools.deny" in outcome.output.text
    assert bench.tool.runs == 0
    assert bench.runner.specs(context.agent_id) == ()


async def test_a_tool_switched_off_for_a_chat_is_not_run_there(context: ToolContext) -> None:
    bench = Bench()
    outcome = await bench.call(replace(context, policy=ToolPolicy(deny=("probe",))))
    assert (outcome.refused, bench.tool.runs) == ("tools.deny", 0)
    assert "for this chat" in outcome.output.text
    assert (await bench.call(context)).refused is None


async def test_a_tainted_context_may_not_send_and_the_text_says_why(context: ToolContext) -> None:
    bench = Bench(effects=frozenset({Effect.EXTERNAL_SEND}))
    clean = await bench.call(context, '{"to": "bob"}')
    assert clean.refused is None
    tainted = replace(context, label=context.label.join(PAGE))
    outcome = await bench.call(tainted, '{"to": "bob"}')
    assert outcome.refused == "tainted-external-send"
    assert "needs the owner's approval" in outcome.output.text
    assert "web:example.org" in outcome.output.text
    assert "to='bob'" in outcome.output.text
    assert bench.tool.runs == 1


async def test_a_tainted_context_may_not_change_settings(context: ToolContext) -> None:
    bench = Bench(effects=frozenset({Effect.CONTROL_PLANE}))
    outcome = await bench.call(replace(context, label=PAGE))
    assert (outcome.refused, bench.tool.runs) == ("tainted-control", 0)


async def test_a_command_without_a_sandbox_is_refused_with_the_fix(context: ToolContext) -> None:
    bench = Bench(effects=frozenset({Effect.EXEC}), has_sandbox=False)
    outcome = await bench.call(context)
    assert (outcome.refused, bench.tool.runs) == ("exec-needs-sandbox", 0)
    assert "bubblewrap: not installed" in outcome.output.text
    assert "apt install it" in outcome.output.text


async def test_a_refusal_does_not_taint_the_context(context: ToolContext) -> None:
    assert (await Bench().call(context, "{")).label == context.label


async def test_the_same_call_again_and_again_is_stopped_until_another_is_made(context: ToolContext) -> None:
    bench = Bench()
    refused = [(await bench.call(context)).refused for _ in range(6)]
    assert refused == [None, None, None, None, "loop", "loop"]
    assert (await bench.call(context, '{"text": "new"}')).refused is None
    assert (await bench.call(context)).refused is None


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (UserError("no such file", fix="use list"), "no such file. To fix it: use list"),
        (Permanent("no sandbox"), "no sandbox"),
        (RuntimeError("with a secret inside"), "probe failed inside: RuntimeError; the log has more"),
        (RecursionError(), "probe failed inside: RecursionError; the log has more"),
    ],
)
async def test_every_error_becomes_text(context: ToolContext, error: Exception, text: str) -> None:
    outcome = await Bench(fails_with(error)).call(context)
    assert (outcome.output.text, outcome.output.is_error, outcome.refused) == (text, True, None)


async def test_cancelling_passes_through(context: ToolContext) -> None:
    started = asyncio.Event()

    async def wait(_context: ToolContext, _args: ProbeArgs) -> ToolOutput:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    run = asyncio.create_task(Bench(wait).call(context))
    await started.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run


async def test_a_tool_that_takes_too_long_is_stopped(context: ToolContext) -> None:
    ended = asyncio.Event()

    async def wait(_context: ToolContext, _args: ProbeArgs) -> ToolOutput:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    outcome = await Bench(wait, timeout=0.01).call(context)
    assert (outcome.output.text, outcome.output.is_error) == ("probe was stopped after 0.01 seconds", True)
    assert ended.is_set()


async def test_long_output_is_cut_and_secrets_are_hidden_everywhere(context: ToolContext) -> None:
    live: list[str] = []

    async def act(inner: ToolContext, _args: ProbeArgs) -> ToolOutput:
        inner.report(f"live {KEY}")
        return ToolOutput(f"{KEY}\n{'x' * 100_000}\nend", details={"env": [KEY]})

    outcome = await Bench(act).call(replace(context, report=live.append))
    assert len(outcome.output.text) < 40_100
    assert outcome.output.text.endswith("end")
    assert live == ["live sk-a…[redacted]"]
    assert KEY not in outcome.output.text + str(outcome.output.details)


async def test_each_call_leaves_one_line_in_the_log(context: ToolContext, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "homarus.tools")
    bench = Bench()
    await bench.call(context, '{"text": "private words"}')
    await bench.call(context, "{")
    lines = [getattr(record, "fields", {}) for record in caplog.records]
    shared = {"run": "run-1", "call": "call-1", "tool": "probe"}
    assert lines == [
        {**shared, "rule": "trusted-action", "refused": False, "error": False, "ms": 250},
        {**shared, "rule": "arguments", "refused": True, "error": True, "ms": 0},
    ]
    assert "private words" not in caplog.text


def test_only_calls_that_do_something_twice_are_not_repeated() -> None:
    runner = Bench().runner
    assert not runner.is_idempotent("probe")
    assert runner.is_idempotent("no-such-tool")
