"""Every fault of the platform: nothing is lost, nothing is said twice without a sign."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from homarus.channels.contract import Ambiguous, ConnectionState, OutboundPart, Verdict
from homarus.errors import AuthFailed, Permanent, Transient
from homarus.ids import Address
from homarus.testing.ingress import MemoryIngress
from homarus.testing.telegram.faults import Fault, FaultKind
from homarus.testing.telegram.launch import QUICK, Build, Start
from homarus.testing.telegram.people import INES, People
from homarus.testing.telegram.server import TelegramServer

HASTY = replace(QUICK, request=0.2, poll=0.0, grace=0.2)
BREAKS = [FaultKind.CUT, FaultKind.LOSE, FaultKind.HALF, FaultKind.PAGE, FaultKind.REFUSE]


def part(text: str = "six") -> OutboundPart:
    return OutboundPart(id="p1", address=Address("telegram", "default", str(INES.id)), text=text)


@pytest.mark.parametrize("kind", BREAKS)
async def test_a_broken_poll_ends_the_run_and_the_next_one_gets_every_message_once(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress, kind: FaultKind
) -> None:
    server.faults.add("getUpdates", Fault(kind, code=502))
    people.say(INES, "one")
    async with start() as (channel, task):
        with pytest.raises(Transient):
            await asyncio.wait_for(task, 45)
        assert channel.state is ConnectionState.DISCONNECTED
    people.say(INES, "two")
    async with start():
        await server.confirmed(2)
    assert [message.text for message in ingress.messages] == ["one", "two"]


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.LOSE, FaultKind.HALF])
async def test_a_broken_confirmation_brings_no_message_twice(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress, kind: FaultKind
) -> None:
    ingress.gate.clear()
    people.say(INES, "one")
    async with start() as (_, task):
        await ingress.wait_for_calls(1)
        server.faults.add("getUpdates", Fault(kind))
        people.say(INES, "two")
        ingress.gate.set()
        with pytest.raises(Transient):
            await asyncio.wait_for(task, 45)
    async with start():
        await server.confirmed(2)
    assert [message.text for message in ingress.messages] == ["one", "two"]


async def test_a_stalled_poll_is_given_up(start: Start, server: TelegramServer) -> None:
    server.faults.add("getUpdates", Fault(FaultKind.STALL))
    async with start(timings=HASTY) as (_, task):
        with pytest.raises(Transient, match="did not answer getUpdates"):
            await asyncio.wait_for(task, 45)


async def test_a_delayed_poll_is_waited_for(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    server.faults.add("getUpdates", Fault(FaultKind.DELAY, seconds=0.05))
    people.say(INES, "late")
    async with start():
        assert (await ingress.wait()).text == "late"


async def test_repeated_updates_are_one_message_each(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    server.repeat = 3
    for number in range(5):
        people.say(INES, f"n{number}")
    async with start():
        await server.confirmed(5)
    assert [message.text for message in ingress.messages] == [f"n{number}" for number in range(5)]


async def test_reordered_updates_are_all_taken_and_all_confirmed(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    server.is_reversed = True
    for number in range(5):
        people.say(INES, f"n{number}")
    async with start():
        await server.confirmed(5)
    assert sorted(message.text for message in ingress.messages) == [f"n{number}" for number in range(5)]


async def test_an_album_is_the_same_message_however_it_is_delivered(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    server.is_reversed, server.repeat = True, 2
    for name in (b"one", b"two", b"three"):
        people.photo(INES, name, media_group_id="g")
    async with start():
        await server.confirmed(3)
    assert [item.data for item in ingress.messages[0].attachments] == [b"one", b"two", b"three"]
    assert len(ingress.messages) == 1


async def test_a_flood_limit_on_polling_says_how_long_to_wait(start: Start, server: TelegramServer) -> None:
    server.faults.refuse("getUpdates", 429, "Too Many Requests: retry after 7", retry_after=7)
    async with start() as (_, task):
        with pytest.raises(Transient) as caught:
            await asyncio.wait_for(task, 45)
    assert caught.value.retry_after == 7


async def test_a_token_revoked_while_polling_ends_the_run_for_good(
    start: Start, server: TelegramServer, people: People, build: Build
) -> None:
    async with start() as (_, task):
        server.bot.is_revoked = True
        people.say(INES, "the poll ends with this one")
        with pytest.raises(AuthFailed):
            await asyncio.wait_for(task, 45)
    again = build()
    with pytest.raises(AuthFailed):
        await again.run(MemoryIngress())
    await again.close()


@pytest.mark.parametrize("method", ["getMe", "getWebhookInfo", "setMyCommands"])
@pytest.mark.parametrize("kind", BREAKS)
async def test_a_broken_start_is_transient(server: TelegramServer, build: Build, method: str, kind: FaultKind) -> None:
    server.faults.add(method, Fault(kind, code=502))
    channel = build()
    with pytest.raises(Transient):
        await asyncio.wait_for(channel.run(MemoryIngress()), 45)
    assert channel.state is ConnectionState.DISCONNECTED
    await channel.close()


@pytest.mark.parametrize("kind", [FaultKind.LOSE, FaultKind.HALF])
async def test_a_send_whose_answer_is_lost_is_ambiguous_and_was_said_once(
    start: Start, server: TelegramServer, people: People, kind: FaultKind
) -> None:
    people.private(INES)
    async with start() as (channel, _):
        server.faults.add("sendMessage", Fault(kind))
        with pytest.raises(Ambiguous):
            await channel.send(part())
        assert await channel.reconcile(part()) is Verdict.UNKNOWN
        assert channel.state is ConnectionState.CONNECTED
    assert [sent.text for sent in server.sent] == ["six"]


async def test_a_send_that_is_never_answered_is_ambiguous(start: Start, server: TelegramServer, people: People) -> None:
    people.private(INES)
    async with start(timings=replace(QUICK, request=0.2)) as (channel, _):
        server.faults.add("sendMessage", Fault(FaultKind.STALL))
        with pytest.raises(Ambiguous, match="did not answer sendMessage"):
            await channel.send(part())


async def test_a_gateway_page_after_a_send_leaves_its_outcome_open(
    start: Start, server: TelegramServer, people: People
) -> None:
    people.private(INES)
    async with start() as (channel, _):
        server.faults.add("sendMessage", Fault(FaultKind.PAGE, code=504))
        with pytest.raises(Ambiguous):
            await channel.send(part())


@pytest.mark.parametrize(
    ("code", "kind"), [(400, Permanent), (403, Permanent), (413, Permanent), (429, Transient), (500, Transient)]
)
async def test_a_refused_send_was_certainly_not_made(
    start: Start, server: TelegramServer, people: People, code: int, kind: type[Exception]
) -> None:
    people.private(INES)
    async with start() as (channel, _):
        server.faults.refuse("sendMessage", code, "no", retry_after=3)
        with pytest.raises(kind):
            await channel.send(part())
        assert await channel.reconcile(part()) is Verdict.NOT_SENT
        await channel.send(part())
    assert len(server.sent) == 1


async def test_a_server_that_cannot_be_reached_was_certainly_not_written_to(
    start: Start, server: TelegramServer, people: People, build: Build
) -> None:
    people.private(INES)
    async with start() as (channel, task):
        await server.stop_listening()
        with pytest.raises(Transient):
            await asyncio.wait_for(task, 45)
        with pytest.raises(Transient):
            await channel.send(part())
    away = build()
    with pytest.raises(Transient, match="cannot connect to 127"):
        await away.run(MemoryIngress())
    await away.close()
    assert server.sent == []


async def test_a_send_that_was_cancelled_is_open(start: Start, server: TelegramServer, people: People) -> None:
    people.private(INES)
    async with start() as (channel, _):
        server.faults.add("sendMessage", Fault(FaultKind.STALL))
        sending = asyncio.create_task(channel.send(part()))
        await server.called("sendMessage")
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        assert await channel.reconcile(part()) is Verdict.UNKNOWN
        assert (await channel.probe()).is_ok


@pytest.mark.parametrize("kind", BREAKS)
async def test_a_broken_typing_sign_is_no_failure(
    start: Start, server: TelegramServer, people: People, kind: FaultKind
) -> None:
    people.private(INES)
    async with start() as (channel, task):
        server.faults.add("sendChatAction", Fault(kind, code=502))
        await channel.set_typing(part().address, is_typing=True)
        assert not task.done()
