"""Buttons under messages, and what happens when people press them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.channels.telegram.harbour import open_harbour
from tests.e2e.cli import homarus
from tests.e2e.process import gateway

from homarus.channels.contract import ChatKind, OutboundPart
from homarus.channels.telegram.outbound import message_of
from homarus.errors import Permanent
from homarus.ids import Address
from homarus.manner import Button, Manner
from homarus.testing.ingress import MemoryIngress
from homarus.testing.model_server import last_user_text
from homarus.testing.telegram.faults import Fault, FaultKind
from homarus.testing.telegram.launch import Start
from homarus.testing.telegram.people import INES, TOMO, People
from homarus.testing.telegram.server import TelegramServer

ROWS = ((Button("Yes", "yes"), Button("Site", url="https://tides.example")), (Button("New", "/new"),))


def question(chat: int, thread: str | None = None) -> OutboundPart:
    address = Address("telegram", "default", str(chat), thread)
    return OutboundPart(f"p{chat}", address, "Go?", manner=Manner(buttons=ROWS))


async def test_a_press_is_an_answer_of_who_pressed_and_the_spinner_goes(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    crew = people.group("Crew", is_forum=True, topics=(7,))
    async with start() as (channel, _):
        await channel.send(question(crew.id, "7"))
        sent = await server.next_sent()
        assert [[each["text"] for each in row] for row in sent.buttons] == [["Yes", "Site"], ["New"]]
        people.press(TOMO, sent, "Yes")
        pressed = await ingress.wait()
        people.press(TOMO, sent, "New")
        assert (await ingress.wait()).text == "/new"
        await server.called("answerCallbackQuery", 2)
    assert (pressed.text, pressed.sender.id, pressed.kind) == (
        '[pressed "Yes"] callback_data: yes', str(TOMO.id), ChatKind.GROUP,
    )  # fmt: skip
    assert (pressed.address.chat, pressed.address.thread) == (str(crew.id), "7")
    assert pressed.is_mentioned
    assert pressed.is_reply_to_me
    assert message_of(pressed.external_id) == sent.message_id
    assert server.presses == set()


async def test_a_press_that_cannot_be_answered_any_more_counts_and_every_press_counts_once(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    people.private(INES)
    server.repeat = 2
    async with start() as (channel, _):
        await channel.send(question(INES.id))
        sent = await server.next_sent()
        server.faults.add("answerCallbackQuery", Fault(FaultKind.LOSE))
        people.press(INES, sent, "Yes")
        first = await ingress.wait()
        people.press(INES, sent, "Yes")
        await server.called("answerCallbackQuery", 2)
    assert first.external_id.startswith(f"{INES.id}:press-")


@pytest.mark.parametrize(
    ("given", "in_private", "in_group"),
    [
        ("off", False, False),
        ("dm", True, False),
        ("group", False, True),
        ("all", True, True),
        ("allowlist", True, True),
    ],
)
async def test_buttons_are_offered_where_the_configuration_says(
    start: Start, people: People, given: str, in_private: bool, in_group: bool
) -> None:
    people.private(INES)
    crew = people.group("Crew")
    async with start(capabilities={"inlineButtons": given}) as (channel, _):
        for chat, is_offered in ((INES.id, in_private), (crew.id, in_group)):
            part = question(chat)
            if is_offered:
                await channel.send(part)
            else:
                with pytest.raises(Permanent, match="buttons are off"):
                    await channel.send(part)


@pytest.mark.e2e
async def test_a_press_is_answered_once_and_a_stranger_is_not_let_in_by_a_button(tmp_path: Path) -> None:
    rows = json.dumps([[{"text": "Yes", "callback_data": "yes"}]])
    async with open_harbour(tmp_path, groupAllowFrom=[INES.id], groups={"*": {}}) as harbour:
        crew = harbour.people.group("Crew")
        sending = ("message", "send", "--to", str(crew.id), "--channel", "telegram", "-m", "Go?")
        async with gateway(harbour.home):
            finished = await homarus(harbour.home, *sending, "--buttons", rows, "--silent")
            assert finished.code == 0, finished.err
            asked = await harbour.sent(1)
            assert (asked.is_quiet, len(asked.buttons)) == (True, 1)
            harbour.people.press(TOMO, asked, "Yes")
            harbour.people.press(INES, asked, "Yes")
            answer = await harbour.sent(2)
            assert answer.text == "you said: callback_data: yes"
            assert 'Ines: [pressed "Yes"] callback_data: yes' in last_user_text(harbour.model.requests[-1].body)
            assert answer.reply_to == asked.message_id
            wrong = await homarus(harbour.home, *sending, "--buttons", '[[{"text": "x"}]]')
            assert wrong.code == 1
            assert "callback_data or url" in wrong.err
            assert (await homarus(harbour.home, *sending, "--buttons", "[[")).code == 1
        assert len(harbour.model.requests) == 1
