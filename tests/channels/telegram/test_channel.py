from __future__ import annotations

import asyncio
import logging

import pytest
from msgspec.structs import replace

from homarus.channels import registry
from homarus.channels.contract import (
    Ambiguous,
    Attachment,
    ChatKind,
    ConnectionState,
    EditingChannel,
    MediaChannel,
    OutboundPart,
    ReactingChannel,
    Verdict,
    WebhookChannel,
)
from homarus.channels.sdk.parts import parts_of
from homarus.channels.telegram.channel import TelegramChannel, create
from homarus.channels.telegram.config import TelegramConfig
from homarus.clock import SystemClock
from homarus.errors import AuthFailed, Permanent, Transient
from homarus.ids import Address
from homarus.testing.ingress import MemoryIngress
from homarus.testing.manual_clock import ManualClock
from homarus.testing.telegram.faults import Fault, FaultKind
from homarus.testing.telegram.launch import Build, Start
from homarus.testing.telegram.people import INES, TOMO, People
from homarus.testing.telegram.server import TelegramServer

PNG = b"\x89PNG\r\n\x1a\n picture"


def part(text: str, *, chat: int = INES.id, thread: str | None = None, **keys: object) -> OutboundPart:
    made = OutboundPart(id="p1", address=Address("telegram", "default", str(chat), thread), text=text)
    return replace(made, **keys)


def test_the_channel_has_everything_the_optional_contracts_name(build: Build) -> None:
    channel = build()
    edits: EditingChannel = channel
    reacts: ReactingChannel = channel
    media: MediaChannel = channel
    webhook: WebhookChannel = channel
    assert edits is reacts is media is webhook
    capabilities = registry.manifests()["telegram"].capabilities
    assert capabilities.can_edit
    assert capabilities.can_react
    assert capabilities.has_media


async def test_markdown_arrives_as_styled_text(start: Start, server: TelegramServer, people: People) -> None:
    people.private(INES)
    async with start() as (channel, _):
        receipt = await channel.send(part("High water at **six** & `ebb`"))
        sent = await server.next_sent()
    assert sent.text == "High water at six & ebb"
    assert [entity["type"] for entity in sent.entities] == ["bold", "code"]
    assert receipt.platform_id == str(sent.message_id)
    assert not sent.has_preview


async def test_link_previews_are_shown_when_wanted(start: Start, server: TelegramServer, people: People) -> None:
    people.private(INES)
    async with start(linkPreview=True) as (channel, _):
        await channel.send(part("https://tides.example"))
        assert (await server.next_sent()).has_preview


async def test_a_reply_names_the_message_it_answers(start: Start, server: TelegramServer, people: People) -> None:
    asked = people.say(INES, "tide?")
    async with start() as (channel, _):
        await channel.send(part("six", reply_to=f"{INES.id}:{asked['message_id']}"))
        assert (await server.next_sent()).reply_to == asked["message_id"]


async def test_a_reply_to_a_deleted_message_is_sent_without_it(
    start: Start, server: TelegramServer, people: People
) -> None:
    people.private(INES)
    async with start() as (channel, _):
        await channel.send(part("six", reply_to="999"))
        assert (await server.next_sent()).reply_to is None


