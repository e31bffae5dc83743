"""The sender of one account alone, on a clock that stands still: it must wake by news, not by looking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.pipeline.harness import OWNER, FakeNetwork
from tests.pipeline.test_previews import FIRST, EditingNetwork

from homarus.channels.contract import ConnectionState
from homarus.channels.sdk.rate import TokenBucket
from homarus.channels.sdk.standing import Standing
from homarus.errors import Transient
from homarus.ids import Address, AgentId, RunId
from homarus.pipeline.contract import RunInfo
from homarus.pipeline.delivery import Delivery
from homarus.storage.database import Database
from homarus.storage.opening import open_database
from homarus.storage.outbound import insert_parts
from homarus.storage.records import single_part
from homarus.testing.manual_clock import ManualClock

CHAT = Address("net", "default", "ann")


class ToldClock(ManualClock):
    """Keeps what it was asked to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await super().sleep(seconds)


@asynccontextmanager
async def delivering(root: Path, network: FakeNetwork, clock: ToldClock) -> AsyncGenerator[tuple[Database, Delivery]]:
    database = await open_database(None, root, clock)
    delivery = Delivery(database, clock, network, ("net", "default"), TokenBucket(clock, burst=100, interval=0.0))
    sending = asyncio.create_task(delivery.run())
    try:
        yield database, delivery
        delivery.close()
        await sending
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await database.close()


async def say(database: Database, delivery: Delivery, clock: ToldClock, text: str) -> None:
    await database.write(insert_parts, [single_part(clock.uuid(), text, CHAT, text, clock.now_ms())])
    delivery.wake()


async def test_a_sender_whose_channel_is_down_waits_for_nothing_but_the_connection(tmp_path: Path) -> None:
    network, clock = FakeNetwork(standing=Standing()), ToldClock()
    async with delivering(tmp_path, network, clock) as (database, delivery):
        await say(database, delivery, clock, "hello")
        await delivery.rest()
        await asyncio.sleep(0)
        assert (network.sent, clock.pauses) == ([], [])
        network.standing.change(ConnectionState.CONNECTED)
        await network.arrived.wait()
        assert [part.text for part in network.sent] == ["hello"]


async def test_a_part_that_failed_goes_at_its_time_or_when_the_channel_is_back_after_it(tmp_path: Path) -> None:
    network, clock = FakeNetwork(failures=[Transient("gone", retry_after=30.0)]), ToldClock()
    async with delivering(tmp_path, network, clock) as (database, delivery):
        await say(database, delivery, clock, "hello")
        await clock.sleeping(33.0)
        network.standing.change(ConnectionState.DISCONNECTED)
        clock.advance(40.0)
        await delivery.rest()
        assert network.sent == []
        network.standing.change(ConnectionState.CONNECTED)
        await network.arrived.wait()
        assert [part.attempt for part in network.sent] == [2]


async def test_a_preview_does_not_keep_the_sender_of_a_channel_awake_that_is_down(tmp_path: Path) -> None:
    network, clock = EditingNetwork(standing=Standing()), ToldClock()
    run = RunInfo(RunId("r1"), AgentId("main"), "agent:main:main", "s1", "chat", OWNER, CHAT)
    async with delivering(tmp_path, network, clock) as (_database, delivery):
        delivery.show(run, FIRST)
        delivery.wake()
        await delivery.rest()
        await asyncio.sleep(0)
        assert clock.pauses == []
        network.standing.change(ConnectionState.CONNECTED)
        await network.shown()
        assert list(network.texts.values()) == [FIRST]
