from __future__ import annotations

from homarus.channels.telegram.contents import describe, files_of, written
from homarus.channels.telegram.objects import Message


def message(**keys: object) -> Message:
    return Message.model_validate({"message_id": 14, "chat": {"id": 5, "type": "private"}} | keys)


def test_a_text_wins_over_a_caption() -> None:
    assert written(message(text="a", caption="b"))[0] == "a"
    assert written(message(caption="b"))[0] == "b"
    assert written(message()) == ("", ())


def test_a_file_without_a_name_gets_one_by_its_type() -> None:
    (item,) = files_of(message(document={"file_id": "x", "mime_type": "application/pdf"}))
    assert item.name == "document-14.pdf"


def test_names_and_types_from_outside_are_cut() -> None:
    (item,) = files_of(message(document={"file_id": "x", "mime_type": "a/" + "b" * 500, "file_name": "n" * 500}))
    assert len(item.mime) == 100
    assert len(item.name) == 200
    assert len(describe(message(document={"file_id": "x", "file_name": "n\n" * 500}))) < 250


def test_a_photo_with_only_large_sizes_gives_the_smallest() -> None:
    sizes = [{"file_id": "s", "file_size": 6_000_000}, {"file_id": "l", "file_size": 9_000_000}]
    (item,) = files_of(message(photo=sizes))
    assert item.ref == "s"


def test_a_venue_is_described_with_its_place() -> None:
    line = describe(message(location={"latitude": 1, "longitude": 2}, venue={"title": "Pier 9", "address": "Rua"}))
    assert line == "[location: Pier 9, Rua, 1.000000, 2.000000]"
