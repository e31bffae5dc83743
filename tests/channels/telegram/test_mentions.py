from __future__ import annotations

import pytest

from homarus.channels.telegram.mentions import read_mentions
from homarus.channels.telegram.objects import Entity, User
from homarus.testing.telegram.world import entities_of

ME = User(id=123, is_bot=True, username="Homarus_Bot")
COMMANDS = frozenset({"new", "stop"})


def read(text: str) -> tuple[str, bool]:
    entities = tuple(Entity.model_validate(item) for item in entities_of(text, text.split()))
    found = read_mentions(text, entities, ME, COMMANDS)
    return found.text, found.is_mentioned


@pytest.mark.parametrize(
    ("text", "left", "is_mentioned"),
    [
        ("@homarus_bot tide at 6?", "tide at 6?", True),
        ("hey @homarus_bot tide?", "hey @homarus_bot tide?", True),
        ("\U0001f41f\U0001f41f @HOMARUS_bot x", "\U0001f41f\U0001f41f @HOMARUS_bot x", True),
        ("@somebody_else hi", "@somebody_else hi", False),
        ("@homarus_bots hi", "@homarus_bots hi", False),
        ("/new@homarus_bot now", "/new now", True),
        ("\U0001f41f /stop@homarus_bot", "\U0001f41f /stop", True),
        ("/new@other_bot now", "/new@other_bot now", False),
        ("/stop", "/stop", True),
        ("/unknown", "/unknown", False),
        ("nobody", "nobody", False),
    ],
)
def test_the_bot_is_addressed_by_name_or_command(text: str, left: str, is_mentioned: bool) -> None:
    assert read(text) == (left, is_mentioned)


def test_a_mark_on_the_account_is_a_mention() -> None:
    mark = Entity(type="text_mention", offset=0, length=3, user=ME)
    assert read_mentions("Bot hi", (mark,), ME, COMMANDS).is_mentioned
    other = Entity(type="text_mention", offset=0, length=3, user=User(id=5))
    assert not read_mentions("Bot hi", (other,), ME, COMMANDS).is_mentioned


@pytest.mark.parametrize(("offset", "length"), [(-1, 3), (0, 0), (5, 10), (99, 1)])
def test_entities_outside_the_text_are_passed_over(offset: int, length: int) -> None:
    found = read_mentions("@homarus_bot"[:6], (Entity(type="mention", offset=offset, length=length),), ME, COMMANDS)
    assert not found.is_mentioned
