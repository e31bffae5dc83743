from __future__ import annotations

import asyncio
import threading

from msgspec.structs import replace

from homarus.ids import Address
from homarus.storage import outbound
from homarus.storage.database import Connection, Database
from homarus.storage.records import OutboundMessage

PREVIEW = OutboundMessage("a", "r:net:0", "r", Address("net", "d", "c"), 0, 1, "Hel", "preview", 1, 1)


async def part(database: Database) -> OutboundMessage:
    [found] = await database.read(outbound.select_parts, "r")
    return found


async def test_a_preview_becomes_the_final_part(database: Database) -> None:
    _, is_new = await database.write(outbound.open_preview, PREVIEW)
    assert is_new
    await database.write(outbound.note_preview, PREVIEW, "p1")
    final = replace(PREVIEW, id="b", text="Hello", state="pending")
    await database.write(outbound.insert_parts, [final])
    stored = await part(database)
    assert (stored.id, stored.text, stored.state, stored.platform_id) == ("a", "Hello", "pending", "p1")


async def test_a_preview_that_comes_after_the_final_part_changes_nothing(database: Database) -> None:
    await database.write(outbound.insert_parts, [replace(PREVIEW, text="Hello", state="pending")])
    known, is_new = await database.write(outbound.open_preview, replace(PREVIEW, id="late"))
    assert (known.text, known.state, is_new) == ("Hello", "pending", False)


async def test_a_final_part_stored_while_its_preview_is_being_stored_is_not_lost(database: Database) -> None:
    """PostgreSQL runs writes side by side; SQLite one after the other, where the second simply waits."""
    inserted, go = threading.Event(), threading.Event()

    def slow_preview(connection: Connection) -> None:
        outbound.open_preview(connection, PREVIEW)
        inserted.set()
        go.wait(45)

    final = replace(PREVIEW, id="b", text="Hello", state="pending")
    preview = asyncio.create_task(database.write(slow_preview))
    await asyncio.to_thread(inserted.wait, 45)
    finish = asyncio.create_task(database.write(outbound.insert_parts, [final]))
    await asyncio.wait([finish], timeout=0.3)
    go.set()
    await asyncio.gather(preview, finish)
    stored = await part(database)
    assert (stored.text, stored.state) == ("Hello", "pending")
