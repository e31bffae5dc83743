from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homarus.channels.telegram.inbound import Reader
from homarus.channels.telegram.intake import grouped, ordered, parse_update
from homarus.channels.telegram.objects import Message, User

READER = Reader("default", User(id=123, is_bot=True, username="homarus_bot"), frozenset({"stop"}))
FIELDS = (
    "text", "caption", "entities", "caption_entities", "photo", "document", "voice", "sticker", "location", "venue",
    "contact", "poll", "dice", "rich_message", "reply_to_message", "quote", "forward_origin", "sender_chat", "from",
    "message_thread_id", "is_topic_message", "media_group_id", "forum_topic_created", "chat", "date", "message_id",
)  # fmt: skip
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*FIELDS, "id", "type"]), inner),
    max_leaves=8,
)
ENTITY = st.fixed_dictionaries(
    {"type": st.sampled_from(["mention", "bot_command", "text_mention", "bold"]),
     "offset": st.integers(-5, 40), "length": st.integers(-5, 40)}
)  # fmt: skip
GOOD: dict[str, object] = {
    "message_id": 7,
    "chat": {"id": -100, "type": "supergroup", "title": "Crew"},
    "from": {"id": 5, "is_bot": False, "first_name": "Ines"},
    "text": "hi",
}


def message(number: int, group: str | None = None) -> Message:
    return Message.model_validate(GOOD | {"message_id": number, "media_group_id": group})


@given(st.dictionaries(st.sampled_from(FIELDS), ANY, max_size=4))
def test_whatever_a_message_holds_reading_it_does_not_fail(keys: dict[str, object]) -> None:
    found = parse_update({"update_id": 1, "message": GOOD | keys})
    if found is not None:
        READER.read([found])


@given(st.text(max_size=30), st.lists(ENTITY, max_size=4))
def test_whatever_is_marked_in_a_text_reading_it_does_not_fail(text: str, entities: list[dict[str, object]]) -> None:
    found = parse_update({"update_id": 1, "message": GOOD | {"text": text, "entities": entities}})
    assert found is not None
    READER.read([found])


@pytest.mark.parametrize("text", ["\ud800", "a\udfff\udfff", "\x00\x01"])
def test_broken_characters_are_read_or_passed_over(text: str) -> None:
    raw = json.loads(json.dumps({"update_id": 1, "message": GOOD | {"text": text}}))
    found = parse_update(raw)
    if found is not None:
        READER.read([found])


def test_a_nested_bomb_is_passed_over() -> None:
    answered: dict[str, object] = dict(GOOD)
    for _ in range(5000):
        answered = GOOD | {"reply_to_message": answered}
    assert parse_update({"update_id": 1, "message": answered}) is None


def test_albums_stay_where_they_begin_and_chats_keep_their_order() -> None:
    groups = grouped([message(1), message(3, "g"), message(4), message(2, "g"), message(3, "g"), message(5, "h")])
    assert [[item.message_id for item in group] for group in groups] == [[1], [2, 3], [4], [5]]


def test_an_album_is_ordered_by_number_without_repetitions() -> None:
    assert [item.message_id for item in ordered([message(3), message(1), message(3)])] == [1, 3]
