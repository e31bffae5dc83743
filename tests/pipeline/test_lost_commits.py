"""Commits whose answer does not arrive, and commits that take longer than the run they belong to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import pytest
from sqlalchemy import text
from tests.pipeline.harness import OWNER, FakeToolbox, direct, world

from homarus.errors import StorageError
from homarus.models.contract import ToolCall
from homarus.storage.database import Connection, Database
from homarus.storage.postgres import PostgresDatabase
from homarus.testing.scripted_model import ScriptedModel, call, say

P = ParamSpec("P")
T = TypeVar("T")
STEER: dict[str, object] = {"messages": {"queue": {"debounceMs": 0, "mode": "steer"}}}
ENDED = {"delivered", "silent", "dropped", "failed"}


class Lossy:
    """A database that commits what `loses` names, and then says it failed."""

    dialect = "sqlite"
    is_failing = False

    def __init__(self, database: Database) -> None:
        self._database = database
        self.loses: set[str] = set()

    async def write(self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        result = await self._database.write(fn, *args, **kwargs)
        name = getattr(fn, "__name__", "")
        if name in self.loses:
            self.loses.remove(name)
            raise StorageError("the connection broke")
        return result

    async def read(self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._database.read(fn, *args, **kwargs)

    async def close(self) -> None:
        await self._database.close()


def losing() -> tuple[list[Lossy], Callable[[Database], Database]]:
    """Return what wraps a database, and the list that holds it then."""
    made: list[Lossy] = []

    def wrap(database: Database) -> Database:
        made.append(Lossy(database))
        return made[0]

    return made, wrap


async def test_messages_that_a_stop_took_back_are_not_answered_although_its_answer_got_lost(tmp_path: Path) -> None:
    gate = asyncio.Event()
    lossy, wrap = losing()
    async with world(tmp_path, ScriptedModel([say("hi")], gate=gate), wrap=wrap) as here:
        await here.pipeline.accept(direct("one", 1))
        await here.until(lambda rows: [row.state for row in rows] == ["running"])
        await here.pipeline.accept(direct("two", 2))
        lossy[0].loses = {"move_inbound"}
        with pytest.raises(StorageError):
            await here.pipeline.accept(direct("stop", 3))
        gate.set()
        await here.until(lambda _rows: here.pipeline.load().sessions == 0)
        rows = await here.messages()
        assert [(row.text, row.state) for row in rows] == [("stop", "silent"), ("two", "silent"), ("one", "silent")]
        assert here.network.sent == []


async def test_a_message_steered_into_a_run_twice_is_in_it_once(tmp_path: Path) -> None:
    lossy: list[Lossy] = []
    toolbox = FakeToolbox()

    def wrap(database: Database) -> Database:
        lossy.append(Lossy(database))
        return lossy[0]

    async with world(tmp_path, _working_model(), toolbox=toolbox, config=STEER, wrap=wrap) as here:
        started, go = _hold(toolbox)
        await here.pipeline.accept(direct("one", 1))
        await started.wait()
        await here.pipeline.accept(direct("two", 2))
        lossy[0].loses = {"steer"}
        go.set()
        rows = await here.until_settled()
        assert {row.run_id for row in rows} == {rows[0].run_id}
        assert [part.text for part in here.network.sent] == ["done"]


@pytest.mark.parametrize("reason", ["rpc", "interrupt"])
async def test_an_abort_does_not_overtake_the_commit_of_a_steered_message(
    tmp_path: Path, postgres_url: str, reason: str
) -> None:
    toolbox = FakeToolbox()
    async with world(tmp_path, _working_model(), toolbox=toolbox, config=STEER, url=postgres_url) as here:
        started, go = _hold(toolbox)
        await here.pipeline.accept(direct("one", 1))
        await started.wait()
        await here.pipeline.accept(direct("two", 2))
        database = cast("PostgresDatabase", here.parts.database)
        with database.engine.connect() as other:
            other.execute(text("SELECT seq FROM inbound WHERE external_id = 'm2' FOR UPDATE"))
            go.set()
            while not await database.read(_count_waiters):
                await asyncio.sleep(0.005)
            [info] = here.pipeline.active()
            assert await here.pipeline.abort(info.session_key, info.run_id, reason, OWNER) == (info.run_id,)
            for _ in range(20):  # what would overtake does so now
                await here.messages()
            other.rollback()
        rows = await here.until_settled()
        assert {row.state for row in rows} <= ENDED


def _working_model() -> ScriptedModel:
    return ScriptedModel([call(("c1", "read", "{}")), say("done")])


def _hold(toolbox: FakeToolbox) -> tuple[asyncio.Event, asyncio.Event]:
    """Let the next tool call wait for the test."""
    started, go = asyncio.Event(), asyncio.Event()
    original = toolbox.run

    async def run(asked: ToolCall, context: Any) -> Any:
        started.set()
        await go.wait()
        return await original(asked, context)

    toolbox.run = run  # pyright: ignore[reportAttributeAccessIssue]
    return started, go


def _count_waiters(connection: Connection) -> int:
    return connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one()


@pytest.mark.parametrize(("is_aborted", "end"), [(True, "TurnAborted"), (False, "TurnFinished")])
async def test_those_who_watch_a_run_hear_of_its_end_although_the_answer_of_its_commit_got_lost(
    tmp_path: Path, end: str, *, is_aborted: bool
) -> None:
    gate = asyncio.Event()
    lossy, wrap = losing()
    async with world(tmp_path, ScriptedModel([say("hi")], gate=gate), wrap=wrap) as here:
        await here.pipeline.accept(direct("one", 1))
        await here.until(lambda _rows: "TurnStarted" in here.event_names())
        lossy[0].loses = {"_close"}
        if is_aborted:
            run_id = (await here.messages())[0].run_id
            await here.pipeline.abort("agent:main:main", run_id, "rpc", OWNER)
        gate.set()
        await here.until(lambda _rows: here.pipeline.load().sessions == 0)
        ends = [name for name in here.event_names() if name in {"TurnAborted", "TurnFinished", "TurnFailed"}]
        assert ends == [end]
