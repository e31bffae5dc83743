"""What every channel must do, whatever its platform."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import pytest

from homarus.channels.contract import (
    Ambiguous,
    ChatKind,
    ConnectionState,
    OutboundPart,
    Verdict,
)
from homarus.channels.sdk.measure import Unit, measure
from homarus.channels.sdk.parts import parts_of
from homarus.errors import AuthFailed, Permanent, Transient
from homarus.testing.channel_rig import ChannelRig


@contextlib.asynccontextmanager
async def running(rig: ChannelRig) -> AsyncGenerator[asyncio.Task[None]]:
    task = asyncio.create_task(rig.channel.run(rig.ingress))
    try:
        await rig.connected()
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await rig.channel.close()


def part(rig: ChannelRig, text: str, *, name: str = "part-1", attempt: int = 1) -> OutboundPart:
    return OutboundPart(id=name, address=rig.address, text=text, attempt=attempt)


async def test_a_message_is_handed_in_once_with_its_facts(rig: ChannelRig) -> None:
    async with running(rig):
        await rig.write("hello there")
        message = await rig.ingress.wait()
    assert len(rig.ingress.calls) == 1
    assert message.text == "hello there"
    assert message.kind is ChatKind.DIRECT
    assert message.address == rig.address
    assert message.sender.id
    assert message.external_id


async def test_equal_texts_are_different_messages(rig: ChannelRig) -> None:
    async with running(rig):
        await rig.write("again")
        await rig.write("again")
        first, second = await rig.ingress.wait(), await rig.ingress.wait()
    assert first.external_id != second.external_id


async def test_messages_arrive_in_the_order_they_were_written(rig: ChannelRig) -> None:
    async with running(rig):
        for number in range(20):
            await rig.write(f"number {number}")
        texts = [(await rig.ingress.wait()).text for _ in range(20)]
    assert texts == [f"number {number}" for number in range(20)]


async def test_a_message_that_could_not_be_committed_is_handed_in_again(rig: ChannelRig) -> None:
    rig.ingress.failures = 1
    async with running(rig):
        await rig.write("keep me")
        message = await rig.ingress.wait()
    assert message.text == "keep me"
    assert len(rig.ingress.calls) == 2
    assert rig.ingress.calls[0].external_id == rig.ingress.calls[1].external_id


async def test_a_message_waiting_for_its_commit_survives_the_end_of_the_connection(rig: ChannelRig) -> None:
    rig.ingress.gate.clear()
    async with running(rig) as task:
        await rig.write("first")
        await rig.write("second")
        await rig.ingress.wait_for_calls(1)
        probe = await rig.channel.probe()
        assert probe.is_ok
        rig.cut()
        rig.ingress.gate.set()
        with pytest.raises(Transient):
            await asyncio.wait_for(task, 45)
    assert [message.text for message in rig.ingress.messages] == ["first", "second"]


async def test_a_part_reaches_the_chat_and_gives_a_receipt(rig: ChannelRig) -> None:
    async with running(rig):
        await rig.channel.send(part(rig, "the answer"))
        assert await rig.read() == "the answer"
        assert await rig.channel.reconcile(part(rig, "the answer")) is Verdict.SENT


async def test_a_part_that_was_taken_is_not_sent_twice(rig: ChannelRig) -> None:
    async with running(rig):
        first = await rig.channel.send(part(rig, "once"))
        second = await rig.channel.send(part(rig, "once", attempt=2))
    assert first == second
    assert len(rig.messages_taken()) == 1


async def test_sending_without_a_connection_is_transient(rig: ChannelRig) -> None:
    with pytest.raises(Transient):
        await rig.channel.send(part(rig, "early"))


async def test_sending_after_the_connection_was_lost_is_transient(rig: ChannelRig) -> None:
    async with running(rig) as task:
        rig.cut()
        with pytest.raises(Transient):
            await asyncio.wait_for(task, 45)
        with pytest.raises(Transient):
            await rig.channel.send(part(rig, "late"))


async def test_a_connection_lost_while_sending_leaves_the_outcome_open(rig: ChannelRig) -> None:
    async with running(rig):
        rig.cut_when_sent()
        with pytest.raises(Ambiguous):
            await rig.channel.send(part(rig, "maybe"))
        assert await rig.channel.reconcile(part(rig, "maybe")) is Verdict.UNKNOWN


async def test_a_chat_that_does_not_exist_is_permanent(rig: ChannelRig) -> None:
    async with running(rig):
        rig.forget_person()
        with pytest.raises(Permanent):
            await rig.channel.send(part(rig, "nobody home"))


async def test_refused_credentials_end_the_run_at_once(rig: ChannelRig) -> None:
    rig.refuse_credentials()
    with pytest.raises(AuthFailed) as caught:
        await asyncio.wait_for(rig.channel.run(rig.ingress), 45)
    assert caught.value.fix
    assert rig.connections == 1


async def test_a_lost_connection_ends_the_run_without_a_second_attempt(rig: ChannelRig) -> None:
    async with running(rig) as task:
        assert rig.channel.state is ConnectionState.CONNECTED
        rig.cut()
        with pytest.raises(Transient):
            await asyncio.wait_for(task, 45)
    assert rig.channel.state is ConnectionState.DISCONNECTED
    assert rig.connections == 1


async def test_a_channel_runs_again_after_its_connection_was_lost(rig: ChannelRig) -> None:
    async with running(rig) as task:
        rig.cut()
        with pytest.raises(Transient):
            await asyncio.wait_for(task, 45)
    async with running(rig):
        await rig.channel.send(part(rig, "back again"))
        assert await rig.read() == "back again"


async def test_cancelling_the_run_ends_it_promptly(rig: ChannelRig) -> None:
    async with running(rig) as task:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 45)
    assert rig.channel.state is ConnectionState.DISCONNECTED


async def test_cancelling_a_send_leaves_the_channel_usable(rig: ChannelRig) -> None:
    async with running(rig):
        sending = asyncio.create_task(rig.channel.send(part(rig, "cancelled", name="part-0")))
        await asyncio.sleep(0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await rig.channel.send(part(rig, "still here"))
        texts = [await rig.read()]
        if texts[0] == "cancelled":
            texts.append(await rig.read())
    assert texts[-1] == "still here"


async def test_closing_twice_is_harmless(rig: ChannelRig) -> None:
    async with running(rig):
        pass
    await rig.channel.close()
    await rig.channel.close()


async def test_a_probe_says_who_we_are_or_what_failed_and_never_raises(rig: ChannelRig) -> None:
    before = await rig.channel.probe()
    async with running(rig):
        during = await rig.channel.probe()
    assert not before.is_ok
    assert before.detail
    assert during.is_ok
    assert during.latency_ms is not None
    assert during.latency_ms >= 0


async def test_the_typing_sign_never_raises(rig: ChannelRig) -> None:
    await rig.channel.set_typing(rig.address, is_typing=True)
    async with running(rig):
        await rig.channel.set_typing(rig.address, is_typing=True)
        await rig.channel.set_typing(rig.address, is_typing=False)
        assert (await rig.channel.probe()).is_ok


async def test_every_part_of_a_long_reply_fits_and_arrives(rig: ChannelRig) -> None:
    reply = "# Tides\n\n" + "High water is at **six**. " * 60 + "\n\n```py\n" + "print('ebb')\n" * 30 + "```\n"
    capabilities = rig.manifest.capabilities
    texts = parts_of(reply, capabilities, limit=1000)
    assert len(texts) > 1
    assert all(measure(text, Unit(capabilities.text_unit)) <= capabilities.max_text for text in texts)
    async with running(rig):
        for index, text in enumerate(texts):
            await rig.channel.send(part(rig, text, name=f"part-{index}"))
    taken = "\n".join(rig.messages_taken())
    assert taken.count("High water") == 60
    assert taken.count("print('ebb')") == 30


@pytest.mark.parametrize("text", ["a\r\nQUIT :bye", "a\0b\rQUIT :bye\nQUIT :now", "\x01VERSION\x01 hi"])
async def test_text_cannot_become_a_command_of_the_platform(rig: ChannelRig, text: str) -> None:
    async with running(rig) as task:
        await rig.channel.send(part(rig, text))
        assert (await rig.channel.probe()).is_ok
        assert not task.done()
    for raw in rig.messages_taken():
        assert not any(mark in raw for mark in "\0\r\n\x01")
