"""What simulating found, each as a test of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.harness import World, chat, direct, world

from homarus.channels.contract import Acceptance
from homarus.errors import StorageError
from homarus.storage import inbound
from homarus.storage.database import Database
from homarus.storage.opening import open_database
from homarus.testing.manual_clock import ManualClock
from homarus.testing.scripted_model import ScriptedModel, say


def lose_answers(here: World, monkeypatch: pytest.MonkeyPatch, count: int = 1) -> None:
    """Let the next commits succeed and their callers hear that they did not."""
    database = here.parts.database
    write, left = database.write, count

    async def write_and_fail(fn: Callable[..., object], *args: Any, **options: Any) -> object:
        nonlocal left
        result = await write(fn, *args, **options)
        if left > 0:
            left -= 1
            raise StorageError("the connection was lost")
        return result

    monkeypatch.setattr(database, "write", write_and_fail)


async def test_a_message_whose_commit_seemed_to_fail_is_answered_when_it_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path, ScriptedModel([say("yes")])) as here:
        lose_answers(here, monkeypatch)
        with pytest.raises(StorageError):
            await here.pipeline.accept(direct("hello"))
        assert await here.pipeline.accept(direct("hello")) is Acceptance.DUPLICATE
        (message,) = await here.until_settled()
        assert message.state == "delivered"
        assert [part.text for part in here.network.sent] == ["yes"]


async def test_a_submission_whose_commit_seemed_to_fail_runs_when_it_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path, ScriptedModel([say("yes")])) as here:
        lose_answers(here, monkeypatch)
        with pytest.raises(StorageError):
            await here.pipeline.submit(chat("hello"))
        assert (await here.pipeline.submit(chat("hello"))).status == "known"
        (message,) = await here.until_settled()
        assert message.state == "delivered"


async def test_a_duplicate_of_a_message_that_is_being_answered_starts_nothing(tmp_path: Path) -> None:
    gate = asyncio.Event()
    model = ScriptedModel([say("yes")], gate=gate)
    async with world(tmp_path, model) as here:
        await here.pipeline.accept(direct("hello"))
        await here.pipeline.accept(direct("hello"))
        gate.set()
        await here.until_settled()
        assert [part.text for part in here.network.sent] == ["yes"]
        assert len(model.requests) == 1


async def test_a_committed_message_is_answered_although_its_channel_stopped_waiting(tmp_path: Path) -> None:
    async with world(tmp_path, ScriptedModel([say("yes")])) as here:
        accepting = asyncio.create_task(here.pipeline.accept(direct("hello")))
        await asyncio.sleep(0)
        accepting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await accepting
        (message,) = await here.until(lambda rows: any(row.state == "delivered" for row in rows))
        assert message.text == "hello"


async def test_somebody_in_a_chat_is_told_when_a_run_took_too_long(tmp_path: Path) -> None:
    async with world(tmp_path, ScriptedModel([say("x")], gate=asyncio.Event()), timeout=0.05) as here:
        await here.pipeline.accept(direct("hello"))
        (message,) = await here.until_settled()
        assert (message.state, message.reason) == ("failed", "user told: it took longer than it may")
        assert "it took longer than it may" in here.network.sent[0].text


async def test_messages_wait_again_when_stopping_them_could_not_be_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    async with world(tmp_path, ScriptedModel([say("yes")], gate=gate), config={"messages": {"queue": {}}}) as here:
        await here.pipeline.submit(chat("one", "r1"))
        await here.until(lambda rows: any(row.state == "running" for row in rows))
        await here.pipeline.submit(chat("two", "r2"))
        refuse_moves(here, monkeypatch)
        with pytest.raises(StorageError):
            await here.pipeline.abort("agent:main:main", "r2", "rpc", chat("").requester)
        gate.set()
        rows = await here.until_settled()
        assert {row.run_id: row.state for row in rows} == {"r1": "delivered", "r2": "delivered"}


def refuse_moves(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next move of messages to another state fail."""
    write, left = here.parts.database.write, 1

    async def refuse(fn: Callable[..., object], *args: Any, **options: Any) -> object:
        nonlocal left
        if fn is inbound.move_inbound and left:
            left -= 1
            raise StorageError("the disk is full")
        return await write(fn, *args, **options)

    monkeypatch.setattr(here.parts.database, "write", refuse)


async def test_a_number_that_no_database_takes_is_a_storage_error(tmp_path: Path) -> None:
    database: Database = await open_database(None, tmp_path, ManualClock())
    with pytest.raises(StorageError, match="too large"):
        await database.read(inbound.select_messages, inbound.MessageFilter(limit=2**70))
    await database.close()
