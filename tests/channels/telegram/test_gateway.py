"""A real gateway process, a model server and the Bot API server: what users of the Telegram channel live through."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from tests.channels.telegram.harbour import Harbour, open_harbour
from tests.e2e.cli import homarus
from tests.e2e.process import gateway
from tests.nodes.voice.stand_ins import ESPEAK, FFMPEG, install

from homarus.pipeline.outbox import NOTICE
from homarus.testing.model_server import JsonObject, Pause, Reply, Say, last_user_text
from homarus.testing.telegram.faults import Fault, FaultKind
from homarus.testing.telegram.people import INES, TOMO

pytestmark = pytest.mark.e2e

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
FIRST = "The tide is rising and will be at its highest around noon. "
WHOLE = FIRST + "Then it falls."


@pytest.fixture
async def harbour(tmp_path: Path) -> AsyncIterator[Harbour]:
    async with open_harbour(
        tmp_path,
        answer=answer,
        messages={"ackReaction": "👀"},
        groupAllowFrom=[INES.id],
        groups={"*": {"topics": {"77": {"systemPrompt": "Here one speaks of engines."}}}},
    ) as opened:
        yield opened


def answer(body: JsonObject) -> Reply:
    """Send the chart when asked for it, else say what was said."""
    last = cast("list[JsonObject]", body["messages"])[-1]
    said = last_user_text(body)
    if "chart" in said and last["role"] != "tool":
        return Say(calls=(("send_file", json.dumps({"path": "chart.png", "caption": "the tides"})),))
    return Say(f"you said: {said.rpartition('] ')[2]}")


def pictures(body: JsonObject) -> list[bytes]:
    """Return the pictures in the last message of a request."""
    content = cast("list[JsonObject]", body["messages"])[-1]["content"]
    parts = cast("list[dict[str, dict[str, str]]]", content) if isinstance(content, list) else []
    urls = [part["image_url"]["url"] for part in parts if part.get("image_url")]
    return [base64.b64decode(url.partition(",")[2]) for url in urls]


async def test_a_whole_exchange_with_a_kill_in_the_middle_of_a_reply(harbour: Harbour) -> None:
    server, model, people = harbour.server, harbour.model, harbour.people
    crew = people.group("Boat crew", is_forum=True, topics=(77,))
    async with gateway(harbour.home) as running:
        await harbour.pair()

        # A reply is shown while it grows, as one message.
        go = asyncio.Event()
        model.will(Pause(FIRST, "Then it falls.", go))
        people.say(INES, "when is high tide?")
        shown = await harbour.sent(2)
        assert shown.text == FIRST.strip()
        go.set()
        await harbour.until(lambda: shown.text == WHOLE)
        assert shown.edits[0].strip() == FIRST.strip()

        # In a group it answers who is allowed and addresses it, there, and by the rules of the topic.
        people.say(TOMO, "@homarus_bot who are you?", chat=crew, thread=77)
        people.say(INES, "not for the bot", chat=crew, thread=77)
        asked = people.say(INES, "@homarus_bot is the engine warm?", chat=crew, thread=77)
        reply = await harbour.sent(3)
        assert (reply.chat, reply.thread, reply.reply_to) == (crew.id, 77, asked["message_id"])
        assert "is the engine warm?" in reply.text
        assert "Here one speaks of engines." in json.dumps(model.requests[-1].body)
        assert ": not for the bot" in last_user_text(model.requests[-1].body)
        place = (server.bot.id, crew.id, cast("int", asked["message_id"]))
        await harbour.until(lambda: server.reactions == {place: ["👀"]})
        assert "who are you" not in json.dumps([request.body for request in model.requests])

        # A photo reaches the model as a picture, a file comes back as a photo with its caption.
        people.photo(INES, PNG, caption="what is this?")
        assert "what is this?" in (await harbour.sent(4)).text
        assert pictures(model.requests[-1].body) == [PNG]
        people.file(INES, "document", b"high at noon", file_name="tides.txt", mime_type="text/plain", caption="read it")
        assert "[tides.txt is saved in the workspace as inbox/" in (await harbour.sent(5)).text
        [saved] = (harbour.home / "workspace" / "inbox").iterdir()
        assert saved.read_bytes() == b"high at noon"
        (harbour.home / "workspace" / "chart.png").write_bytes(PNG)
        people.say(INES, "draw me the chart")
        photo = await harbour.sent(7)
        assert "chart" in server.sent[-2].text
        assert (photo.method, photo.chat, photo.text, photo.data) == ("sendPhoto", INES.id, "the tides", PNG)

        # The process dies while a reply is being shown: the first edit tells that it knows its message.
        go = asyncio.Event()
        model.will(Pause(FIRST, "Tomorrow", go, has_end=False))
        people.say(INES, "and tomorrow?")
        cut_short = await harbour.sent(8)
        go.set()
        await harbour.until(lambda: bool(cut_short.edits))
        running.kill()
        await running.process.wait()

    async with gateway(harbour.home):
        await harbour.until(lambda: cut_short.text == "you said: and tomorrow?")
        people.say(INES, "thank you")
        assert (await harbour.sent(9)).text == "you said: thank you"
    finals = [sent for sent in server.sent if "and tomorrow?" in sent.text]
    assert finals == [cut_short]
    assert server.bot.updates == []


async def test_the_owner_sends_text_and_files_by_hand(harbour: Harbour, tmp_path: Path) -> None:
    harbour.people.private(INES)
    (tmp_path / "chart.png").write_bytes(PNG)
    (tmp_path / "log.txt").write_text("calm sea")
    files = ("--media", str(tmp_path / "chart.png"), "--media", str(tmp_path / "log.txt"))
    async with gateway(harbour.home) as running:
        reach = {"HOMARUS_GATEWAY_URL": running.ws_url}
        sending = ("message", "send", "--to", str(INES.id), "--message", "as promised")
        finished = await homarus(harbour.home, *sending, *files, "--key", "k1", extra=reach)
        again = await homarus(harbour.home, *sending, *files, "--key", "k1", extra=reach)
        nothing = await homarus(harbour.home, "message", "send", "--to", str(INES.id), extra=reach)
        await harbour.sent(3)
    assert (finished.code, again.code) == (0, 0), finished.err + again.err
    assert nothing.code != 0
    assert "nothing to send" in nothing.err
    found = [(sent.method, sent.text, sent.file_name, sent.data) for sent in harbour.server.sent]
    assert found == [
        ("sendMessage", "as promised", "", b""),
        ("sendPhoto", "", "chart.png", PNG),
        ("sendDocument", "", "log.txt", b"calm sea"),
    ]


async def test_a_kill_while_a_message_is_being_sent_ends_in_exactly_one_message(harbour: Harbour) -> None:
    server = harbour.server
    async with gateway(harbour.home) as running:
        await harbour.pair()
        server.faults.add("sendMessage", Fault(FaultKind.STALL))
        harbour.people.say(INES, "hello again")
        await harbour.until(lambda: server.calls.count("sendMessage") >= 2)
        running.kill()
        await running.process.wait()
    assert len(server.sent) == 1
    async with gateway(harbour.home):
        answered = await harbour.sent(2)
        harbour.people.say(INES, "and now?")
        await harbour.sent(3)
    assert answered.text == f"{NOTICE}you said: hello again"


async def test_the_owner_sends_edits_reacts_and_deletes_by_hand(harbour: Harbour) -> None:
    server, chat = harbour.server, str(INES.id)
    harbour.people.say(INES, "hello")
    there = ("--to", chat, "--channel", "telegram")
    async with gateway(harbour.home):
        await harbour.sent(1)
        assert (await homarus(harbour.home, "message", "send", *there, "-m", "high tide at **noon**")).code == 0
        told = await harbour.sent(2)
        at = (*there, "--message-id", str(told.message_id))
        edited = await homarus(harbour.home, "message", "edit", *at, "-m", "high tide at **one**")
        assert (edited.code, told.text, told.edits) == (0, "high tide at one", ["high tide at noon"]), edited.err
        assert f"Edited message {told.message_id} in {chat} on telegram." in edited.out
        assert (await homarus(harbour.home, "message", "react", *at, "--emoji", "👍")).code == 0
        [put] = server.reactions.values()
        assert put == ["👍"]
        assert (await homarus(harbour.home, "message", "react", *at, "--remove")).code == 0
        assert list(server.reactions.values()) == [[]]
        answer = await homarus(harbour.home, "message", "send", *there, "-m", "said above", "--reply-to", at[-1])
        assert (answer.code, (await harbour.sent(3)).reply_to) == (0, told.message_id)
        assert (await homarus(harbour.home, "message", "delete", *at)).code == 0
        assert told.is_deleted
        assert (await homarus(harbour.home, "message", "delete", *at)).code == 0
        long = await homarus(harbour.home, "message", "edit", *at, "-m", "tide " * 2000)
        assert (long.code, "does not fit into one message" in long.err) == (1, True)
        wrong = await homarus(harbour.home, "message", "react", *at, "--emoji", "not an emoji")
        assert wrong.code == 1
        assert "Traceback" not in wrong.err


async def test_replies_are_spoken_once_the_owner_wants_that(harbour: Harbour) -> None:
    programs = install(harbour.home.parent / "bin", espeak_ng=ESPEAK, ffmpeg=FFMPEG)
    path = {"PATH": f"{programs['PATH']}:{os.environ['PATH']}"}
    async with gateway(harbour.home, path) as running:
        await harbour.pair()
        harbour.people.say(INES, "how high is it?")
        assert (await harbour.sent(2)).text == "you said: how high is it?"
        assert (await homarus(harbour.home, "gateway", "call", "tts.enable")).code == 0
        harbour.people.say(INES, "and **now**, at noon?")
        await harbour.sent(4)
        text, sound = harbour.server.sent[2:]
        assert text.text == "you said: and now, at noon?"
        assert (sound.chat, sound.file_name, sound.data[:4]) == (INES.id, "reply.ogg", b"OggS")
        assert await running.stop() == 0
    async with gateway(harbour.home, path):
        harbour.people.say(INES, "still the same?")
        assert (await harbour.sent(6)).file_name == "reply.ogg"
        assert (await homarus(harbour.home, "gateway", "call", "tts.disable")).code == 0
        harbour.people.say(INES, "and without a sound?")
        assert (await harbour.sent(7)).text == "you said: and without a sound?"
        harbour.people.say(INES, "still none?")
        assert (await harbour.sent(8)).text == "you said: still none?"
