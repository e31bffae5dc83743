from __future__ import annotations

import asyncio

import pytest

from homarus.errors import StorageError
from homarus.labels import Confidentiality, Integrity, Label
from homarus.storage.database import Database
from homarus.storage.entries import insert_entry, select_entries
from homarus.storage.records import Entry

LABEL = Label(Integrity.MEMBER, Confidentiality.CHAT, ("channel:irc",))


def make_entry(entry_id: str, session: str = "s") -> Entry:
    return Entry(0, entry_id, session, "run", "user", {"text": "ünï 🦞", "images": []}, LABEL, 3, 5)


async def test_an_entry_comes_back_with_every_field_and_its_number(database: Database) -> None:
    stored = await database.write(insert_entry, make_entry("one"))

    assert stored.seq > 0
    assert await database.read(select_entries, "s") == [stored]


async def test_the_last_entries_are_returned_oldest_first(database: Database) -> None:
    for number in range(5):
        await database.write(insert_entry, make_entry(str(number)))

    assert [entry.id for entry in await database.read(select_entries, "s", 2)] == ["3", "4"]
    assert [entry.id for entry in await database.read(select_entries, "s")] == ["0", "1", "2", "3", "4"]


async def test_numbers_rise_and_are_never_used_twice(database: Database) -> None:
    stored = await asyncio.gather(*(database.write(insert_entry, make_entry(str(number))) for number in range(50)))

    read = await database.read(select_entries, "s")
    assert [entry.seq for entry in read] == sorted({entry.seq for entry in stored})


async def test_an_entry_exists_once(database: Database) -> None:
    await database.write(insert_entry, make_entry("one"))

    with pytest.raises(StorageError):
        await database.write(insert_entry, make_entry("one"))

    assert len(await database.read(select_entries, "s")) == 1
