"""A gateway that comes back with ten thousand parts to send: in order, at the channel's pace, nothing left over."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.crash.small_world import LeapingClock
from tests.pipeline.harness import FakeNetwork

from homarus.channels.contract import OutboundPart, Receipt
from homarus.channels.sdk.rate import TokenBucket
from homarus.errors import Permanent
from homarus.ids import Address
from homarus.pipeline.delivery import Delivery
from homarus.pipeline.outbox import NOTICE
from homarus.storage.database import Connection, Database
from homarus.storage.opening import open_database
from homarus.storage.outbound import begin_attempt, count_parts, insert_parts
from homarus.storage.records import OutboundMessage
from homarus.testing.manual_clock import ManualClock

PARTS, CHATS = 10_000, 50
BURST, INTERVAL = 4, 2.0  # as the IRC channel's manifest has it


@dataclass
class Wire(FakeNetwork):
    """A network that remembers when each part came, and says when there were enough."""

    clock: ManualClock = field(default_factory=ManualClock)
    wanted: int = PARTS
    times: list[float] = field(default_factory=list[float])
    is_done: asyncio.Event = field(default_factory=asyncio.Event)
    deaf: frozenset[str] = frozenset()

    async def send(self, part: OutboundPart) -> Receipt:
        if part.address.chat in self.deaf:
            self.wanted -= 1
            raise Permanent("no such nick")
        self.times.append(self.clock.monotonic())
        receipt = await super().send(part)
        if len(self.sent) >= self.wanted:
            self.is_done.set()
        return receipt


def part(number: int, clock: ManualClock, chat: int) -> OutboundMessage:
    address = Address("net", "default", f"chat{chat}")
    now = clock.now_ms()
    return OutboundMessage(f"p{number}", f"k{number}", None, address, 0, 1, f"part {number}", "pending", now, now)


def store(connection: Connection, parts: list[OutboundMessage], interrupted: str | None) -> None:
    insert_parts(connection, parts)
    if interrupted is not None:
        begin_attempt(connection, interrupted, parts[0].created_at)


async def drain(database: Database, wire: Wire) -> None:
    bucket = TokenBucket(wire.clock, burst=BURST, interval=INTERVAL)
    delivery = Delivery(database, wire.clock, wire, ("net", "default"), bucket)
    sending = asyncio.create_task(delivery.run())
    finished = asyncio.create_task(wire.is_done.wait())
    await asyncio.wait((sending, finished), return_when=asyncio.FIRST_COMPLETED)
    while (await database.read(count_parts)).get("sending"):
        await asyncio.sleep(0)
    assert not sending.done()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


async def reopened(root: Path, clock: ManualClock, parts: list[OutboundMessage], interrupted: str | None) -> Database:
    """Store what waits, stop, and start again."""
    database = await open_database(None, root, clock)
    await database.write(store, parts, interrupted)
    await database.close()
    return await open_database(None, root, clock)


def by_chat(wire: Wire) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for sent in wire.sent:
        found[sent.address.chat].append(sent.text)
    return found


async def test_ten_thousand_parts_drain_in_order_at_the_pace_of_the_channel(quick_path: Path) -> None:
    clock = LeapingClock()
    wire = Wire(clock=clock)
    parts = [part(number, clock, number % CHATS) for number in range(PARTS)]
    database = await reopened(quick_path, clock, parts, "p0")
    try:
        await drain(database, wire)
        assert await database.read(count_parts) == {"sent": PARTS}
    finally:
        await database.close()
    assert len(wire.sent) == PARTS
    expected = {f"chat{chat}": [f"part {number}" for number in range(chat, PARTS, CHATS)] for chat in range(CHATS)}
    expected["chat0"][0] = f"{NOTICE}part 0"  # it was being sent when the process stopped
    assert by_chat(wire) == expected
    paced = [max(0, number - BURST + 1) * INTERVAL for number in range(PARTS)]
    assert wire.times == pytest.approx(paced)


async def test_one_chat_with_a_long_queue_does_not_hold_up_the_others(quick_path: Path) -> None:
    clock = LeapingClock()
    wire = Wire(clock=clock, wanted=303)
    crowd = [part(number, clock, 0) for number in range(300)]
    late = [part(300 + chat, clock, chat) for chat in range(1, 4)]
    database = await reopened(quick_path, clock, [*crowd, *late], None)
    try:
        await drain(database, wire)
    finally:
        await database.close()
    assert [sent.address.chat for sent in wire.sent[:5]] == ["chat0", "chat1", "chat2", "chat3", "chat0"]


async def test_a_chat_that_is_gone_costs_its_own_parts_only(quick_path: Path) -> None:
    clock = LeapingClock()
    wire = Wire(clock=clock, wanted=40, deaf=frozenset({"chat1"}))
    database = await reopened(quick_path, clock, [part(number, clock, number % 4) for number in range(40)], None)
    try:
        await drain(database, wire)
        assert await database.read(count_parts) == {"sent": 30, "dead": 10}
    finally:
        await database.close()


async def test_chats_that_wait_for_a_retry_do_not_hold_up_one_that_is_due(quick_path: Path) -> None:
    clock = LeapingClock()
    wire = Wire(clock=clock, wanted=301)
    later = clock.now_ms() + 60_000
    waiting = [replace(part(number, clock, number), next_at=later) for number in range(300)]
    database = await reopened(quick_path, clock, [*waiting, part(300, clock, 300)], None)
    try:
        await drain(database, wire)
    finally:
        await database.close()
    assert wire.sent[0].address.chat == "chat300"
    assert wire.times[0] == 0.0
    assert wire.times[1] >= 60.0
