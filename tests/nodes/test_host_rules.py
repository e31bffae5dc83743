"""What a node host runs, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from homarus.clock import SystemClock
from homarus.nodes.host.commands import NodeCommands
from homarus.nodes.host.failure import CommandFailed
from homarus.nodes.host.process import MAX_OUTPUT, TRUNCATED
from homarus.nodes.host.variables import base_variables, override
from homarus.security.exec_approvals import ExecApprovalsFile

PATH = "/usr/local/bin:/usr/bin:/bin"
OPEN: dict[str, object] = {"version": 1, "defaults": {"security": "full", "ask": "off"}}


class Bench:
    """A host without a gateway; keeps what it reports."""

    def __init__(self, folder: Path, rules: dict[str, object] | None = None) -> None:
        self.file = ExecApprovalsFile(folder / "exec-approvals.json")
        if rules is not None:
            self.file.path.write_text(json.dumps(rules))
        self.reports: list[tuple[str, dict[str, object]]] = []
        self.commands = NodeCommands(
            self.file, base_variables({"PATH": PATH, "HOMARUS_X": "s"}), SystemClock(), self.take
        )

    async def take(self, event: str, payload: dict[str, object]) -> None:
        self.reports.append((event, payload))

    async def run(self, *words: str, **params: object) -> Any:
        return await self.commands.do("system.run", {"command": list(words), **params})

    async def refusal(self, *words: str, **params: object) -> str:
        with pytest.raises(CommandFailed) as caught:
            await self.run(*words, **params)
        return caught.value.message


def allow(*patterns: str) -> dict[str, object]:
    entries = [{"pattern": pattern} for pattern in patterns]
    return {"version": 1, "agents": {"main": {"ask": "off", "allowlist": entries}}}


async def test_without_rules_nothing_runs_that_was_not_approved(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert await bench.refusal("echo", "hi", runId="r1") == "SYSTEM_RUN_DENIED: approval required"
    assert bench.reports[0][0] == "exec.denied"
    assert bench.reports[0][1]["reason"] == "approval-required"
    assert bench.reports[0][1]["runId"] == "r1"


async def test_an_approved_command_runs_and_is_reported(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    result = await bench.run("echo", "hi", approved=True, approvalDecision="allow-once")
    assert result == {"exitCode": 0, "timedOut": False, "success": True, "stdout": "hi\n", "stderr": "", "error": None}
    assert [event for event, _ in bench.reports] == ["exec.finished"]
    assert await bench.refusal("echo", "hi") == "SYSTEM_RUN_DENIED: approval required"


async def test_security_deny_wins_over_an_approval(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"version": 1, "defaults": {"security": "deny"}})
    assert await bench.refusal("echo", approved=True) == "SYSTEM_RUN_DISABLED: security=deny"


async def test_a_misspelt_setting_counts_as_the_strictest(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"version": 1, "defaults": {"security": "ful"}})
    assert await bench.refusal("echo", approved=True) == "SYSTEM_RUN_DISABLED: security=deny"


async def test_the_allowlist_lets_its_programs_run_and_no_others(tmp_path: Path) -> None:
    bench = Bench(tmp_path, allow("/usr/bin/ech*", "/bin/echo"))
    assert (await bench.run("echo", "hi"))["stdout"] == "hi\n"
    assert await bench.refusal("ls") == "SYSTEM_RUN_DENIED: allowlist miss"


@pytest.mark.parametrize("words", [("sh", "-c", "echo hi"), ("env", "echo", "hi"), ("xargs", "echo")])
async def test_programs_that_run_others_never_satisfy_an_allowlist(tmp_path: Path, words: tuple[str, ...]) -> None:
    bench = Bench(tmp_path, allow("/usr/bin/*", "/bin/*"))
    assert (await bench.refusal(*words)).startswith("SYSTEM_RUN_DENIED: allowlist miss (")


async def test_allow_always_is_remembered_for_the_program_only(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.run("echo", "hi", approvalDecision="allow-always")
    assert (await bench.run("echo", "other"))["success"]
    assert await bench.refusal("ls") == "SYSTEM_RUN_DENIED: approval required"
    await bench.run("sh", "-c", "true", approvalDecision="allow-always")
    assert await bench.refusal("sh", "-c", "true") == "SYSTEM_RUN_DENIED: approval required"


async def test_a_late_command_is_killed_with_everything_it_started(tmp_path: Path) -> None:
    bench = Bench(tmp_path, OPEN)
    result = await bench.run("sh", "-c", "sleep 60 & sleep 60", timeoutMs=200)
    assert result["timedOut"]
    assert "exitCode" not in result
    assert not result["success"]


async def test_output_is_bounded(tmp_path: Path) -> None:
    result = await Bench(tmp_path, OPEN).run("sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x")
    assert len(result["stdout"]) == MAX_OUTPUT + len(TRUNCATED)


async def test_commands_do_not_see_our_secrets(tmp_path: Path) -> None:
    assert "HOMARUS_X" not in (await Bench(tmp_path, OPEN).run("env"))["stdout"]


@pytest.mark.parametrize(
    "name", ["PATH", "LD_PRELOAD", "DYLD_X", "PYTHONPATH", "BASH_ENV", "NODE_OPTIONS", "a b", "path"]
)
def test_variables_that_change_the_program_are_refused(name: str) -> None:
    with pytest.raises(CommandFailed, match="SYSTEM_RUN_DENIED: environment override rejected"):
        override({}, {name: "x"}, is_shell=False)


def test_a_shell_gets_harmless_variables_only() -> None:
    assert override({}, {"FOO": "1", "LANG": "C", "LC_ALL": "C"}, is_shell=True) == {"LANG": "C", "LC_ALL": "C"}
    assert override({}, {"FOO": "1"}, is_shell=False) == {"FOO": "1"}


async def test_a_plan_binds_program_folder_and_script(tmp_path: Path) -> None:
    bench = Bench(tmp_path, OPEN)
    script = tmp_path / "x.sh"
    script.write_text("echo one")
    words = ["sh", str(script)]
    prepared: Any = await bench.commands.do("system.run.prepare", {"command": words, "cwd": str(tmp_path)})
    plan = prepared["plan"]
    assert plan["mutableFileOperand"]["argvIndex"] == 1
    same = {"systemRunPlan": plan, "cwd": plan["cwd"], "rawCommand": plan["commandText"]}
    assert (await bench.run(*plan["argv"], **same))["stdout"] == "one\n"
    assert "execution plan mismatch" in await bench.refusal(
        "sh", "-x", str(script), cwd=plan["cwd"], systemRunPlan=plan
    )
    assert "cwd changed" in await bench.refusal(*words, systemRunPlan=plan)
    script.write_text("echo two")
    assert "script operand changed" in await bench.refusal(*plan["argv"], **same)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"command": []},
        {"command": "ls"},
        {"command": [1]},
        {"command": ["a\x00b"]},
        {"command": ["x"] * 2000},
        {"command": ["ls"], "cwd": "/no/such"},
        {"command": ["ls"], "rawCommand": "rm -rf /"},
        {"command": ["ls"], "env": {"A": 1}},
        {"command": ["ls"], "timeoutMs": -1},
        {"command": ["ls"], "timeoutMs": "1"},
    ],
)
async def test_bad_parameters_are_named(tmp_path: Path, params: dict[str, object]) -> None:
    with pytest.raises(CommandFailed, match="INVALID_REQUEST"):
        await Bench(tmp_path, OPEN).commands.do("system.run", params)


async def test_which_finds_bare_names_only(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    found: Any = await bench.commands.do("system.which", {"bins": ["sh", "no-such-program", "/bin/sh", "../sh"]})
    assert list(found["bins"]) == ["sh"]
    with pytest.raises(CommandFailed, match="bins required"):
        await bench.commands.do("system.which", {"bins": []})


async def test_an_unknown_command_is_not_supported(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="command not supported"):
        await Bench(tmp_path).commands.do("camera.snap", {})


async def test_the_rules_are_changed_only_from_the_version_that_was_read(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    first: Any = await bench.commands.do("system.execApprovals.get", {})
    assert first["exists"]
    with pytest.raises(CommandFailed, match="base hash required; reload and retry"):
        await bench.commands.do("system.execApprovals.set", {"file": OPEN})
    second: Any = await bench.commands.do("system.execApprovals.set", {"file": OPEN, "baseHash": first["hash"]})
    assert second["file"]["defaults"] == {"security": "full", "ask": "off"}
    with pytest.raises(CommandFailed, match="changed; reload and retry"):
        await bench.commands.do("system.execApprovals.set", {"file": OPEN, "baseHash": first["hash"]})
    with pytest.raises(CommandFailed, match="unexpected property"):
        await bench.commands.do("system.execApprovals.set", {"file": {"version": 1, "x": 1}})


async def test_the_sockets_token_is_never_shown_and_never_lost(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"version": 1, "socket": {"path": "/s", "token": "secret"}})
    shown: Any = await bench.commands.do("system.execApprovals.get", {})
    assert shown["file"]["socket"] == {"path": "/s"}
    await bench.commands.do("system.execApprovals.set", {"file": OPEN, "baseHash": shown["hash"]})
    assert json.loads(bench.file.path.read_text())["socket"] == {"path": "/s", "token": "secret"}
