from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from homarus.channels.contract import Acceptance, Inbound
from homarus.errors import Transient
from homarus.testing.ingress import MemoryIngress
from homarus.testing.manual_clock import ManualClock
from homarus.testing.telegram.launch import QUICK, Build, Start
from homarus.testing.telegram.people import INES, TOMO, People
from homarus.testing.telegram.server import TelegramServer


async def test_an_update_is_confirmed_only_after_its_message_is_committed(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    ingress.gate.clear()
    async with start():
        people.say(INES, "keep me")
        await ingress.wait_for_calls(1)
        assert server.bot.confirmed == 0
        assert len(server.bot.updates) == 1
        ingress.gate.set()
        await server.confirmed(1)
    assert [message.text for message in ingress.messages] == ["keep me"]


async def test_a_stop_before_the_commit_leaves_the_update_for_the_next_run(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    ingress.gate.clear()
    async with start():
        people.say(INES, "keep me")
        await ingress.wait_for_calls(1)
    assert ingress.messages == []
    ingress.gate.set()
    async with start():
        assert (await ingress.wait()).text == "keep me"


async def test_a_stop_after_the_commit_gives_a_duplicate_with_the_same_id(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    async with start():
        people.say(INES, "once")
        await ingress.wait()
        server.cut()
    async with start():
        people.say(INES, "later")
        assert (await ingress.wait()).text == "later"
    assert [message.text for message in ingress.messages] == ["once", "later"]


async def test_a_whole_backlog_is_taken_in_batches(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    for number in range(250):
        people.say(INES, f"n{number}")
    async with start():
        await server.confirmed(250)
    assert [message.text for message in ingress.messages] == [f"n{number}" for number in range(250)]


async def test_a_chat_does_not_wait_for_another_whose_commit_hangs(people: People, build: Build) -> None:
    ingress = _OneChatHangs()
    people.say(INES, "slow")
    people.say(TOMO, "fast")
    channel = build()
    task = asyncio.create_task(channel.run(ingress))
    assert (await ingress.wait()).text == "fast"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await channel.close()


class _OneChatHangs(MemoryIngress):
    async def accept(self, message: Inbound) -> Acceptance:
        if message.sender.id == str(INES.id):
            await asyncio.Event().wait()
        return await super().accept(message)


async def test_updates_that_cannot_be_read_are_passed_over_and_confirmed(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    server.bot.put("message", {"message_id": "not a number", "chat": {}})
    server.bot.put("message", {"message_id": 5, "date": 1})
    server.bot.put("my_chat_member", {"chat": {}})
    people.say(INES, "after them")
    async with start():
        assert (await ingress.wait()).text == "after them"
        await server.confirmed(3)


async def test_edits_and_reactions_are_not_asked_for(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    async with start():
        message = people.say(INES, "one")
        await server.confirmed(1)
        people.edit(message, "changed")
        people.react(INES, message, "\U0001f44d")
        people.say(INES, "two")
        await server.confirmed(2)
    assert [item.text for item in ingress.messages] == ["one", "two"]


async def test_an_offset_is_not_kept_beyond_its_confirmation(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    """After a week of silence Telegram numbers updates anew, below an offset that was kept."""
    async with start():
        people.say(INES, "before")
        await server.confirmed(1)
        polls = server.calls.count("getUpdates")
        server.cut()
    server.bot.next_update = 5
    async with start():
        people.say(INES, "after a quiet week")
        await ingress.wait()
        assert (await ingress.wait()).text == "after a quiet week"
    assert server.calls.count("getUpdates") > polls


async def test_an_album_over_two_polls_is_one_message(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    clock = ManualClock()
    async with start(clock=clock):
        people.photo(INES, b"one", media_group_id="g", caption="both")
        await asyncio.wait_for(clock.sleeping(0.01), 45)
        people.photo(INES, b"two", media_group_id="g")
        clock.advance(0.01)
        message = await ingress.wait()
        await server.confirmed(2)
    assert message.text == "both"
    assert [item.data for item in message.attachments] == [b"one", b"two"]
    assert len(ingress.messages) == 1


async def test_a_server_that_does_not_hold_requests_is_asked_once_a_second(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    clock = ManualClock()
    async with start(clock=clock, timings=replace(QUICK, poll=0.0)):
        for asked in (1, 2, 3):
            await asyncio.wait_for(clock.sleeping(1.0), 45)
            assert server.calls.count("getUpdates") == asked
            clock.advance(1.0)
            await server.called("getUpdates", asked + 1)
        people.say(INES, "still heard")
        await asyncio.wait_for(clock.sleeping(1.0), 45)
        clock.advance(1.0)
        assert (await ingress.wait()).text == "still heard"


async def test_a_second_poller_ends_the_run_with_the_reason(start: Start, server: TelegramServer, build: Build) -> None:
    async with start() as (_, task):
        other = build()
        rival = asyncio.create_task(other.run(MemoryIngress()))
        with pytest.raises(Transient, match="terminated by other getUpdates") as caught:
            await asyncio.wait_for(task, 45)
        rival.cancel()
        await asyncio.gather(rival, return_exceptions=True)
        await other.close()
    assert "another program" in (caught.value.fix or "")
    assert caught.value.retry_after == 30.0


async def test_a_webhook_in_the_way_is_removed(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    server.bot.webhook_url = "https://elsewhere.example/hook"
    people.say(INES, "waiting")
    async with start():
        assert (await ingress.wait()).text == "waiting"
    assert server.bot.webhook_url == ""


async def test_the_journal_is_tried_again_until_it_takes_the_message(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    clock = ManualClock()
    ingress.failures = 3
    async with start(clock=clock):
        people.say(INES, "stubborn")
        for pause in (1.0, 2.0, 4.0):
            await asyncio.wait_for(clock.sleeping(pause), 45)
            assert server.bot.confirmed == 0
            clock.advance(pause)
        await server.confirmed(1)
    assert [message.text for message in ingress.messages] == ["stubborn"]


async def test_an_unexpected_failure_of_the_journal_ends_the_run_unconfirmed(
    server: TelegramServer, people: People, build: Build
) -> None:
    class Broken(MemoryIngress):
        async def accept(self, message: Inbound) -> Acceptance:
            raise ValueError("a defect")

    people.say(INES, "x")
    channel = build()
    with pytest.raises(ValueError, match="a defect"):
        await asyncio.wait_for(channel.run(Broken()), 45)
    await channel.close()
    assert server.bot.confirmed == 0
