"""Programs under test: their output, their end, and their limits."""

from __future__ import annotations

import sys

import pytest

from conformance import command
from conformance.command import Finished, environment, run, running
from conformance.report import Mismatch


def test_json_is_found_behind_lines_of_notices() -> None:
    assert Finished(0, 'notice [x]\n{\n "a": 1\n}\n', "").json() == {"a": 1}
    assert Finished(0, "null\n", "").json() is None
    with pytest.raises(Mismatch, match="no JSON in: plain"):
        Finished(0, "plain", "").json()
    with pytest.raises(Mismatch, match="exit code 3: it broke"):
        Finished(3, "{}", "it broke").json()


async def test_a_command_that_does_not_end_is_ended() -> None:
    with pytest.raises(Mismatch, match="did not end"):
        await run(
            [sys.executable, "-c", "input()\nimport signal; signal.pause()"], environment({}), text="\n", timeout=1
        )


async def test_what_a_program_says_is_waited_for() -> None:
    script = "print('ready at 7', flush=True)\nimport signal\nsignal.pause()"
    async with running([sys.executable, "-c", script], environment({})) as program:
        assert await program.wait_for("ready") == "ready at 7"
    assert program.process.returncode is not None


async def test_a_program_that_ends_early_is_told_with_its_last_words() -> None:
    async with running([sys.executable, "-c", "print('no such thing')"], environment({})) as program:
        with pytest.raises(Mismatch, match="ended without saying 'ready': no such thing"):
            await program.wait_for("ready")


def test_nothing_of_the_callers_configuration_reaches_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCLAW_GATEWAY_TOKEN", "mine")
    monkeypatch.setenv("HOMARUS_HOME", "/home/mine")
    assert {"OPENCLAW_GATEWAY_TOKEN", "HOMARUS_HOME"}.isdisjoint(command.environment({"HOME": "/x"}))
