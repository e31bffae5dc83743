from __future__ import annotations

import asyncio

import pytest

from homarus.errors import StorageError
from homarus.ids import Address
from homarus.labels import Confidentiality, Integrity, Label
from homarus.pipeline.lanes import Batch, Lanes
from homarus.storage.records import InboundMessage
from homarus.testing.manual_clock import ManualClock

KEY = "agent:main:main"


def message(name: str) -> InboundMessage:
    return InboundMessage(
        id=name, address=Address("irc", "default", "chat"), external_id=name, kind="direct", sender_id="s",
        sender_name="", text=name, payload={}, label=Label(Integrity.USER, Confidentiality.CHAT, ()), state="queued",
        received_at=0, session_key=KEY,
    )  # fmt: skip


class Work:
    """Notes what is begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended = asyncio.Event()

    async def __call__(self, batch: Batch) -> None:
        self.begun += [message.id for message in batch]
        if "last" in self.begun:
            self.ended.set()


def lanes(work: Work) -> Lanes:
    return Lanes(ManualClock(), work, lambda: 1, lambda _channel: 0.0, lambda _channel: False)


async def drop_in_vain(waiting: Lanes, taken: Batch, work: Work) -> None:
    with waiting.held(KEY, taken):
        waiting.offer(message("last"))
        for _ in range(10):
            await asyncio.sleep(0)
        assert work.begun == []
        raise StorageError("the disk is full")


async def test_what_could_not_be_taken_away_is_not_overtaken_by_what_came_behind_it() -> None:
    work = Work()
    waiting = lanes(work)
    waiting.offer(message("first"))
    taken = waiting.take_oldest(KEY)
    with pytest.raises(StorageError):
        await drop_in_vain(waiting, taken, work)
    await asyncio.wait_for(work.ended.wait(), 30)
    assert work.begun == ["first", "last"]


async def test_what_came_while_others_were_taken_away_begins_afterwards() -> None:
    work = Work()
    waiting = lanes(work)
    waiting.offer(message("first"))
    with waiting.held(KEY, waiting.take_waiting(KEY, lambda _message: True)):
        waiting.offer(message("last"))
    await asyncio.wait_for(work.ended.wait(), 30)
    await waiting.stop()
    assert work.begun == ["last"]
    assert waiting.count() == 0
