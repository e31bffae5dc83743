"""Polls, stickers and topics, by hand and by the clients of OpenClaw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest
from tests.channels.telegram.harbour import open_harbour
from tests.e2e.cli import homarus
from tests.e2e.process import gateway

from homarus.testing.telegram.people import INES

pytestmark = pytest.mark.e2e


async def test_polls_are_asked_once_and_topics_are_opened_and_named(tmp_path: Path) -> None:
    async with open_harbour(tmp_path) as harbour:
        server, crew = harbour.server, harbour.people.group("Crew", is_forum=True, topics=(7,))
        there = ("--to", str(crew.id), "--channel", "telegram")
        asking = ("message", "poll", *there, "-q", "Which day?", "-o", "Friday", "-o", "Saturday", "--thread", "7")
        async with gateway(harbour.home):
            for _ in range(2):
                finished = await homarus(harbour.home, *asking, "--multi", "--public", "--hours", "2", "--key", "k1")
                assert finished.code == 0, finished.err
            asked = await harbour.sent(1)
            assert (asked.method, asked.text, asked.thread) == ("sendPoll", "Which day?", 7)
            assert asked.poll == {
                "options": ["Friday", "Saturday"],
                "is_anonymous": False,
                "allows_multiple_answers": True,
                "open_period": 7200,
            }
            same = await homarus(harbour.home, "message", "poll", *there, "-q", "x", "-o", "a", "-o", "a")
            assert (same.code, "must differ" in same.err) == (1, True)
            assert (await homarus(harbour.home, "message", "topic", *there, "--name", "Engine")).code == 0
            [thread] = crew.topics - {7}
            named = await homarus(harbour.home, "message", "topic", *there, "--name", "Sails", "--thread", str(thread))
            assert (named.code, crew.topic_names) == (0, {thread: "Sails"})
            nowhere = await homarus(harbour.home, "message", "topic", *there, "--name", "x", "--thread", "999")
            assert (nowhere.code, "TOPIC_ID_INVALID" in nowhere.err) == (1, True)
        assert server.calls.count("sendPoll") == 1


async def test_a_sticker_and_a_poll_of_the_command_line_of_version_4(tmp_path: Path) -> None:
    async with open_harbour(tmp_path) as harbour:
        harbour.people.private(INES)
        harbour.server.files["CAACAgQ"] = ("stickers/1", b"webp")
        to = {"target": str(INES.id)}
        poll = {**to, "pollQuestion": "Which day?", "pollOption": ["Friday", "Saturday"], "pollAnonymous": False}
        async with gateway(harbour.home) as running:
            async with running.client() as client:
                for action, params in (("sticker", {**to, "fileId": "CAACAgQ"}), ("poll", poll)):
                    body = {"channel": "telegram", "action": action, "params": params, "idempotencyKey": action}
                    assert cast("dict[str, object]", await client.call("message.action", body))["ok"] is True
            sticker, asked = harbour.server.sent
        assert (sticker.method, sticker.file_name) == ("sendSticker", "CAACAgQ")
        assert (asked.method, asked.poll["is_anonymous"]) == ("sendPoll", False)


async def test_actions_that_are_switched_off_are_refused(tmp_path: Path) -> None:
    off = dict.fromkeys(("sendMessage", "poll", "sticker", "createForumTopic", "editForumTopic"), False)
    async with open_harbour(tmp_path, actions=off) as harbour:
        harbour.people.private(INES)
        params = {"to": str(INES.id), "message": "x", "pollQuestion": "x", "pollOption": ["a", "b"], "fileId": "a"}
        async with gateway(harbour.home):
            for action in ("send", "poll", "sticker", "topic-create", "topic-edit"):
                body = {"channel": "telegram", "action": action, "params": params, "idempotencyKey": action}
                refused = await homarus(harbour.home, "gateway", "call", "message.action", "--params", json.dumps(body))
                assert refused.code == 1
                assert "supported: react, edit, delete" in refused.err
        assert harbour.server.sent == []
