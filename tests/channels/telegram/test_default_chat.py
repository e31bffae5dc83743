"""Where heartbeats go that name Telegram and nobody there (`defaultTo`)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.channels.telegram.harbour import open_harbour
from tests.e2e.cli import homarus
from tests.e2e.process import gateway

from homarus.testing.model_server import JsonObject, Reply, Say
from homarus.testing.telegram.people import INES, TOMO

pytestmark = pytest.mark.e2e


def report(_body: JsonObject) -> Reply:
    """Say what a heart finds."""
    return Say("The tide is rising fast.")


async def test_a_heartbeat_goes_to_the_chat_that_the_configuration_names(tmp_path: Path) -> None:
    agents: JsonObject = {"heartbeat": {"every": "12h", "target": "telegram"}}
    async with open_harbour(tmp_path, answer=report, agents=agents, defaultTo=TOMO.id, allowFrom=[INES.id]) as harbour:
        harbour.people.private(TOMO)
        async with gateway(harbour.home):
            harbour.people.say(INES, "hello")
            assert (await harbour.sent(1)).chat == INES.id
            params = json.dumps({"mode": "now", "text": "look at the tide"})
            woken = await homarus(harbour.home, "gateway", "call", "wake", "--params", params)
            assert woken.code == 0, woken.err
            told = await harbour.sent(2)
        assert (told.chat, told.text) == (TOMO.id, "The tide is rising fast.")
