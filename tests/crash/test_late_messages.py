"""A message that waited for longer than its time is answered with a mark, never as if it had just come."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.crash.history import Story, open_history
from tests.crash.small_world import Surroundings, alive
from tests.pipeline.harness import direct

from homarus.models.contract import Text, UserMessage
from homarus.pipeline.run_store import LATE_AFTER_MS
from homarus.testing.scripted_model import ScriptedModel, say

HOUR = 3_600.0
LATE = LATE_AFTER_MS / 1000


async def stop_with_one_waiting(around: Surroundings, model: ScriptedModel) -> None:
    """Leave a journal in which one message is answered by a run under way and one is queued behind it."""
    model.gate = asyncio.Event()
    async with alive(around) as here:
        await here.receive(direct("please look at t1", 1))
        await here.until(lambda: len(model.requests) == 1)
        await here.receive(direct("please look at t2", 2))
    model.gate = None


async def restart_after(seconds: float, root: Path, model: ScriptedModel) -> list[Story]:
    around = Surroundings(root, model)
    await stop_with_one_waiting(around, model)
    around.clock.advance(seconds)
    async with alive(around) as again:
        assert again.taken_up == 2
        await again.rest(2)
    async with open_history(None, root) as history:
        return await history.stories()


def last_user_text(model: ScriptedModel) -> str:
    row = [row for row in model.requests[-1].messages if isinstance(row, UserMessage)][-1]
    return "".join(part.text for part in row.content if isinstance(part, Text))


async def test_a_message_that_waited_through_a_night_tells_so_to_the_model_and_the_transcript(quick_path: Path) -> None:
    model = ScriptedModel([say("fine")])
    [_, waited] = await restart_after(7 * HOUR, quick_path, model)
    assert waited.message.state == "delivered"
    assert waited.entries[0].payload["late"] == "[received 7 h ago, while I was offline]"
    assert waited.entries[0].payload["text"] == "please look at t2"
    assert last_user_text(model) == "[received 7 h ago, while I was offline] [stamp] please look at t2"
    assert "running late: received 7 h ago, while I was offline" in waited.message.trail


async def test_a_run_that_a_long_stop_interrupted_is_noted_as_late_and_ends_once(quick_path: Path) -> None:
    model = ScriptedModel([say("fine")])
    [resumed, _] = await restart_after(50 * HOUR, quick_path, model)
    assert resumed.message.state == "delivered"
    assert [entry.type for entry in resumed.entries] == ["user", "note", "assistant"]
    assert resumed.entries[1].payload == {"kind": "late", "text": "[received 2 days ago, while I was offline]"}
    assert "running late: received 2 days ago" in resumed.message.trail


@pytest.mark.parametrize("seconds", [0.0, LATE - 1])
async def test_a_message_that_waited_a_little_is_answered_as_ever(seconds: float, quick_path: Path) -> None:
    model = ScriptedModel([say("fine")])
    stories = await restart_after(seconds, quick_path, model)
    assert all("late" not in entry.payload for story in stories for entry in story.entries)
    assert all("late" not in story.message.trail for story in stories)
    assert last_user_text(model) == "[stamp] please look at t2"


async def test_a_message_that_waited_in_a_gateway_that_was_up_does_not_blame_a_stop(quick_path: Path) -> None:
    model = ScriptedModel([say("fine")], gate=asyncio.Event())
    around = Surroundings(quick_path, model)
    async with alive(around) as here:
        await here.receive(direct("please look at t1", 1))
        await here.until(lambda: len(model.requests) == 1)
        await here.receive(direct("please look at t2", 2))
        around.clock.advance(8 * HOUR)
        assert model.gate is not None
        model.gate.set()
        await here.rest(2)
    async with open_history(None, quick_path) as history:
        [_, waited] = await history.stories()
    assert waited.entries[0].payload["late"] == "[received 8 h ago]"


@pytest.mark.parametrize(("hours", "mark"), [(9, "[sent 9 h ago, and kept by the platform meanwhile]"), (1, None)])
async def test_a_message_that_its_platform_kept_for_a_night_is_not_taken_for_a_fresh_one(
    hours: int, mark: str | None, quick_path: Path
) -> None:
    around = Surroundings(quick_path, ScriptedModel([say("fine")]))
    sent_at = around.clock.now_ms() - hours * 3_600_000
    async with alive(around) as here:
        await here.receive(replace(direct("please look at t1", 1), sent_at=sent_at))
        await here.rest(1)
    async with open_history(None, quick_path) as history:
        [story] = await history.stories()
    assert story.entries[0].payload.get("late") == mark
    assert ("running late: sent" in story.message.trail) == (mark is not None)
