from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.gateway.fake_clock import FakeClock
from tests.gateway.operations.desk import Desk, desk

from homarus.errors import UserError
from homarus.gateway.services import Services
from homarus.gateway.wizard import Asker, Choice, Flow, Wizards


class Interview:
    """A flow that asks one question of each kind and notes the answers."""

    def __init__(self) -> None:
        self.answers: list[object] = []
        self.taken_over = 0

    def flow(self, workspace: str | None) -> Flow:
        async def follow(asker: Asker) -> None:
            await asker.note("Hello", f"for {workspace}")
            self.answers.append(await asker.select("Which?", [Choice("a", "A"), Choice("b", "B", "better")], "a"))
            self.answers.append(await asker.text("Name", "Ann", check=_no_digits))
            self.answers.append(await asker.text("Key", is_secret=True))
            self.answers.append(await asker.confirm("Sure?", initial=True))

        return follow

    async def take_over(self) -> None:
        await asyncio.sleep(0)
        self.taken_over += 1

    def installed(self) -> Callable[[Services], Services]:
        return lambda services: replace(services, wizards=Wizards(FakeClock(), self.flow, self.take_over))


def _no_digits(text: str) -> None:
    if any(char.isdigit() for char in text):
        raise UserError("no digits", fix="write letters")


async def answered(here: Desk, found: dict[str, Any], value: object) -> dict[str, Any]:
    answer = {"stepId": found["step"]["id"], "value": value}
    return await here.ok("wizard.next", {"sessionId": found.get("sessionId") or here.run, "answer": answer})


async def test_a_run_asks_checks_and_takes_over_what_was_written(tmp_path: Path) -> None:
    interview = Interview()
    async with desk(tmp_path, change=interview.installed()) as here:
        found = await here.ok("wizard.start", {"mode": "local", "workspace": "/ws"})
        here.run = found["sessionId"]
        assert (found["step"]["type"], found["step"]["message"], found["done"]) == ("note", "for /ws", False)
        assert "already running" in await here.refusal("wizard.start", {})
        found = await answered(here, found, None)
        assert found["step"]["options"][1] == {"value": "b", "label": "B", "hint": "better"}
        found = await answered(here, found, "c")
        assert found["step"]["message"].startswith("choose one of the options")
        found = await answered(here, found, "b")
        found = await answered(here, found, "R2D2")
        assert "no digits (write letters)" in found["step"]["message"]
        found = await answered(here, found, "")
        assert (found["step"]["sensitive"], found["step"]["initialValue"]) == (True, "")
        stale = {"stepId": "old", "value": 1}
        assert "no pending step" in await here.refusal("wizard.next", {"sessionId": here.run, "answer": stale})
        found = await answered(here, found, "s3cret")
        found = await answered(here, found, "yes")
        found = await answered(here, found, False)
        assert found == {"done": True, "status": "done"}
        assert interview.answers == ["b", "Ann", "s3cret", False]
        assert interview.taken_over == 1
        assert await here.ok("wizard.status", {"sessionId": here.run}) == {"status": "done"}
        assert "not running" in await here.refusal("wizard.next", {"sessionId": here.run, "answer": stale})
        assert (await here.ok("wizard.start", {}))["sessionId"]


async def test_a_run_is_cancelled_and_writes_nothing(tmp_path: Path) -> None:
    interview = Interview()
    async with desk(tmp_path, change=interview.installed()) as here:
        run = (await here.ok("wizard.start", {}))["sessionId"]
        assert await here.ok("wizard.cancel", {"sessionId": run}) == {"status": "cancelled"}
        assert (interview.answers, interview.taken_over) == ([], 0)
        assert await here.refusal("wizard.status", {"sessionId": "x"}) == "wizard not found"
        assert "remote" in await here.refusal("wizard.start", {"mode": "remote"})


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (UserError("the disk is full", fix="make room"), "the disk is full (make room)"),
        (OSError(28, "No space left on device"), "a file could not be read or written: No space left on device"),
        (ZeroDivisionError("the inner workings"), "an internal error; see the log"),
    ],
)
async def test_a_flow_that_fails_says_why(tmp_path: Path, failure: Exception, told: str) -> None:
    def broken(_workspace: str | None) -> Flow:
        async def follow(asker: Asker) -> None:
            await asker.note("", "")
            raise failure

        return follow

    async def nothing() -> None:
        raise AssertionError("nothing was written")

    def change(services: Services) -> Services:
        return replace(services, wizards=Wizards(FakeClock(), broken, nothing))

    async with desk(tmp_path, change=change) as here:
        found = await here.ok("wizard.start", {})
        here.run = found["sessionId"]
        ended = await answered(here, found, None)
        assert ended == {"done": True, "status": "error", "error": told}


async def test_without_a_wizard_the_command_line_is_named(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        assert "homarus onboard" in await here.refusal("wizard.start", {})
