from __future__ import annotations

from functools import partial

from sqlalchemy import Connection, select

from homarus.storage.database import Database
from homarus.storage.dialect import insert_ignore, upsert
from homarus.storage.tables import allowlist

ROW = {"channel": "irc", "account": "default", "sender_id": "anna", "source": "pairing", "added_at": 1}


def rows(connection: Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(select(allowlist.c.source, allowlist.c.added_at))]


async def test_an_ignored_insert_says_so_and_changes_nothing(database: Database) -> None:
    assert await database.write(insert_ignore, allowlist, ROW)
    assert not await database.write(insert_ignore, allowlist, {**ROW, "source": "other"})

    assert await database.read(rows) == [("pairing", 1)]


async def test_an_upsert_replaces_all_but_what_is_kept_and_adds_what_is_added(database: Database) -> None:
    await database.write(upsert, allowlist, ROW)
    await database.write(partial(upsert, keep=("source",), add=("added_at",)), allowlist, {**ROW, "source": "x"})
    assert await database.read(rows) == [("pairing", 2)]

    await database.write(upsert, allowlist, {**ROW, "source": "x", "added_at": 9})
    assert await database.read(rows) == [("x", 9)]


async def test_an_upsert_with_nothing_to_change_keeps_the_row(database: Database) -> None:
    await database.write(upsert, allowlist, ROW)
    await database.write(partial(upsert, keep=("source", "added_at")), allowlist, {**ROW, "source": "x"})

    assert await database.read(rows) == [("pairing", 1)]
