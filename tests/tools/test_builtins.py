"""The built-in tools together, through the runner, with a real sandbox."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from homarus.clock import SystemClock
from homarus.errors import UserError
from homarus.ids import Address
from homarus.labels import Confidentiality, Integrity, Label
from homarus.models.contract import ToolCall
from homarus.sandbox.contract import Sandbox
from homarus.sandbox.registry import Unavailable
from homarus.storage.records import StoredFile
from homarus.tools.builtins import builtin_registry
from homarus.tools.contract import ToolContext
from homarus.tools.memory_port import Fact
from homarus.tools.policy import ToolPolicy
from homarus.tools.runner import ToolOutcome, ToolRunner

PAGE = Label(Integrity.EXTERNAL, Confidentiality.PUBLIC, ("web:example.org",))


class Forgetful:
    """Remembers nothing, knows every session."""

    async def remember(self, agent_id: str, text: str, label: Label, run_id: str | None) -> int:
        return 1

    async def recall(self, agent_id: str, query: str, limit: int) -> list[Fact]:
        return []

    async def describe(self, session_key: str) -> str:
        return f"session {session_key}"


class NoShelf:
    """Keeps nothing."""

    def most_bytes(self, address: Address | None) -> int:
        raise UserError("nothing is kept here")

    async def keep(self, name: str, mime: str, content: bytes) -> StoredFile:
        raise AssertionError


def make_runner(sandbox: Sandbox | Unavailable) -> ToolRunner:
    registry = builtin_registry(sandbox, Forgetful(), Forgetful(), NoShelf())
    return ToolRunner(registry, lambda _agent: ToolPolicy(), sandbox, SystemClock())


async def call(runner: ToolRunner, context: ToolContext, name: str, **arguments: object) -> ToolOutcome:
    return await runner.run(ToolCall(f"call-{name}", name, json.dumps(arguments)), context)


async def test_a_file_goes_through_all_tools(sandbox: Sandbox, context: ToolContext) -> None:
    runner = make_runner(sandbox)
    live: list[str] = []
    context = replace(context, report=live.append)
    texts = [
        (await call(runner, context, "write", path="src/a.py", content="print('one')\n")).output.text,
        (await call(runner, context, "edit", path="src/a.py", oldText="one", newText="two")).output.text,
        (await call(runner, context, "exec", command="cat src/a.py; ls /work")).output.text,
        (await call(runner, context, "read", path="/work/src/a.py")).output.text,
        (await call(runner, context, "list")).output.text,
        (await call(runner, context, "session_status")).output.text,
    ]
    assert texts == [
        "created src/a.py (13 bytes)",
        "edited src/a.py at line 1",
        "print('two')\nsrc\n",
        "print('two')\n",
        "src/",
        "session agent:main:main",
    ]
    assert "".join(live) == texts[2]


async def test_a_tainted_context_may_still_work_inside_the_sandbox(sandbox: Sandbox, context: ToolContext) -> None:
    outcome = await call(make_runner(sandbox), replace(context, label=PAGE), "exec", command="echo hi > a; cat a")
    assert (outcome.refused, outcome.output.text) == (None, "hi\n")
    assert outcome.label == Label(Integrity.EXTERNAL, Confidentiality.PRIVATE, ("tool:exec",))


async def test_a_command_cannot_leave_a_trap_for_the_file_tools(sandbox: Sandbox, context: ToolContext) -> None:
    runner = make_runner(sandbox)
    (context.workspace.parent / "secret").write_text("canary")
    trap = "ln -s ../secret up; ln -s /etc/passwd passwd; mkfifo pipe; ln /usr/bin/env hard; ls"
    assert "hard\n" not in (await call(runner, context, "exec", command=trap)).output.text.splitlines(keepends=True)
    for path in ("up", "passwd", "pipe"):
        outcome = await call(runner, context, "read", path=path)
        assert outcome.output.is_error, path
        assert "canary" not in outcome.output.text
        assert "root:" not in outcome.output.text


@pytest.mark.parametrize("name", ["read", "write", "list", "remember", "recall", "session_status"])
async def test_without_a_sandbox_everything_but_exec_goes_on(context: ToolContext, name: str) -> None:
    runner = make_runner(Unavailable("bubblewrap: not installed", "sudo apt-get install -y bubblewrap", ()))
    (context.workspace / "a").write_text("x")
    arguments: dict[str, dict[str, object]] = {
        "read": {"path": "a"},
        "write": {"path": "b", "content": "x"},
        "remember": {"fact": "x"},
        "recall": {"query": "x"},
    }
    assert not (await call(runner, context, name, **arguments.get(name, {}))).output.is_error
    refused = await call(runner, context, "exec", command="touch ran")
    assert refused.output.text.endswith("To fix it: sudo apt-get install -y bubblewrap")
    assert not (context.workspace / "ran").exists()