async def test_an_answer_stays_in_its_topic(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    crew = people.group("Boat crew", is_forum=True, topics=(77,))
    async with start() as (channel, _):
        people.say(INES, "@homarus_bot tide at 6?", chat=crew, thread=77)
        message = await ingress.wait()
        await channel.send(OutboundPart(id="p", address=message.address, text="yes"))
        assert (await server.next_sent()).thread == 77
    assert message.kind is ChatKind.GROUP
    assert message.is_mentioned
    assert message.text == "tide at 6?"


async def test_the_general_topic_is_left_out_when_sending(start: Start, server: TelegramServer, people: People) -> None:
    crew = people.group("Boat crew", is_forum=True)
    async with start() as (channel, _):
        await channel.send(part("all", chat=crew.id, thread="1"))
        assert (await server.next_sent()).thread is None


async def test_a_deleted_topic_is_left_out(start: Start, server: TelegramServer, people: People) -> None:
    crew = people.group("Boat crew", is_forum=True)
    async with start() as (channel, _):
        await channel.send(part("all", chat=crew.id, thread="55"))
        assert (await server.next_sent()).thread is None
    assert server.calls.count("sendMessage") == 2


async def test_a_group_that_moved_is_followed(start: Start, server: TelegramServer, people: People) -> None:
    old, new = people.group("Crew"), people.group("Crew")
    old.moved_to = new.id
    async with start() as (channel, _):
        await channel.send(part("all", chat=old.id))
        assert (await server.next_sent()).chat == new.id


async def test_markup_that_telegram_cannot_read_is_sent_as_plain_text(
    start: Start, server: TelegramServer, people: People
) -> None:
    people.private(INES)
    server.faults.refuse("sendMessage", 400, "Bad Request: can't parse entities: Unsupported start tag")
    async with start() as (channel, _):
        await channel.send(part("a **b**"))
        sent = await server.next_sent()
    assert sent.raw == "a b"
    assert sent.parse_mode == ""


async def test_parts_of_the_full_length_are_taken(start: Start, server: TelegramServer, people: People) -> None:
    people.private(INES)
    capabilities = registry.manifests()["telegram"].capabilities
    texts = parts_of("\U0001f41f**tide** & <ebb> " * 900, capabilities)
    async with start() as (channel, _):
        for index, text in enumerate(texts):
            await channel.send(part(text, id=f"p{index}"))
    assert len(server.sent) == len(texts) > 3
    assert sum(sent.text.count("tide") for sent in server.sent) == 900


@pytest.mark.parametrize("chat", ["ines", "12 34", "@x", "1e9", "9" * 30])
async def test_what_is_no_chat_id_is_permanent(start: Start, chat: str) -> None:
    async with start() as (channel, _):
        with pytest.raises(Permanent, match="no Telegram chat id"):
            await channel.send(OutboundPart(id="p", address=Address("telegram", "default", chat), text="x"))


@pytest.mark.parametrize(("text", "words"), [("   ", "no text"), ("x" * 4097, "4097 UTF-16 units")])
async def test_text_that_telegram_cannot_take_is_permanent(start: Start, text: str, words: str) -> None:
    async with start() as (channel, _):
        with pytest.raises(Permanent, match=words):
            await channel.send(part(text))


async def test_a_person_who_blocked_the_bot_is_permanent(start: Start, people: People) -> None:
    people.block(INES)
    async with start() as (channel, _):
        with pytest.raises(Permanent, match="blocked by the user"):
            await channel.send(part("x"))
        assert await channel.reconcile(part("x")) is Verdict.NOT_SENT


async def test_an_edit_keeps_the_message(start: Start, server: TelegramServer, people: People) -> None:
    people.private(INES)
    async with start() as (channel, _):
        receipt = await channel.send(part("High"))
        identity = receipt.platform_id or ""
        assert (await channel.edit(part("High **water**"), identity)).platform_id == identity
        await channel.edit(part("High **water**"), identity)
    assert server.sent[0].text == "High water"
    assert server.sent[0].edits == ["High"]
    assert len(server.sent) == 1


async def test_an_edit_whose_answer_is_lost_may_be_repeated(
    start: Start, server: TelegramServer, people: People
) -> None:
    people.private(INES)
    async with start() as (channel, _):
        identity = (await channel.send(part("a"))).platform_id or ""
        server.faults.add("editMessageText", Fault(FaultKind.LOSE))
        with pytest.raises(Transient):
            await channel.edit(part("b"), identity)
        await channel.edit(part("b"), identity)
    assert server.sent[0].text == "b"


async def test_a_streamed_part_is_not_sent_again_by_the_outbox(
    start: Start, server: TelegramServer, people: People
) -> None:
    people.private(INES)
    async with start() as (channel, _):
        identity = (await channel.send(part("a"))).platform_id or ""
        await channel.edit(part("a b c"), identity)
        assert (await channel.send(part("a b c", attempt=2))).platform_id == identity
    assert len(server.sent) == 1


async def test_an_edit_of_a_message_that_is_gone_is_permanent(start: Start, people: People) -> None:
    people.private(INES)
    async with start() as (channel, _):
        with pytest.raises(Permanent, match="message to edit not found"):
            await channel.edit(part("b"), "404")


async def test_a_message_is_deleted_and_deleting_it_twice_is_harmless(
    start: Start, server: TelegramServer, people: People
) -> None:
    people.private(INES)
    async with start() as (channel, _):
        identity = (await channel.send(part("a"))).platform_id or ""
        await channel.delete(part("a").address, identity)
        await channel.delete(part("a").address, identity)
    assert server.sent[0].is_deleted


async def test_a_reaction_is_put_on_and_taken_off(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    async with start() as (channel, _):
        people.say(INES, "thanks")
        message = await ingress.wait()
        await channel.react(message.address, message.external_id, "\U0001f440")
        assert list(server.reactions.values()) == [["\U0001f440"]]
        await channel.react(message.address, message.external_id, None)
        assert list(server.reactions.values()) == [[]]
        with pytest.raises(Permanent, match="REACTION_INVALID"):
            await channel.react(message.address, message.external_id, "x")


async def test_a_picture_is_sent_as_a_photo_with_its_caption(
    start: Start, server: TelegramServer, people: People
) -> None:
    people.private(INES)
    async with start() as (channel, _):
        await channel.send_media(part("The **bay**"), Attachment("image/png", "bay.png", PNG))
        sent = await server.next_sent()
    assert (sent.method, sent.text, sent.data, sent.file_name) == ("sendPhoto", "The bay", PNG, "bay.png")


async def test_a_file_is_sent_as_a_document_into_its_topic(
    start: Start, server: TelegramServer, people: People
) -> None:
    crew = people.group("Crew", is_forum=True, topics=(7,))
    async with start() as (channel, _):
        await channel.send_media(part("", chat=crew.id, thread="7"), Attachment("text/csv", 'a/"b\n.csv', b"1,2"))
        sent = await server.next_sent()
    assert (sent.method, sent.data, sent.thread, sent.text) == ("sendDocument", b"1,2", 7, "")
    assert "/" not in sent.file_name


async def test_a_picture_that_telegram_cannot_show_goes_as_a_document(
    start: Start, server: TelegramServer, people: People
) -> None:
    people.private(INES)
    async with start() as (channel, _):
        await channel.send_media(part("x"), Attachment("image/png", "bay.png", b"no picture"))
        assert (await server.next_sent()).method == "sendDocument"


@pytest.mark.parametrize(
    ("mime", "data", "method"),
    [
        ("audio/ogg", b"OggS sound", "sendVoice"),
        ("audio/ogg; codecs=opus", b"no ogg at all", "sendDocument"),
        ("audio/mpeg", b"ID3", "sendAudio"),
        ("video/mp4", b"ftyp", "sendVideo"),
        ("image/gif", b"GIF89a", "sendAnimation"),
        ("application/pdf", b"%PDF", "sendDocument"),
    ],
)
async def test_sound_and_video_can_be_played_in_the_chat(
    start: Start, server: TelegramServer, people: People, mime: str, data: bytes, method: str
) -> None:
    people.private(INES)
    async with start() as (channel, _):
        await channel.send_media(part("x"), Attachment(mime, "file", data))
        sent = await server.next_sent()
    assert (sent.method, sent.text, sent.data) == (method, "x", data)


async def test_a_file_is_sent_once(start: Start, server: TelegramServer, people: People) -> None:
    people.private(INES)
    async with start() as (channel, _):
        first = await channel.send_media(part("x"), Attachment("text/plain", "a.txt", b"1"))
        assert await channel.send_media(part("x", attempt=2), Attachment("text/plain", "a.txt", b"1")) == first
        server.faults.add("sendDocument", Fault(FaultKind.LOSE))
        with pytest.raises(Ambiguous):
            await channel.send_media(part("y", id="p2"), Attachment("text/plain", "a.txt", b"1"))


async def test_a_caption_that_is_too_long_is_permanent(start: Start, people: People) -> None:
    people.private(INES)
    async with start() as (channel, _):
        with pytest.raises(Permanent, match="Telegram takes 1024"):
            await channel.send_media(part("x" * 1025), Attachment("text/plain", "a.txt", b"1"))


async def test_the_typing_sign_is_shown_every_four_seconds_in_the_topic(
    start: Start, server: TelegramServer, people: People
) -> None:
    crew = people.group("Crew", is_forum=True, topics=(7,))
    clock = ManualClock()
    place = Address("telegram", "default", str(crew.id), "7")
    async with start(clock=clock) as (channel, _):
        await channel.set_typing(place, is_typing=True)
        await channel.set_typing(place, is_typing=True)
        assert server.actions == [(crew.id, 7, "typing")]
        clock.advance(4.0)
        await channel.set_typing(place, is_typing=True)
        await channel.set_typing(place, is_typing=False)
    assert len(server.actions) == 2


async def test_the_command_menu_is_filled_once(start: Start, server: TelegramServer) -> None:
    async with start(customCommands=[{"command": "tide", "description": "Tide"}]):
        pass
    assert [item["command"] for item in server.bot.commands] == ["new", "stop", "status", "help", "tide"]


async def test_the_command_menu_is_left_alone_when_turned_off(start: Start, server: TelegramServer) -> None:
    async with start(commands={"native": False}):
        pass
    assert "setMyCommands" not in server.calls


async def test_a_refused_command_menu_does_not_keep_the_channel_down(start: Start, server: TelegramServer) -> None:
    server.faults.refuse("setMyCommands", 400, "Bad Request: BOT_COMMAND_INVALID")
    async with start() as (channel, _):
        assert channel.state is ConnectionState.CONNECTED


@pytest.mark.parametrize(("reads_all", "words"), [(False, "privacy mode"), (True, "every message")])
async def test_a_probe_tells_what_the_bot_sees_in_groups(
    start: Start, server: TelegramServer, reads_all: bool, words: str
) -> None:
    server.bot.reads_all = reads_all
    async with start() as (channel, _):
        probe = await channel.probe()
    assert probe.is_ok
    assert "@homarus_bot by long poll" in probe.detail
    assert words in probe.detail


async def test_a_token_revoked_later_fails_the_probe_and_sends(start: Start, server: TelegramServer) -> None:
    async with start() as (channel, _):
        server.bot.is_revoked = True
        assert not (await channel.probe()).is_ok
        with pytest.raises(AuthFailed):
            await channel.send(part("x"))


async def test_two_bots_keep_their_messages_apart(server: TelegramServer, people: People) -> None:
    other = server.add_bot("987654321:AAother", "second_bot")
    keys = {
        "apiRoot": server.root,
        "accounts": {"a": {"botToken": server.bot.token}, "b": {"botToken": other.token}},
    }
    config, clock = TelegramConfig.model_validate(keys), SystemClock()
    channels: list[TelegramChannel] = [create(config, name, clock) for name in ("a", "b")]
    inboxes = [MemoryIngress(), MemoryIngress()]
    tasks = [asyncio.create_task(channel.run(inbox)) for channel, inbox in zip(channels, inboxes, strict=True)]
    people.say(INES, "to a")
    people.say(TOMO, "to b", bot=other)
    first, second = await inboxes[0].wait(), await inboxes[1].wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for channel in channels:
        await channel.close()
    assert (first.address.account, first.text) == ("a", "to a")
    assert (second.address.account, second.text) == ("b", "to b")


async def test_the_token_is_in_no_error_and_no_log(
    server: TelegramServer, build: Build, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = server.bot.token.partition(":")[2]
    texts: list[str] = []
    for kind in (FaultKind.CUT, FaultKind.PAGE, FaultKind.LOSE, FaultKind.HALF, FaultKind.REFUSE):
        server.faults.add("getMe", Fault(kind, code=502))
        channel = build()
        with pytest.raises(Transient) as caught:
            await channel.run(MemoryIngress())
        await channel.close()
        error: BaseException | None = caught.value
        while error is not None:
            texts.append(repr(error) + str(error))
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    unreachable = build(apiRoot="http://127.0.0.1:9")
    with pytest.raises(Transient) as caught:
        await unreachable.run(MemoryIngress())
    await unreachable.close()
    texts += [str(caught.value), repr(unreachable), caplog.text]
    assert not [text for text in texts if secret in text]
