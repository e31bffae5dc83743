"""Topics of direct chats: conversations of their own, with names that the model gives them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.channels.telegram.harbour import Harbour, echo, open_harbour
from tests.e2e.process import gateway

from homarus.testing.model_server import JsonObject, Refuse, Reply, Say
from homarus.testing.telegram.people import INES
from homarus.testing.telegram.world import TestChat

pytestmark = pytest.mark.e2e
PROMPT = "Give it the name of a ship."


def name_or_echo(body: JsonObject) -> Reply:
    """Name what is to be named, and say what was said."""
    is_naming = PROMPT in json.dumps(body) or "Name the conversation" in json.dumps(body)
    return Say('"**Tides at noon**."\nI hope you like it.') if is_naming else echo(body)


def topics(harbour: Harbour, *threads: int) -> TestChat:
    """Return the chat with Ines, with topics in it."""
    chat = harbour.people.private(INES)
    chat.topics.update(threads)
    return chat


async def test_a_new_topic_gets_a_name_once_and_is_a_conversation_of_its_own(tmp_path: Path) -> None:
    async with open_harbour(
        tmp_path, answer=name_or_echo, allowFrom=[INES.id], direct={"*": {"autoTopicLabel": {"prompt": PROMPT}}}
    ) as harbour:
        chat = topics(harbour, 7, 8)
        async with gateway(harbour.home) as running:
            harbour.people.say(INES, "when is high tide?", thread=7)
            assert (await harbour.sent(1)).thread == 7
            await harbour.until(lambda: chat.topic_names == {7: "Tides at noon"})
            chat.topic_names[7] = "as Ines likes it"
            harbour.people.say(INES, "and low tide?", thread=7)
            await harbour.sent(2)
            assert "when is high tide?" in json.dumps(harbour.model.requests[-1].body)
            harbour.people.say(INES, "without a topic")
            await harbour.sent(3)
            assert "tide" not in json.dumps(harbour.model.requests[-1].body)
            assert await running.stop() == 0
        async with gateway(harbour.home):
            harbour.people.say(INES, "something else", thread=8)
            await harbour.until(lambda: 8 in chat.topic_names)
            await harbour.sent(4)
        assert chat.topic_names == {7: "as Ines likes it", 8: "Tides at noon"}
        assert sum(PROMPT in json.dumps(request.body) for request in harbour.model.requests) == 2


async def test_a_model_that_fails_is_asked_again_with_the_next_message(tmp_path: Path) -> None:
    failed: list[JsonObject] = []

    def answer(body: JsonObject) -> Reply:
        if "Name the conversation" in json.dumps(body) and len(failed) < 1:
            failed.append(body)
            return Refuse(400)
        return name_or_echo(body)

    async with open_harbour(tmp_path, answer=answer, allowFrom=[INES.id], autoTopicLabel=True) as harbour:
        chat = topics(harbour, 7)
        async with gateway(harbour.home):
            harbour.people.say(INES, "when is high tide?", thread=7)
            await harbour.sent(1)
            harbour.people.say(INES, "and low tide?", thread=7)
            await harbour.until(lambda: chat.topic_names == {7: "Tides at noon"})


async def test_topics_get_no_name_unless_that_is_wanted(tmp_path: Path) -> None:
    async with open_harbour(tmp_path, answer=name_or_echo, allowFrom=[INES.id]) as harbour:
        chat = topics(harbour, 7)
        async with gateway(harbour.home):
            harbour.people.say(INES, "when is high tide?", thread=7)
            await harbour.sent(1)
            harbour.people.say(INES, "and low tide?", thread=7)
            await harbour.sent(2)
        assert (chat.topic_names, len(harbour.model.requests)) == ({}, 2)
