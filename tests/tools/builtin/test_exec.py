from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from homarus.errors import UserError
from homarus.sandbox.contract import Command, Completion, Limits, Probe
from homarus.sandbox.registry import Unavailable
from homarus.tools.builtin.exec import ExecArgs, ExecTool
from homarus.tools.contract import ToolContext


class RecordedSandbox:
    """A sandbox that remembers the command and gives a prepared end."""

    name = "recorded"

    def __init__(self, completion: Completion) -> None:
        self._completion = completion
        self.commands: list[Command] = []

    async def probe(self) -> Probe:
        return Probe(self.name, is_available=True, detail="")

    async def run(
        self,
        command: Command,
        on_output: Callable[[str], None] | None = None,
        on_start: Callable[[int], None] | None = None,
    ) -> Completion:
        self.commands.append(command)
        if on_start is not None:
            on_start(4321)
        if on_output is not None:
            on_output(self._completion.output)
        return self._completion


def ended(code: int, output: str = "", *, is_timed_out: bool = False) -> Completion:
    return Completion(code, output, is_truncated=False, is_timed_out=is_timed_out, duration_ms=7)


@pytest.mark.parametrize(
    ("completion", "text", "is_error"),
    [
        (ended(0, "hi\n"), "hi\n", False),
        (ended(0), "", False),
        (ended(2, "no"), "no\n[exit code 2]", True),
        (ended(-11, "x\n"), "x\n[killed by signal 11]", True),
        (ended(-9, "x\n", is_timed_out=True), "x\n[timed out after 3 s; every process of it was killed]", True),
    ],
)
async def test_the_model_reads_output_and_end(
    context: ToolContext, completion: Completion, text: str, is_error: bool
) -> None:
    output = await ExecTool(RecordedSandbox(completion)).run(context, ExecArgs(command="x", timeout=3))
    assert (output.text, output.is_error) == (text, is_error)
    assert output.details.get("exitCode") == (None if completion.is_timed_out else completion.exit_code)
    assert output.label is None


async def test_the_line_goes_to_a_shell_in_the_workspace_with_the_limits_given(context: ToolContext) -> None:
    sandbox = RecordedSandbox(ended(0, "live"))
    live: list[str] = []
    begun: list[int] = []
    tool = ExecTool(sandbox, Limits(timeout=60, processes=9))
    await tool.run(replace(context, report=live.append, began=begun.append), ExecArgs(command="echo '$HOME' | node"))
    await tool.run(context, ExecArgs(command="true", timeout=900))
    first, second = sandbox.commands
    assert first.argv == ("/bin/sh", "-c", "echo '$HOME' | node")
    assert (first.workspace, first.env, first.limits) == (context.workspace, {}, Limits(timeout=60, processes=9))
    assert second.limits.timeout == 900
    assert (begun, live) == ([4321], ["live"])


async def test_without_a_sandbox_nothing_runs(context: ToolContext) -> None:
    tool = ExecTool(Unavailable("bubblewrap: not installed", "sudo apt-get install -y bubblewrap", ()))
    with pytest.raises(UserError, match="not installed") as caught:
        await tool.run(context, ExecArgs(command="touch ran"))
    assert caught.value.fix == "sudo apt-get install -y bubblewrap"
    assert not (context.workspace / "ran").exists()
