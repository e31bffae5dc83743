"""Reactions that people put on messages, as `reactionNotifications` wants them told."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.channels.telegram.harbour import open_harbour
from tests.e2e.process import gateway

from homarus.testing.ingress import MemoryIngress
from homarus.testing.model_server import last_user_text
from homarus.testing.telegram.launch import Start
from homarus.testing.telegram.people import INES, TOMO, People
from homarus.testing.telegram.server import TelegramServer


async def test_a_reaction_is_an_event_of_who_reacted_once_per_update(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    message = people.say(INES, "high tide at noon")
    server.bot.updates.clear()
    async with start(reactionNotifications="all"):
        people.react(INES, message, "👍")
        found = await ingress.wait()
        people.unreact(INES, message, "👍")
        gone = await ingress.wait()
    assert (found.text, found.is_event, found.sender.id) == ("[reacted with 👍]", True, str(INES.id))
    assert found.reply_to == str(message["message_id"])
    assert gone.text == "[took 👍 off]"
    assert gone.external_id != found.external_id


@pytest.mark.parametrize(("wanted", "is_asked"), [(None, False), ("off", False), ("own", True), ("all", True)])
async def test_telegram_is_asked_for_reactions_only_when_they_are_wanted(
    start: Start, server: TelegramServer, wanted: str | None, is_asked: bool
) -> None:
    async with start(reactionNotifications=wanted):
        assert ("message_reaction" in server.bot.allowed) is is_asked


@pytest.mark.e2e
async def test_the_next_answer_knows_of_reactions_to_ours_also_after_a_restart(tmp_path: Path) -> None:
    async with open_harbour(
        tmp_path, reactionNotifications="own", allowFrom=[INES.id], groupAllowFrom=[INES.id], groups={"*": {}}
    ) as harbour:
        crew = harbour.people.group("Crew", is_forum=True, topics=(7,))
        async with gateway(harbour.home) as running:
            asked = harbour.people.say(INES, "@homarus_bot high tide?", chat=crew, thread=7)
            ours = harbour.server.message(harbour.server.bot, await harbour.sent(1))
            harbour.people.react(TOMO, ours, "👎")
            harbour.people.react(INES, asked, "👀")
            harbour.people.react(INES, ours, "👍")
            harbour.people.react(TOMO, harbour.people.post(TOMO, {"new_chat_title": "x"}), "🎉")
            await harbour.until(lambda: not harbour.server.bot.updates)
            assert await running.stop() == 0
        async with gateway(harbour.home):
            harbour.people.say(INES, "@homarus_bot and now?", chat=crew, thread=7)
            await harbour.sent(2)
        told = last_user_text(harbour.model.requests[-1].body)
        assert '- Ines: [reacted with 👍] your message "you said: Ines: high tide?"' in told
        assert "👎" not in told
        assert "👀" not in told
        assert len(harbour.model.requests) == 2
