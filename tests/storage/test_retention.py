from __future__ import annotations

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection

from homarus.ids import Address, AgentId
from homarus.labels import OPERATOR
from homarus.storage import entries, inbound, outbound, retention, runs, sessions
from homarus.storage.database import Database
from homarus.storage.records import Entry, InboundMessage, OutboundMessage, Run, Session
from homarus.storage.retention import OldTranscript, QuietSession

CHAT = Address("irc", "default", "#garden")
DAY = 86_400_000
NOW = 100 * DAY
CUT = NOW - 30 * DAY


def message(name: str, at: int, state: str, run: str | None = None) -> InboundMessage:
    return InboundMessage(name, CHAT, name, "group", "ann", "Ann", "hello", {}, OPERATOR, state, at, run_id=run)


def run(name: str, at: int, state: str = "done", session: str = "id-a", key: str = "agent:main:a") -> Run:
    return Run(name, AgentId("main"), key, session, state, at, {}, ended_at=at + 1)


def part(name: str, at: int, state: str, run_id: str | None) -> OutboundMessage:
    return OutboundMessage(name, f"key-{name}", run_id, CHAT, 0, 1, "hi", state, created_at=at, next_at=at)


def session(key: str, updated_at: int, **changes: object) -> Session:
    made = Session(f"agent:main:{key}", AgentId("main"), f"id-{key}", "direct", 1, updated_at)
    return replace(made, **changes)  # pyright: ignore[reportArgumentType]


def entry(name: str, session_id: str, at: int) -> Entry:
    return Entry(0, name, session_id, None, "note", {"text": "x" * 100, "kind": "test"}, OPERATOR, 0, at)


async def fill(database: Database, *rows: InboundMessage | Run | OutboundMessage | Session | Entry) -> None:
    for row in rows:
        await database.write(_store, row)


def _store(connection: Connection, row: InboundMessage | Run | OutboundMessage | Session | Entry) -> None:
    match row:
        case InboundMessage():
            inbound.insert_inbound(connection, row)
        case Run():
            runs.insert_run(connection, row)
        case OutboundMessage():
            outbound.insert_parts(connection, [row])
        case Session():
            sessions.ensure_session(connection, row)
        case Entry():
            entries.insert_entry(connection, row)


async def has(database: Database, name: str) -> bool:
    found = await database.read(inbound.select_message, name)
    return found is not None


async def test_ended_rows_go_when_they_are_old(database: Database) -> None:
    old, new = CUT - 1, CUT + 1
    await fill(database, message("m1", old, "delivered", "r1"), run("r1", old), part("p1", old, "sent", "r1"))
    await fill(database, message("m2", new, "delivered", "r2"), run("r2", new), part("p2", new, "sent", "r2"))
    await fill(database, message("m3", old, "dropped"), part("p3", old, "sent", None), part("p4", old, "dead", None))

    assert await database.read(retention.count_journal, CUT) == 6
    assert await database.write(retention.prune_journal, CUT, 100) == 6
    assert await database.write(retention.prune_journal, CUT, 100) == 0

    assert [await has(database, name) for name in ("m1", "m2", "m3")] == [False, True, False]
    assert await database.read(runs.select_run, "r1") is None
    assert await database.read(runs.select_run, "r2") is not None
    assert [row.id for row in await database.read(outbound.select_parts, "r2")] == ["p2"]


@pytest.mark.parametrize("state", ["queued", "running", "replied"])
async def test_a_message_that_is_not_at_its_end_stays_with_its_run(database: Database, state: str) -> None:
    old = CUT - 1
    await fill(database, message("m", old, state, "r"), run("r", old), part("p", old, "sent", "r"))
    assert await database.write(retention.prune_journal, CUT, 100) == 0
    assert await has(database, "m")


@pytest.mark.parametrize("state", ["pending", "sending", "ambiguous"])
async def test_a_part_on_its_way_keeps_its_run_and_its_message(database: Database, state: str) -> None:
    old = CUT - 1
    await fill(database, message("m", old, "delivered", "r"), run("r", old), part("p", old, state, "r"))
    assert await database.write(retention.prune_journal, CUT, 100) == 0
    assert await database.read(runs.select_run, "r") is not None
    assert await has(database, "m")


