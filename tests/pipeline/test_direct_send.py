"""Texts that no run wrote go out once per key, and say how they stand."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.gateway.fake_services import make_database

from homarus.clock import SystemClock
from homarus.errors import UserError
from homarus.ids import Address, AgentId
from homarus.labels import OPERATOR
from homarus.pipeline.accounts import Accounts
from homarus.pipeline.direct_send import DirectSend, Sending
from homarus.sessions.keys import SessionKey
from homarus.sessions.store import Sessions
from homarus.storage import outbound
from homarus.storage.database import Connection, Database
from homarus.storage.records import Entry

INES = Address("irc", "default", "ines")
CLOCK = SystemClock()


class Platform:
    """Ends every waiting part as told, as a delivery worker does."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.news = asyncio.Event()
        self.woken: list[tuple[str, str]] = []

    def sender(self) -> DirectSend:
        return DirectSend(self.database, CLOCK, Accounts(), self.wake, self.next_news)

    def wake(self, channel: str, account: str) -> None:
        self.woken.append((channel, account))

    def next_news(self, channel: str, account: str) -> asyncio.Event:
        return self.news

    async def end(self, state: str, platform_id: str | None = None, error: str | None = None) -> int:
        def note(connection: Connection, part_id: str) -> None:
            outbound.end_attempt(connection, part_id, state, 1, platform_id=platform_id, error=error)

        heads = await self.database.read(outbound.select_heads, "irc", "default", CLOCK.now_ms(), 100)
        for part in heads:
            await self.database.write(note, part.id)
        news, self.news = self.news, asyncio.Event()
        news.set()
        return len(heads)


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(make_database(tmp_path / "homarus.db"))


async def begin(platform: Platform, key: str = "k", text: str = "hello", within: float = 5) -> asyncio.Task[Sending]:
    task = asyncio.create_task(platform.sender().send(key, INES, text, None, within=within))
    async with asyncio.timeout(45):
        while not platform.woken:
            await asyncio.sleep(0)
    return task


async def test_it_waits_until_the_platform_has_taken_the_text(platform: Platform) -> None:
    task = await begin(platform)
    assert platform.woken == [("irc", "default")]
    assert await platform.end("sent", platform_id="42") == 1
    assert await task == Sending("sent", "42")


async def test_the_same_key_again_sends_nothing_and_answers_the_same(platform: Platform) -> None:
    task = await begin(platform)
    await platform.end("sent", platform_id="42")
    await task
    again = await platform.sender().send("k", INES, "hello", None, within=5)
    assert again == Sending("sent", "42")
    assert await platform.end("sent") == 0


async def test_a_key_is_not_taken_for_another_chat(platform: Platform) -> None:
    task = await begin(platform)
    await platform.end("sent")
    await task
    with pytest.raises(UserError, match="ines"):
        await platform.sender().send("k", Address("irc", "default", "piet"), "hello", None, within=5)


async def test_what_the_platform_refuses_is_dead_with_its_reason(platform: Platform) -> None:
    task = await begin(platform)
    await platform.end("dead", error="No such nick")
    found = await task
    assert (found.state, found.detail) == ("dead", "No such nick")


async def test_what_takes_too_long_is_queued_and_stays_stored(platform: Platform) -> None:
    found = await (await begin(platform, within=0.05))
    assert found.state == "queued"
    assert found.message_id
    assert await platform.end("sent") == 1


@pytest.mark.parametrize("text", ["", "  ", "NO_REPLY"])
async def test_a_text_without_anything_to_send_is_refused(platform: Platform, text: str) -> None:
    with pytest.raises(UserError, match="nothing to send"):
        await platform.sender().send("k", INES, text, None, within=1)


async def test_the_transcript_notes_it_once(platform: Platform) -> None:
    sessions = Sessions(platform.database, CLOCK)
    session = await sessions.ensure(SessionKey(AgentId("main"), "main"))
    for number in range(2):
        entry = Entry(0, f"e{number}", session.session_id, None, "assistant", {"text": "hello"}, OPERATOR, 0, 1)
        await platform.sender().send("k", INES, "hello", entry, within=0.01)
    assert [each.id for each in await sessions.entries(session.session_id)] == ["e0"]
