"""The test server driven by python-telegram-bot, so that it and not our client says what the Bot API is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from telegram import Bot, InputFile, LinkPreviewOptions, ReactionTypeEmoji, ReplyParameters, error
from telegram.request import HTTPXRequest

from homarus.testing.telegram.faults import Fault, FaultKind
from homarus.testing.telegram.people import INES, TOMO, People
from homarus.testing.telegram.server import TelegramServer

PNG = b"\x89PNG\r\n\x1a\n picture"


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        yield server


@pytest.fixture
def people(server: TelegramServer) -> People:
    people = People(server)
    people.private(INES)
    return people


@pytest.fixture
async def bot(server: TelegramServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bot]:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")  # the library warns where it still gives seconds as numbers

    def request() -> HTTPXRequest:
        return HTTPXRequest(
            connect_timeout=45, read_timeout=45, write_timeout=45, pool_timeout=45, httpx_kwargs={"trust_env": False}
        )

    bot = Bot(
        server.bot.token,
        base_url=f"{server.root}/bot",
        base_file_url=f"{server.root}/file/bot",
        request=request(),
        get_updates_request=request(),
    )
    async with bot:
        yield bot


async def test_it_says_who_the_bot_is(bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.username, me.is_bot, me.can_read_all_group_messages) == ("homarus_bot", True, False)


async def test_updates_are_kept_until_a_higher_offset(bot: Bot, people: People) -> None:
    people.say(INES, "@homarus_bot tide?")
    people.say(TOMO, "and mine?")
    first = await bot.get_updates()
    again = await bot.get_updates()
    rest = await bot.get_updates(offset=first[0].update_id + 1)
    last = await bot.get_updates(offset=-1)
    assert [update.update_id for update in first] == [update.update_id for update in again]
    assert [update.message.text for update in rest if update.message] == ["and mine?"]
    assert len(last) == 1
    assert await bot.get_updates(offset=last[0].update_id + 1) == ()
    message = first[0].message
    assert message is not None
    assert message.parse_entities() == {message.entities[0]: "@homarus_bot"}
    assert message.from_user is not None
    assert message.from_user.username == "ines_k"


async def test_a_long_poll_waits_for_the_next_message(bot: Bot, server: TelegramServer, people: People) -> None:
    waiting = asyncio.create_task(bot.get_updates(timeout=10))
    await server.called("getUpdates")
    people.say(INES, "now")
    updates = await waiting
    assert updates[0].message is not None
    assert updates[0].message.text == "now"


async def test_a_second_poll_ends_the_first(bot: Bot, server: TelegramServer, people: People) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=10))
    await server.called("getUpdates")
    second = asyncio.create_task(bot.get_updates(timeout=10))
    with pytest.raises(error.Conflict, match=r"(?i)terminated by other getUpdates"):
        await first
    people.say(INES, "x")
    assert len(await second) == 1


async def test_html_is_read_into_entities(bot: Bot, server: TelegramServer, people: People) -> None:
    text = '\U0001f41f <b>High</b> <a href="https://x.example/">water</a> <pre><code class="language-py">x</code></pre>'
    sent = await bot.send_message(
        INES.id, text, parse_mode="HTML", link_preview_options=LinkPreviewOptions(is_disabled=True)
    )
    assert sent.text == "\U0001f41f High water x"
    assert {kind.type: (word, kind.url, kind.language) for kind, word in sent.parse_entities().items()} == {
        "bold": ("High", None, None),
        "text_link": ("water", "https://x.example/", None),
        "pre": ("x", None, "py"),
    }
    assert not server.sent[0].has_preview


@pytest.mark.parametrize("text", ["<b>open", "<b><i>crossed</b></i>", "<div>unknown</div>"])
async def test_html_that_telegram_refuses_is_refused(bot: Bot, people: People, text: str) -> None:
    with pytest.raises(error.BadRequest, match=r"(?i)can't parse entities"):
        await bot.send_message(INES.id, text, parse_mode="HTML")


async def test_limits_are_kept(bot: Bot, people: People) -> None:
    await bot.send_message(INES.id, "\U0001f41f" * 2048)
    with pytest.raises(error.BadRequest, match=r"(?i)too long"):
        await bot.send_message(INES.id, "\U0001f41f" * 2049)
    with pytest.raises(error.BadRequest, match=r"(?i)text is empty"):
        await bot.send_message(INES.id, " ")
    with pytest.raises(error.BadRequest, match=r"(?i)chat not found"):
        await bot.send_message(4, "x")


async def test_replies_and_topics_must_exist(bot: Bot, people: People) -> None:
    crew = people.group("Crew", is_forum=True, topics=(7,))
    asked = people.say(INES, "tide?", chat=crew)
    target = int(str(asked["message_id"]))
    answer = await bot.send_message(crew.id, "six", reply_parameters=ReplyParameters(target), message_thread_id=7)
    assert answer.message_thread_id == 7
    with pytest.raises(error.BadRequest, match=r"(?i)replied not found"):
        await bot.send_message(crew.id, "six", reply_parameters=ReplyParameters(999))
    await bot.send_message(crew.id, "six", reply_parameters=ReplyParameters(999, allow_sending_without_reply=True))
    with pytest.raises(error.BadRequest, match=r"(?i)thread not found"):
        await bot.send_message(crew.id, "six", message_thread_id=1)


async def test_edits_keep_their_history(bot: Bot, server: TelegramServer, people: People) -> None:
    sent = await bot.send_message(INES.id, "a")
    await bot.edit_message_text("b", INES.id, sent.message_id)
    with pytest.raises(error.BadRequest, match=r"(?i)not modified"):
        await bot.edit_message_text("b", INES.id, sent.message_id)
    await bot.delete_message(INES.id, sent.message_id)
    with pytest.raises(error.BadRequest, match=r"(?i)edit not found"):
        await bot.edit_message_text("c", INES.id, sent.message_id)
    assert (server.sent[0].text, server.sent[0].edits, server.sent[0].is_deleted) == ("b", ["a"], True)


async def test_files_go_both_ways(bot: Bot, server: TelegramServer, people: People) -> None:
    await bot.send_photo(INES.id, PNG, caption="<b>bay</b>", parse_mode="HTML")
    await bot.send_document(INES.id, InputFile(b"1,2", filename="tides.csv"))
    assert [(sent.method, sent.data, sent.text) for sent in server.sent] == [
        ("sendPhoto", PNG, "bay"),
        ("sendDocument", b"1,2", ""),
    ]
    assert server.sent[1].file_name == "tides.csv"
    people.photo(INES, PNG, caption="this", media_group_id="g")
    people.file(INES, "voice", b"OggS", duration=4, mime_type="audio/ogg")
    photo, voice = (update.message for update in await bot.get_updates())
    assert photo is not None
    assert voice is not None
    assert voice.voice is not None
    assert bytes(await (await photo.photo[-1].get_file()).download_as_bytearray()) == PNG
    assert bytes(await (await voice.voice.get_file()).download_as_bytearray()) == b"OggS"
    server.largest_download = 1
    with pytest.raises(error.BadRequest, match=r"(?i)file is too big"):
        await photo.photo[-1].get_file()


async def test_edits_and_reactions_of_people_come_when_asked_for(bot: Bot, people: People) -> None:
    await bot.get_updates(allowed_updates=["edited_message", "message_reaction"])
    message = people.say(INES, "a")
    people.edit(message, "b")
    people.react(INES, message, "\U0001f44d")
    edited, reaction = await bot.get_updates()
    assert edited.edited_message is not None
    assert edited.edited_message.text == "b"
    assert reaction.message_reaction is not None
    assert isinstance(reaction.message_reaction.new_reaction[0], ReactionTypeEmoji)


async def test_reactions_actions_and_commands_are_seen(bot: Bot, server: TelegramServer, people: People) -> None:
    message = int(str(people.say(INES, "a")["message_id"]))
    await bot.set_message_reaction(INES.id, message, "\U0001f440")
    await bot.send_chat_action(INES.id, "typing")
    await bot.set_my_commands([("new", "Start anew")])
    assert server.reactions == {(server.bot.id, INES.id, message): ["\U0001f440"]}
    assert server.actions == [(INES.id, None, "typing")]
    assert server.bot.commands == [{"command": "new", "description": "Start anew"}]
    with pytest.raises(error.BadRequest, match=r"(?i)REACTION_INVALID"):
        await bot.set_message_reaction(INES.id, message, "x")


async def test_a_webhook_and_polling_exclude_each_other(bot: Bot, server: TelegramServer, people: People) -> None:
    server.allows_http_webhooks = False
    with pytest.raises(error.BadRequest, match=r"(?i)HTTPS URL"):
        await bot.set_webhook("http://x.example/")
    await bot.set_webhook("https://127.0.0.1:9/", secret_token="s", certificate=b"-----BEGIN", allowed_updates=["poll"])
    info = await bot.get_webhook_info()
    assert (info.url, info.has_custom_certificate, info.pending_update_count) == ("https://127.0.0.1:9/", True, 0)
    assert server.bot.allowed == {"poll"}
    with pytest.raises(error.Conflict, match=r"(?i)webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    await bot.get_updates()


async def test_a_person_who_blocked_the_bot_and_a_group_that_moved(bot: Bot, people: People) -> None:
    people.block(INES)
    with pytest.raises(error.Forbidden, match=r"(?i)blocked by the user"):
        await bot.send_message(INES.id, "x")
    old, new = people.group("Crew"), people.group("Crew")
    old.moved_to = new.id
    with pytest.raises(error.ChatMigrated) as caught:
        await bot.send_message(old.id, "x")
    assert caught.value.new_chat_id == new.id


async def test_faults_are_met_once_and_then_over(bot: Bot, server: TelegramServer, people: People) -> None:
    server.faults.refuse("sendMessage", 429, "Too Many Requests: retry after 7", retry_after=7)
    with pytest.raises(error.RetryAfter):
        await bot.send_message(INES.id, "x")
    server.faults.refuse("sendMessage", 500, "Internal Server Error")
    with pytest.raises(error.NetworkError, match=r"(?i)Internal"):
        await bot.send_message(INES.id, "x")
    for kind in (FaultKind.CUT, FaultKind.PAGE):
        server.faults.add("sendMessage", Fault(kind, code=502))
        with pytest.raises(error.NetworkError):
            await bot.send_message(INES.id, "x")
    assert server.sent == []
    for kind in (FaultKind.LOSE, FaultKind.HALF):
        server.faults.add("sendMessage", Fault(kind))
        with pytest.raises(error.NetworkError):
            await bot.send_message(INES.id, "x")
    assert len(server.sent) == 2
    server.faults.add("sendMessage", Fault(FaultKind.STALL))
    with pytest.raises(error.TimedOut):
        await bot.send_message(INES.id, "x", read_timeout=0.1)
    await bot.send_message(INES.id, "x")
    assert len(server.sent) == 3


async def test_a_revoked_token_is_refused(bot: Bot, server: TelegramServer) -> None:
    server.bot.is_revoked = True
    with pytest.raises(error.InvalidToken):
        await bot.get_me()