async def test_a_run_that_goes_on_stays(database: Database) -> None:
    await fill(database, run("r", CUT - 1, "running"))
    assert await database.write(retention.prune_journal, CUT, 100) == 0
    kept = await database.read(runs.select_run, "r")
    assert kept is not None
    assert kept.state == "running"


async def test_one_commit_removes_no_more_than_asked(database: Database) -> None:
    await fill(database, *(message(f"m{number}", CUT - 1, "delivered") for number in range(5)))
    assert [await database.write(retention.prune_journal, CUT, 2) for _ in range(4)] == [2, 2, 1, 0]


async def test_transcripts_without_a_session_are_found_oldest_first(database: Database) -> None:
    await fill(database, session("a", 1), entry("e1", "id-a", 10))
    await fill(database, run("r", 5, session="gone-2", key="agent:main:cron:7"))
    await fill(database, entry("e2", "gone-1", 20), entry("e3", "gone-1", 25), entry("e4", "gone-2", 30))

    found = await database.read(retention.select_old_transcripts, 10)

    assert found == [OldTranscript("gone-1", None, 25), OldTranscript("gone-2", "agent:main:cron:7", 30)]
    assert await database.read(retention.select_old_transcripts, 1) == found[:1]


async def test_a_transcript_in_use_is_never_removed(database: Database) -> None:
    await fill(database, session("a", 1), entry("e1", "id-a", 10), entry("e2", "gone", 20))
    assert await database.write(retention.delete_transcript, "id-a") == 0
    assert await database.write(retention.delete_transcript, "gone") == 1
    assert [row.id for row in await database.read(entries.select_entries, "id-a")] == ["e1"]


async def test_quiet_are_sessions_nobody_pinned_put_away_or_runs(database: Database) -> None:
    for made in (
        session("b", 5),
        session("a", 4, status="done"),
        session("busy", 3, status="running"),
        session("pinned", 2, meta={"pinnedAt": 1}),
        session("away", 1, meta={"archivedAt": 1}),
    ):
        await fill(database, made)
    assert [quiet.key for quiet in await database.read(retention.select_quiet)] == ["agent:main:a", "agent:main:b"]
    assert await database.read(retention.count_active) == 4


async def test_what_was_used_in_the_meantime_is_left_alone(database: Database) -> None:
    quiet = QuietSession("agent:main:a", AgentId("main"), 5)
    await fill(database, session("a", 6))
    assert not await database.write(retention.put_away, quiet, "age-retention", NOW)
    assert not await database.write(retention.remove_quiet, quiet)
    assert await database.read(sessions.select_session, "agent:main:a") == session("a", 6)


async def test_a_session_put_away_keeps_its_place_its_transcript_and_its_reason(database: Database) -> None:
    quiet = QuietSession("agent:main:a", AgentId("main"), 5)
    await fill(database, session("a", 5, label="tax", meta={"color": "blue"}), entry("e", "id-a", 1))

    assert await database.write(retention.put_away, quiet, "age-retention", NOW)

    found = await database.read(sessions.select_session, "agent:main:a")
    assert found is not None
    assert (found.updated_at, found.label) == (5, "tax")
    assert found.meta == {"color": "blue", "archivedAt": NOW, "archiveReason": "age-retention"}
    assert await database.read(retention.select_quiet) == []
    assert await database.read(retention.select_put_away, "age-retention") == [quiet]
    assert await database.read(retention.select_put_away, "manual") == []
    assert await database.read(retention.session_bytes, "agent:main:a") > 100


async def test_the_next_run_brings_a_session_back(database: Database) -> None:
    away = session("a", 5, meta={"color": "blue", "archivedAt": 1, "archiveReason": "age-retention"})
    await fill(database, away)
    await database.write(sessions.note_run, away, run("r", 9), "Title", "hello")
    found = await database.read(sessions.select_session, "agent:main:a")
    assert found is not None
    assert found.meta == {"color": "blue"}


async def test_bytes_are_counted_by_transcript(database: Database) -> None:
    assert await database.read(retention.transcript_bytes) == 0
    await fill(database, entry("e1", "a", 1), entry("e2", "b", 1), entry("e3", "b", 1))
    whole = await database.read(retention.transcript_bytes)
    assert await database.read(retention.transcript_bytes, ["b"]) * 3 == whole * 2
