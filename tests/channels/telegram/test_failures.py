"""What a chat sees of answers that fail, as `errorPolicy` and its companions want it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.channels.telegram.harbour import open_harbour
from tests.e2e.cli import homarus
from tests.e2e.process import gateway

from homarus.testing.model_server import JsonObject, Refuse, Stall
from homarus.testing.telegram.people import INES

pytestmark = pytest.mark.e2e


async def test_a_failure_is_told_once_without_a_sound_also_after_a_restart(tmp_path: Path) -> None:
    async with open_harbour(tmp_path, allowFrom=[INES.id], errorPolicy="once", silentErrorReplies=True) as harbour:
        async with gateway(harbour.home) as running:
            harbour.model.will(Refuse(400, "no such tide"))
            harbour.people.say(INES, "when is high tide?")
            told = await harbour.sent(1)
            assert ("no such tide" in told.text, told.is_quiet) == (True, True)
            harbour.people.say(INES, "hello")
            assert (await harbour.sent(2)).text == "you said: hello"
            assert not harbour.server.sent[1].is_quiet
            assert await running.stop() == 0
        async with gateway(harbour.home):
            harbour.model.will(Refuse(400, "no such tide"))
            harbour.people.say(INES, "and low tide?")
            harbour.people.say(INES, "hello again")
            await harbour.until(lambda: "hello again" in harbour.server.sent[-1].text)
        assert len(harbour.server.sent) == 3, [each.text for each in harbour.server.sent]


async def test_a_silent_bot_takes_back_the_answer_it_had_begun_and_the_owner_finds_the_failure(tmp_path: Path) -> None:
    agents: JsonObject = {"timeoutSeconds": 3}
    async with open_harbour(tmp_path, agents=agents, allowFrom=[INES.id], errorPolicy="silent") as harbour:
        async with gateway(harbour.home):
            harbour.model.will(Stall("The tide is rising and will be"))
            harbour.people.say(INES, "when is high tide?")
            shown = await harbour.sent(1)
            await harbour.until(lambda: shown.is_deleted)
            listed = await homarus(harbour.home, "messages", "list", "--state", "failed")
        assert "errorPolicy" in listed.out, listed
        assert len(harbour.server.sent) == 1


async def test_keys_without_an_effect_are_named_at_the_start(tmp_path: Path) -> None:
    async with open_harbour(
        tmp_path, threadBindings={"enabled": True}, accounts={"a": {"healthMonitor": {}}}
    ) as harbour:
        named = "no effect yet: channels.telegram.threadBindings, channels.telegram.accounts.a.healthMonitor"
        async with gateway(harbour.home):
            pass
        assert named in (harbour.home / "stderr.txt").read_text() + (harbour.home / "stdout.txt").read_text()
