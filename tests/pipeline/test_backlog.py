"""What happens when more comes for a busy session than may wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.pipeline.harness import World, chat, direct, group, world

from homarus.errors import StorageError, UserError
from homarus.models.contract import ModelRequest, Text, UserMessage
from homarus.pipeline import backlog
from homarus.pipeline.backlog import SHORTENED_PER_PLACE
from homarus.storage.records import InboundMessage
from homarus.testing.scripted_model import ScriptedModel, say

CAP = 3


def queue(**keys: object) -> dict[str, object]:
    return {"messages": {"queue": {"debounceMs": 0, "cap": CAP, **keys}}}


def asked(request: ModelRequest) -> str:
    last = request.messages[-1]
    assert isinstance(last, UserMessage)
    return "".join(part.text for part in last.content if isinstance(part, Text))


@asynccontextmanager
async def busy(root: Path, **keys: object) -> AsyncGenerator[tuple[World, ScriptedModel, asyncio.Event]]:
    """A pipeline that is answering `m0` until the test lets it."""
    gate = asyncio.Event()
    model = ScriptedModel([say("done")], gate=gate)
    async with world(root, model, config=queue(**keys)) as here:
        await here.pipeline.accept(direct("m0", 0))
        await here.until(lambda _rows: bool(model.requests))
        yield here, model, gate


def ends(rows: list[InboundMessage]) -> dict[str, str]:
    return {row.text.split()[0]: row.state for row in rows}


@pytest.mark.parametrize(("drop", "left_out"), [("old", {"m1", "m2"}), ("new", {"m4", "m5"})])
async def test_what_is_too_much_is_dropped_by_name_and_the_chat_is_told_once(
    tmp_path: Path, drop: str, left_out: set[str]
) -> None:
    async with busy(tmp_path, drop=drop) as (here, model, gate):
        for number in range(1, 6):
            await here.pipeline.accept(direct(f"m{number}", number))
        gate.set()
        rows = await here.until_settled()
        assert {name for name, state in ends(rows).items() if state == "dropped"} == left_out
        assert {row.reason for row in rows if row.state == "dropped"} == {
            f"queue full: messages.queue.cap is {CAP}, messages.queue.drop is {drop}"
        }
        assert not any(name in asked(model.requests[-1]) for name in left_out)
        told = [part.text for part in here.network.sent if "waiting here" in part.text]
        assert len(told) == 1
        assert f"More than {CAP} messages" in told[0]
        assert here.parts.meter.received.values["net", "overflow"] == 2


async def test_a_chat_is_told_again_once_it_had_caught_up(tmp_path: Path) -> None:
    async with busy(tmp_path, drop="new", cap=1) as (here, model, gate):
        for number in range(1, 4):
            await here.pipeline.accept(direct(f"m{number}", number))
        gate.set()
        await here.until(lambda _rows: here.pipeline.load().sessions == 0)
        gate.clear()
        await here.pipeline.accept(direct("m5", 5))
        await here.until(lambda _rows: len(model.requests) == 3)
        for number in range(6, 9):
            await here.pipeline.accept(direct(f"m{number}", number))
        gate.set()
        await here.until_settled()
        assert len([part for part in here.network.sent if "waiting here" in part.text]) == 2


async def test_by_default_the_beginnings_of_the_oldest_are_kept_and_all_are_answered(tmp_path: Path) -> None:
    async with busy(tmp_path) as (here, model, gate):
        for number in range(1, 6):
            await here.pipeline.accept(direct(f"m{number} " + "word " * 100, number))
        gate.set()
        rows = await here.until_settled()
        assert set(ends(rows).values()) == {"delivered"}
        text = asked(model.requests[-1])
        assert "[2 earlier message(s) were too many to take whole; this is how they begin]" in text
        for number, length in ((1, 160), (2, 160), (3, 500), (4, 500), (5, 500)):
            line = next(line for line in text.splitlines() if f"m{number} " in line)
            assert abs(len(line) - length) < 30, line
        trails = {row.text.split()[0]: row.trail for row in rows}
        assert "shortened: too many waited" in trails["m1"]
        assert "shortened" not in trails["m3"]
        assert "waiting here" not in str(here.network.sent)


async def test_shortened_messages_are_bounded_too(tmp_path: Path) -> None:
    count = CAP * (SHORTENED_PER_PLACE + 1) + 2
    async with busy(tmp_path) as (here, _model, gate):
        for number in range(1, count + 1):
            await here.pipeline.accept(direct(f"m{number}", number))
        assert here.pipeline.load().waiting == count - 2
        gate.set()
        rows = await here.until_settled()
        assert {name for name, state in ends(rows).items() if state == "dropped"} == {"m1", "m2"}
        assert sum("waiting here" in part.text for part in here.network.sent) == 1


async def test_in_followup_mode_shortened_messages_go_with_the_first_whole_one(tmp_path: Path) -> None:
    async with busy(tmp_path, mode="followup", cap=2) as (here, model, gate):
        for number in range(1, 5):
            await here.pipeline.accept(direct(f"m{number}", number))
        gate.set()
        await here.until_settled()
        texts = [asked(request) for request in model.requests]
        assert len(texts) == 3
        assert "- m1\n- m2\nm3" in texts[1]
        assert texts[2].endswith("m4")


async def test_a_drop_that_cannot_be_noted_is_no_drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with busy(tmp_path, drop="old", cap=1) as (here, _model, gate):
        await here.pipeline.accept(direct("m1", 1))

        def fail(*_args: object) -> None:
            raise StorageError("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(backlog, "_drop", fail)
            with pytest.raises(StorageError):
                await here.pipeline.accept(direct("m2", 2))
        gate.set()
        assert set(ends(await here.until_settled()).values()) == {"delivered"}


async def test_each_session_has_a_queue_of_its_own_and_a_restart_drops_nothing(tmp_path: Path) -> None:
    async with busy(tmp_path, drop="new", cap=1) as (here, _model, _gate):
        for number in range(1, 3):
            await here.pipeline.accept(direct(f"m{number}", number))
            await here.pipeline.accept(group(f"g{number}", number, is_mentioned=True))
        assert ends(await here.messages()) == {
            "m0": "running", "m1": "queued", "m2": "dropped", "g1": "running", "g2": "queued"
        }  # fmt: skip
    async with world(tmp_path, ScriptedModel([say("done")]), config=queue(cap=1)) as here:
        assert set(ends(await here.until_settled()).values()) == {"delivered", "dropped"}


async def test_a_surface_is_refused_before_anything_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MAX_SUBMITTED", 2)
    gate = asyncio.Event()
    async with world(tmp_path, ScriptedModel([say("done")], gate=gate)) as here:
        for number in range(3):
            await here.pipeline.submit(chat("hello", f"r{number}"))
            await here.until(lambda rows: any(row.state == "running" for row in rows))
        with pytest.raises(UserError, match="2 messages wait in this session already"):
            await here.pipeline.submit(chat("hello", "r3"))
        assert (await here.pipeline.submit(chat("hello", "r2"))).status == "known"
        gate.set()
        assert len(await here.until_settled()) == 3


async def test_the_newest_message_interrupts_the_run_of_its_chat(tmp_path: Path) -> None:
    async with busy(tmp_path, mode="interrupt") as (here, model, gate):
        await here.pipeline.accept(direct("m1", 1))
        await here.until(lambda found: any(row.state == "silent" for row in found))
        gate.set()
        rows = await here.until_settled()
        assert [(row.text, row.state, row.reason) for row in rows] == [
            ("m1", "delivered", ""),
            ("m0", "silent", "aborted: interrupt"),
        ]
        assert len(model.requests) == 2
        assert [part.text for part in here.network.sent] == ["done"]
