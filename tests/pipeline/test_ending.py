"""Ending politely: runs that go on may end, nothing new begins, replies leave, counters count."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.pipeline.harness import FakeNetwork, chat, direct, world

from homarus.channels.contract import ConnectionState, OutboundPart, Receipt
from homarus.meter import STAGES, Meter
from homarus.models.contract import Completed, Failed, FailureKind, ModelEvent, ModelRequest, Usage
from homarus.models.metered import MeteredModel
from homarus.testing.manual_clock import ManualClock
from homarus.testing.scripted_model import ScriptedModel, say


class BlockingModel(ScriptedModel):
    """Says when it was asked, and answers when let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.asked = asyncio.Event()
        super().__init__([self._answer], gate=self.let)

    def _answer(self, _request: ModelRequest) -> Completed:
        return say("done")

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        self.asked.set()
        async for event in super().stream(request):
            yield event


class SlowNetwork(FakeNetwork):
    """Sends only when let."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()
        self.let = asyncio.Event()

    async def send(self, part: OutboundPart) -> Receipt:
        self.begun.set()
        await self.let.wait()
        return await super().send(part)


async def test_what_runs_ends_and_what_waits_stays_in_the_journal(tmp_path: Path) -> None:
    model = BlockingModel()
    async with world(tmp_path, model) as w:
        await w.pipeline.submit(chat("one", "r1"))
        await model.asked.wait()
        await w.pipeline.submit(chat("two", "r2"))
        load = w.pipeline.load()
        assert (load.sessions, load.waiting, load.running) == (1, 1, 1)
        ending = asyncio.create_task(w.pipeline.finish(30))
        await asyncio.sleep(0)
        await w.pipeline.submit(chat("three", "r3", key="agent:main:other"))
        model.let.set()
        await ending
        states = {message.text: message.state for message in await w.messages()}
        assert states == {"one": "delivered", "two": "queued", "three": "queued"}
    async with world(tmp_path, model) as w:
        assert {message.state for message in await w.until_settled()} == {"delivered"}


async def test_a_run_that_does_not_end_in_time_is_left_to_the_next_start(tmp_path: Path) -> None:
    model = BlockingModel()
    async with world(tmp_path, model) as w:
        await w.pipeline.submit(chat("one", "r1"))
        await model.asked.wait()
        await w.pipeline.finish(0.01)
        assert [message.state for message in await w.messages()] == ["running"]
    model.let.set()
    async with world(tmp_path, model) as w:
        assert [message.state for message in await w.until_settled()] == ["delivered"]


async def test_a_closed_sender_finishes_the_part_on_its_way_and_leaves_the_rest(tmp_path: Path) -> None:
    network = SlowNetwork()
    text = "word " * 100
    model = ScriptedModel([say(text)])
    async with world(tmp_path, model, network=network) as w:
        await w.pipeline.accept(direct("hello"))
        await network.begun.wait()
        w.delivery.close()
        network.let.set()
        await network.arrived.wait()
    network.let.set()
    async with world(tmp_path, model, network=network) as w:
        assert [message.state for message in await w.until_settled()] == ["delivered"]
    assert [part.index for part in network.sent] == list(range(len(network.sent)))
    assert not [part for part in network.sent if part.attempt > 1]


async def test_a_sender_rests_when_everything_is_sent_or_nothing_can_be(tmp_path: Path) -> None:
    network = FakeNetwork()
    model = ScriptedModel([say("hi"), say("ho")])
    async with world(tmp_path, model, network=network) as w:
        await w.pipeline.accept(direct("hello"))
        await w.until_settled()
        await w.delivery.rest()
        assert len(network.sent) == 1
        network.standing.change(ConnectionState.DISCONNECTED)
        await w.pipeline.accept(direct("again", 2))
        await w.until(lambda rows: all(row.state in {"delivered", "replied"} for row in rows))
        await w.delivery.rest()
        assert len(network.sent) == 1


async def test_every_stage_of_a_turn_is_counted(tmp_path: Path) -> None:
    model = ScriptedModel([say("hi")])
    async with world(tmp_path, model) as w:
        await w.pipeline.accept(direct("hello"))
        await w.pipeline.accept(direct("hello"))
        await w.pipeline.accept(direct("who are you", 2, sender="stranger"))
        await w.until_settled()
        meter = w.parts.meter
        assert meter.received.values["net", "queued"] == 1
        assert meter.received.values["net", "duplicate"] == 1
        assert meter.received.values["net", "dropped"] == 1
        assert meter.processed == 2
        assert meter.runs.values == {("done",): 1}
        assert {stage for stage in STAGES if meter.stages[stage].count} == {"queue", "prepare", "commit"}


async def test_a_model_counts_its_calls_tokens_and_first_token_and_logs_failures(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = Completed(say("hello").message, "stop", Usage(10, 2, 3, None))
    meter = Meter()
    model = MeteredModel(ScriptedModel([answer, Failed(FailureKind.AUTH, "no")]), meter, ManualClock())
    for _ in range(2):
        events = [event async for event in model.stream(ModelRequest("m", "", ()))]
        assert isinstance(events[-1], Completed | Failed)
    ref = model.info.ref
    assert meter.model_calls.values == {(ref, "done"): 1, (ref, "auth"): 1}
    assert caplog.messages == [f"{ref} failed after 0.0 s: no"]
    assert meter.tokens.values[ref, "input"] == 10
    assert meter.tokens.values[ref, "cache_read"] == 3
    assert (meter.stages["model_first_token"].count, meter.stages["model"].count) == (1, 2)
