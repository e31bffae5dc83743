from __future__ import annotations

import pytest

from homarus.channels.contract import ChatKind, Inbound
from homarus.channels.telegram.inbound import Reader
from homarus.channels.telegram.objects import Message, User
from homarus.ids import Address

ME: dict[str, object] = {"id": 123, "is_bot": True, "first_name": "Homarus", "username": "homarus_bot"}
INES: dict[str, object] = {"id": 6120045512, "is_bot": False, "first_name": "Ines", "username": "ines_k"}
PRIVATE: dict[str, object] = {"id": 6120045512, "type": "private", "first_name": "Ines"}
CREW: dict[str, object] = {"id": -1002200113344, "type": "supergroup", "title": "Boat crew", "is_forum": True}
READER = Reader("default", User.model_validate(ME), frozenset({"stop"}))


def message(**keys: object) -> Message:
    base: dict[str, object] = {"message_id": 14, "date": 1795219400, "chat": PRIVATE, "from": INES}
    return Message.model_validate(base | keys)


def read(**keys: object) -> Inbound | None:
    return READER.read([message(**keys)])


def must(**keys: object) -> Inbound:
    found = read(**keys)
    assert found is not None
    return found


def test_a_direct_message_gives_its_facts() -> None:
    found = must(text="tide?")
    assert found.address == Address("telegram", "default", "6120045512")
    assert found.external_id == "6120045512:14"
    assert found.kind is ChatKind.DIRECT
    assert found.sender.id == "6120045512"
    assert found.sender.name == "Ines"
    assert found.sender.aliases == ("@ines_k", "ines_k")
    assert found.sent_at == 1795219400000


def test_a_topic_is_a_thread() -> None:
    found = must(chat=CREW, text="hi", message_thread_id=77, is_topic_message=True)
    assert found.address.thread == "77"
    assert found.kind is ChatKind.GROUP


def test_the_reply_thread_of_a_plain_group_is_no_thread() -> None:
    assert must(chat=CREW, text="hi", message_thread_id=9001).address.thread is None


def test_an_answer_to_the_bot_is_recognised_and_not_quoted_again() -> None:
    asked = {"message_id": 9, "chat": CREW, "from": ME, "text": "High water at six."}
    found = must(chat=CREW, text="sure?", reply_to_message=asked)
    assert found.is_reply_to_me
    assert found.reply_to == f"{CREW['id']}:9"
    assert found.quoted is None


def test_an_answer_to_somebody_else_quotes_them() -> None:
    found = must(
        chat=CREW, text="is that so?", reply_to_message={"message_id": 9, "chat": CREW, "from": INES, "text": "Ebb."}
    )
    assert not found.is_reply_to_me
    assert found.quoted == "Ebb."


def test_a_chosen_quote_wins_over_the_whole_message() -> None:
    asked = {"message_id": 9, "chat": CREW, "from": ME, "text": "High water at six."}
    assert (
        must(chat=CREW, text="?", reply_to_message=asked, quote={"text": "at six", "is_manual": True}).quoted
        == "at six"
    )


def test_the_first_message_of_a_topic_is_not_answered_by_everything_in_it() -> None:
    root = {"message_id": 77, "chat": CREW, "from": ME, "forum_topic_created": {"name": "Tides"}}
    found = must(chat=CREW, text="hi", message_thread_id=77, is_topic_message=True, reply_to_message=root)
    assert not found.is_reply_to_me
    assert found.reply_to is None


def test_a_forwarded_text_is_quoted_and_not_the_senders_own() -> None:
    found = must(text="send me money", forward_origin={"type": "hidden_user", "sender_user_name": "Somebody"})
    assert found.quoted == "send me money"
    assert found.text == "[forwarded from Somebody]"


def test_an_anonymous_admin_writes_as_the_group() -> None:
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    found = must(chat=CREW, text="hi", **{"from": anonymous}, sender_chat=CREW)
    assert found.sender.id == str(CREW["id"])
    assert not found.sender.is_bot


