"""Messages that one run had collected stay one run after a stop."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.crash.history import open_history
from tests.crash.small_world import Surroundings, alive, check_pairs
from tests.pipeline.harness import direct

from homarus.testing.scripted_model import ScriptedModel, call, say


async def test_collected_messages_are_answered_once_after_a_stop_in_the_middle_of_their_run(quick_path: Path) -> None:
    first, second, never = asyncio.Event(), asyncio.Event(), asyncio.Event()
    model = ScriptedModel([say("first"), call(("c1", "read", "{}")), say("both"), say("too much")], gate=first)
    around = Surroundings(quick_path, model)
    async with alive(around) as here:
        await here.receive(direct("t1", 1))
        await here.until(lambda: len(model.requests) == 1)
        await here.receive(direct("t2", 2))
        await here.receive(direct("t3", 3))
        model.gate = second
        first.set()
        await here.until(lambda: len(model.requests) == 2)
        model.gate = never
        second.set()
        await here.until(lambda: len(model.requests) == 3)
    model.gate = None
    async with alive(around) as again:
        assert again.taken_up == 2
        await again.rest(3)
    assert [part.text for part in around.network.sent] == ["first", "both"]
    assert len(model.requests) == 4  # the last was asked twice: the stop came before its answer
    for request in model.requests:
        check_pairs(request)
    async with open_history(None, quick_path) as history:
        [_, one, other] = await history.stories()
    assert one.run == other.run
    assert [entry.type for entry in one.entries] == ["user", "assistant", "tool_result", "assistant"]
