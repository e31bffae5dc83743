"""Stops that come while a run is being taken up: its messages wait no more, and its turn has not begun."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import pytest
from msgspec.structs import replace
from tests.pipeline.harness import OWNER, World, chat, direct, world
from tests.pipeline.test_collected_files import FILE

from homarus.agent.events import TurnAborted, TurnFinished
from homarus.agent.loop import Turn
from homarus.pipeline.run_store import Begun
from homarus.storage.database import Connection, Database
from homarus.storage.records import InboundMessage
from homarus.testing.scripted_model import ScriptedModel, say

P = ParamSpec("P")
T = TypeVar("T")


class Door:
    """Shows that somebody stands before it, and lets nobody through until it is opened."""

    def __init__(self) -> None:
        self.knocked = asyncio.Event()
        self.opened = asyncio.Event()

    async def pass_through(self) -> None:
        self.knocked.set()
        await self.opened.wait()


class SlowStart:
    """A database in which a run begins only when the door is open."""

    dialect = "sqlite"
    is_failing = False

    def __init__(self, database: Database, door: Door) -> None:
        self._database = database
        self._door = door

    async def write(self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        result = await self._database.write(fn, *args, **kwargs)
        if getattr(fn, "__name__", "") == "_begin":
            await self._door.pass_through()
        return result

    async def read(self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._database.read(fn, *args, **kwargs)

    async def close(self) -> None:
        await self._database.close()


class SlowFiles:
    """A platform that does not hand out its files."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def collect(self, message: InboundMessage) -> list[str]:
        await self._door.pass_through()
        return []


async def ends_silently(here: World, reason: str, model: ScriptedModel) -> None:
    messages = await here.until_settled()
    assert {message.state for message in messages} == {"silent"}
    assert reason in messages[-1].reason
    assert (model.requests, here.network.sent) == ([], [])


async def test_an_abort_between_the_commit_that_begins_a_run_and_its_turn_stops_it(tmp_path: Path) -> None:
    door, model = Door(), ScriptedModel([say("never")])
    async with world(tmp_path, model, wrap=lambda database: SlowStart(database, door)) as here:
        await here.pipeline.submit(chat("long"))
        await door.knocked.wait()
        assert await here.pipeline.abort("agent:main:main", "r1", "rpc", OWNER) == ("r1",)
        door.opened.set()
        await ends_silently(here, "aborted: rpc", model)
        assert here.event_names() == ["TurnAborted"]


async def test_an_abort_while_a_turn_is_prepared_stops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    door, model = Door(), ScriptedModel([say("never")])
    async with world(tmp_path, model) as here:
        make = here.parts.factory.make

        async def make_slowly(begun: Begun) -> Turn:
            await door.pass_through()
            return await make(begun)

        monkeypatch.setattr(here.parts.factory, "make", make_slowly)
        await here.pipeline.submit(chat("long"))
        await door.knocked.wait()
        assert await here.pipeline.abort("agent:main:main", None, "rpc", OWNER) == ("r1",)
        assert await here.pipeline.abort("agent:main:main", None, "rpc", OWNER) == ()
        door.opened.set()
        await ends_silently(here, "aborted: rpc", model)


async def test_a_stop_word_does_not_wait_for_the_files_of_the_message_before(tmp_path: Path) -> None:
    door, model = Door(), ScriptedModel([say("never")])
    async with world(tmp_path, model, collector=SlowFiles(door)) as here:
        await here.pipeline.accept(replace(direct("read this", 1), attachments=(FILE,)))
        await door.knocked.wait()
        await here.pipeline.accept(direct("stop", 2))
        await ends_silently(here, "aborted: stop", model)


async def test_a_stop_of_the_process_while_files_come_loses_nothing(tmp_path: Path) -> None:
    door = Door()
    async with world(tmp_path, ScriptedModel([say("never")]), collector=SlowFiles(door)) as here:
        await here.pipeline.accept(replace(direct("read this"), attachments=(FILE,)))
        await door.knocked.wait()
    door.opened.set()
    async with world(tmp_path, ScriptedModel([say("done")]), collector=SlowFiles(door)) as here:
        await here.until_settled()
        assert [part.text for part in here.network.sent] == ["done"]


class SlowEnd(SlowStart):
    """A database that answers after the end of a run was committed only when the door is open."""

    async def write(self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        result = await self._database.write(fn, *args, **kwargs)
        if getattr(fn, "__name__", "") == "_close":
            await self._door.pass_through()
        return result


async def test_an_abort_while_the_end_is_being_stored_leaves_the_end_that_was(tmp_path: Path) -> None:
    door = Door()
    async with world(tmp_path, ScriptedModel([say("done")]), wrap=lambda database: SlowEnd(database, door)) as here:
        await here.pipeline.submit(chat("quick"))
        await door.knocked.wait()
        assert await here.pipeline.abort("agent:main:main", "r1", "rpc", OWNER) == ("r1",)
        door.opened.set()
        [message] = await here.until_settled()
        assert message.state == "delivered"
        await here.until(lambda _rows: here.pipeline.load().sessions == 0)
        [end] = [event.event for event in here.events if isinstance(event.event, TurnFinished | TurnAborted)]
        assert (type(end), getattr(end, "text", "")) == (TurnFinished, "done")