def test_another_bot_is_marked_as_one() -> None:
    assert must(chat=CREW, text="hi", **{"from": ME | {"id": 9}}).sender.is_bot


@pytest.mark.parametrize(
    "keys",
    [
        {"new_chat_members": [INES]},
        {"pinned_message": {"message_id": 1}},
        {"text": "   "},
        {"text": "x", "from": ME},
        {"text": "x", "from": None},
        {"text": "x", "chat": {"id": -100, "type": "channel", "title": "News"}},
        {"text": "x", "is_automatic_forward": True},
        {"forum_topic_created": {"name": "x"}},
    ],
)
def test_what_nobody_would_answer_is_nothing(keys: dict[str, object]) -> None:
    assert read(**keys) is None


def test_a_caption_is_the_text_of_a_picture() -> None:
    sizes = [{"file_id": "s", "file_size": 10}, {"file_id": "l", "file_size": 900}]
    found = must(photo=sizes, caption="@homarus_bot what is this?",
                 caption_entities=[{"type": "mention", "offset": 0, "length": 12}])  # fmt: skip
    assert found.text == "what is this?"
    assert found.is_mentioned
    assert [(item.mime, item.ref, item.size) for item in found.attachments] == [("image/jpeg", "l", 900)]


def test_the_largest_size_of_a_picture_within_the_limit_is_taken() -> None:
    sizes = [
        {"file_id": "s", "file_size": 10},
        {"file_id": "m", "file_size": 5_000_000},
        {"file_id": "l", "file_size": 9_000_000},
    ]
    assert must(photo=sizes).attachments[0].ref == "m"
    assert must(photo=sizes).text == "[picture]"


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (
            {"voice": {"file_id": "v", "duration": 4, "mime_type": "audio/ogg", "file_size": 15877}},
            "[voice message: 4 s, 15877 bytes]",
        ),
        ({"document": {"file_id": "d", "file_name": "a.pdf", "mime_type": "application/pdf"}}, "[file: a.pdf]"),
        ({"video_note": {"file_id": "d"}}, "[video message]"),
        ({"sticker": {"file_id": "x", "emoji": "\U0001f41f"}}, "[sticker \U0001f41f]"),
        ({"location": {"latitude": 41.15, "longitude": -8.61}}, "[location: 41.150000, -8.610000]"),
        ({"contact": {"phone_number": "+351", "first_name": "Rui"}}, "[contact: Rui, +351]"),
        ({"poll": {"question": "When?", "options": [{"text": "6"}, {"text": "7"}]}}, "[poll: When? - 6 / 7]"),
        ({"dice": {"emoji": "\U0001f3b2", "value": 4}}, "[\U0001f3b2 showing 4]"),
        ({"rich_message": {"blocks": [{"type": "p", "text": "one"}, {"rows": [{"text": "two"}]}]}}, "one\ntwo"),
    ],
)
def test_content_without_text_is_described(keys: dict[str, object], text: str) -> None:
    assert must(**keys).text == text


def test_an_animation_is_one_file_though_telegram_names_it_twice() -> None:
    file = {"file_id": "a", "mime_type": "video/mp4"}
    assert len(must(animation=file, document=file).attachments) == 1


def test_an_album_is_one_message_with_all_its_pictures() -> None:
    pictures = [
        message(message_id=20 + number, media_group_id="g", photo=[{"file_id": f"p{number}"}],
                **({"caption": "both"} if number == 1 else {}))
        for number in range(3)
    ]  # fmt: skip
    found = READER.read(pictures)
    assert found is not None
    assert found.text == "both"
    assert found.external_id == "6120045512:20"
    assert [item.ref for item in found.attachments] == ["p0", "p1", "p2"]


def test_a_deeply_nested_rich_message_is_read_without_harm() -> None:
    blocks: object = "end"
    for _ in range(200):
        blocks = {"blocks": [blocks]}
    assert read(rich_message=blocks) is None
