from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from homarus.ids import Address, AgentId
from homarus.labels import OPERATOR
from homarus.storage import entries as entry_rows
from homarus.storage import sessions as rows
from homarus.storage.database import Database
from homarus.storage.records import Entry, Session, SessionFilter


def make(key: str, agent: str = "main", updated_at: int = 1, **changes: object) -> Session:
    session = Session(key, AgentId(agent), f"id-{key}", "direct", 1, updated_at)
    return replace(session, **changes)  # pyright: ignore[reportArgumentType]


def make_entry(entry_id: str, session: str) -> Entry:
    return Entry(0, entry_id, session, None, "note", {"text": "x", "kind": "test"}, OPERATOR, 0, 1)


async def keys(database: Database, where: SessionFilter) -> list[str]:
    return [session.key for session in await database.read(rows.select_sessions, where)]


async def test_a_session_comes_back_with_every_field(database: Database) -> None:
    session = make(
        "a",
        address=Address("irc", "default", "#chat", "thread"),
        channel="irc",
        label="work",
        title="Title",
        meta={"thinkingLevel": "high"},
        input_tokens=3_000_000_000,
        started_at=5,
    )

    assert await database.write(rows.ensure_session, session) == session
    assert await database.read(rows.select_session, "a") == session
    assert await database.read(rows.select_session, "b") is None


async def test_a_key_that_many_want_at_once_gets_one_session(database: Database) -> None:
    wanted = [replace(make("a"), session_id=str(number)) for number in range(20)]

    got = await asyncio.gather(*(database.write(rows.ensure_session, session) for session in wanted))

    assert len({session.session_id for session in got}) == 1
    assert await database.read(rows.count_sessions, SessionFilter()) == 1


async def test_sessions_are_listed_newest_first_and_filtered(database: Database) -> None:
    for session in (
        make("agent:main:a", updated_at=1, title="Groceries 100%"),
        make("agent:main:b", updated_at=3, label="tax"),
        make("agent:other:c", agent="other", updated_at=2),
    ):
        await database.write(rows.ensure_session, session)

    assert await keys(database, SessionFilter()) == ["agent:main:b", "agent:other:c", "agent:main:a"]
    assert await keys(database, SessionFilter(limit=1)) == ["agent:main:b"]
    assert await keys(database, SessionFilter(agent_id="other")) == ["agent:other:c"]
    assert await keys(database, SessionFilter(label="tax")) == ["agent:main:b"]
    assert await keys(database, SessionFilter(active_since=2)) == ["agent:main:b", "agent:other:c"]
    assert await keys(database, SessionFilter(search="GROCERIES")) == ["agent:main:a"]
    assert await keys(database, SessionFilter(search="0%")) == ["agent:main:a"]
    assert await keys(database, SessionFilter(search="_")) == []
    assert await database.read(rows.count_sessions, SessionFilter("main")) == 2


async def test_a_label_belongs_to_one_session(database: Database) -> None:
    for key in ("a", "b"):
        await database.write(rows.ensure_session, make(key))

    assert not await database.write(rows.update_settings, "a", "mine", {"x": 1}, 7)
    assert await database.write(rows.update_settings, "b", "mine", {"x": 2}, 8)

    first = await database.read(rows.select_session, "a")
    second = await database.read(rows.select_session, "b")
    assert first is not None
    assert second is not None
    assert (first.label, first.meta, first.updated_at) == ("mine", {"x": 1}, 7)
    assert (second.label, second.meta) == (None, {})


async def test_a_renewed_session_keeps_its_settings_and_begins_empty(database: Database) -> None:
    await database.write(rows.ensure_session, make("a", meta={"x": 1}, total_tokens=9, title="t"))

    renewed = await database.write(rows.renew_session, "a", "fresh", 5)

    assert renewed == replace(make("a", meta={"x": 1}), session_id="fresh", updated_at=5)
    with pytest.raises(LookupError):
        await database.write(rows.renew_session, "none", "fresh", 5)


async def test_a_deleted_session_takes_its_transcript_with_it(database: Database) -> None:
    await database.write(rows.ensure_session, make("a"))
    await database.write(entry_rows.insert_entry, make_entry("one", "id-a"))
    await database.write(entry_rows.insert_entry, make_entry("two", "id-b"))

    assert await database.write(rows.delete_session, "a")

    assert not await database.write(rows.delete_session, "a")
    assert await database.read(entry_rows.select_entries, "id-a") == []
    assert len(await database.read(entry_rows.select_entries, "id-b")) == 1


async def test_a_page_of_sessions_knows_how_many_there_are(database: Database) -> None:
    for number in range(5):
        await database.write(rows.ensure_session, make(f"agent:main:{number}", updated_at=number))

    found, total = await database.read(rows.page_of_sessions, SessionFilter(limit=2, offset=1))
    rest, count = await database.read(rows.page_of_sessions, SessionFilter(limit=9, offset=0))

    assert ([session.key for session in found], total) == (["agent:main:3", "agent:main:2"], 5)
    assert (len(rest), count) == (5, 5)


async def test_sessions_put_away_pinned_or_sorted_by_category_are_found_by_it(database: Database) -> None:
    marks = {"away": {"archivedAt": 5}, "pinned": {"pinnedAt": 6, "category": "tax"}, "child": {"spawnedBy": "p"}}
    for name, meta in marks.items():
        await database.write(rows.ensure_session, make(f"agent:main:{name}", meta=meta))
    await database.write(rows.ensure_session, make("agent:main:cron:1", started_at=9))

    assert await keys(database, SessionFilter(is_archived=True)) == ["agent:main:away"]
    assert "agent:main:away" not in await keys(database, SessionFilter(is_archived=False))
    assert await keys(database, SessionFilter(is_pinned=True, category="tax")) == ["agent:main:pinned"]
    assert await keys(database, SessionFilter(spawned_by="p")) == ["agent:main:child"]
    assert await keys(database, SessionFilter(was_run=True)) == ["agent:main:cron:1"]
    assert (await keys(database, SessionFilter(order="run")))[0] == "agent:main:cron:1"
    assert "agent:main:cron:1" not in await keys(database, SessionFilter(without=(":cron:",)))
    assert await keys(database, SessionFilter(agent_ids=())) == []
    assert await keys(database, SessionFilter(keys=("agent:main:child", "no"))) == ["agent:main:child"]


async def test_marks_do_not_move_a_session_in_the_list(database: Database) -> None:
    await database.write(rows.ensure_session, make("a", updated_at=1))
    await database.write(rows.update_settings, "a", None, {"archivedAt": 7}, None)
    assert await keys(database, SessionFilter(is_archived=True)) == ["a"]
    found = await database.read(rows.select_session, "a")
    assert found is not None
    assert found.updated_at == 1
    await database.write(rows.update_settings, "a", None, {}, 9)
    assert await keys(database, SessionFilter(is_archived=False, active_since=9)) == ["a"]
