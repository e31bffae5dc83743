from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.storage.test_retention import entry, fill, message, run, session

from homarus.config.schema import Config
from homarus.ids import AgentId
from homarus.sessions.maintenance import AGED, CAPPED, Maintenance, due_sessions, is_passing, read_rules
from homarus.storage import entries, sessions
from homarus.storage.database import Database
from homarus.storage.opening import open_database
from homarus.storage.records import SessionFilter
from homarus.storage.retention import QuietSession
from homarus.testing.manual_clock import ManualClock

DAY = 86_400_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def database(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Database]:
    opened = await open_database(None, tmp_path, clock)
    yield opened
    await opened.close()


def config(**maintenance: object) -> Config:
    return Config.model_validate({"session": {"maintenance": maintenance}})


def quiet(rest: str, updated_at: int) -> QuietSession:
    return QuietSession(f"agent:main:{rest}", AgentId("main"), updated_at)


async def keys(database: Database) -> set[str]:
    return {found.key.removeprefix("agent:main:") for found in await database.read(sessions.select_sessions, ALL)}


ALL = SessionFilter()


def test_without_settings_nothing_of_a_conversation_is_removed() -> None:
    rules = read_rules(Config.model_validate({}))
    assert not rules.is_enforced
    assert (rules.sessions_ms, rules.max_sessions, rules.transcripts_ms) == (30 * DAY, 500, 30 * DAY)
    assert (rules.job_transcripts_ms, rules.journal_ms, rules.max_bytes) == (DAY, 30 * DAY, None)


def test_ages_and_sizes_are_read() -> None:
    rules = read_rules(
        Config.model_validate(
            {
                "session": {
                    "maintenance": {
                        "mode": "enforce",
                        "pruneAfter": "90d",
                        "pruneDays": 7,
                        "maxEntries": 20,
                        "resetArchiveRetention": False,
                        "maxDiskBytes": "10mb",
                    }
                },
                "cron": {"sessionRetention": False},
                "storage": {"journalRetention": "2d"},
            }
        )
    )
    assert rules.is_enforced
    assert (rules.sessions_ms, rules.max_sessions, rules.transcripts_ms) == (7 * DAY, 20, None)
    assert (rules.job_transcripts_ms, rules.journal_ms) == (None, 2 * DAY)
    assert (rules.max_bytes, rules.high_water) == (10 * 2**20, 8 * 2**20)


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("cron:7", True),
        ("subagent:x", True),
        ("main:heartbeat", True),
        ("main", False),
        ("telegram:group:-100", False),
        ("dashboard:1", False),
    ],
)
def test_only_sessions_nobody_comes_back_to_are_passing(rest: str, expected: bool) -> None:
    assert is_passing(f"agent:main:{rest}") is expected


def test_old_sessions_go_and_then_those_that_are_too_many() -> None:
    rules = read_rules(config(mode="enforce", pruneAfter="10d", maxEntries=3))
    now = 100 * DAY
    found = [
        quiet("main", 1),
        quiet("old", 2),
        quiet("cron:1", 3),
        quiet("c", now - 3),
        quiet("d", now - 2),
        quiet("e", now - 1),
    ]

    steps = due_sessions(found, 6, rules, now)

    assert [(step.session.key, step.reason, step.is_deleted) for step in steps] == [
        ("agent:main:old", AGED, False),
        ("agent:main:cron:1", AGED, True),
        ("agent:main:c", CAPPED, False),
    ]


def test_sessions_that_are_protected_count_too() -> None:
    rules = read_rules(config(maxEntries=2))
    steps = due_sessions([quiet("a", 1), quiet("b", 2)], 4, rules, 5)
    assert [step.session.key for step in steps] == ["agent:main:a", "agent:main:b"]


async def test_a_warning_mode_removes_transcripts_of_jobs_and_the_journal_only(
    database: Database, clock: ManualClock
) -> None:
    old = clock.now_ms() - 40 * DAY
    await fill(database, session("quiet", old), entry("e0", "id-quiet", old))
    await fill(database, run("r", old + 20 * DAY, session="job-1", key="agent:main:cron:7"))
    await fill(database, entry("e1", "job-1", old), entry("e2", "before-reset", old), message("m", old, "delivered"))

    swept = await Maintenance(database, clock).sweep(read_rules(config()))

    assert (swept.put_away, swept.deleted, swept.transcripts, swept.journal_rows) == ([], [], 1, 1)
    assert [len(await database.read(entries.select_entries, name)) for name in ("job-1", "before-reset")] == [0, 1]
    found = await database.read(sessions.select_session, "agent:main:quiet")
    assert found is not None
    assert "archivedAt" not in found.meta


async def test_an_enforcing_mode_puts_away_what_it_said_it_would(database: Database, clock: ManualClock) -> None:
    old, new = clock.now_ms() - 40 * DAY, clock.now_ms() - DAY
    for key, at in (("main", old), ("quiet", old), ("subagent:1", old), ("used", new)):
        await fill(database, session(key, at), entry(f"e-{key}", f"id-{key}", at))
    await fill(database, entry("e", "before-reset", old), entry("f", "fresh-reset", new))
    maintenance, rules = Maintenance(database, clock), read_rules(config(mode="enforce"))

    said = await maintenance.preview(rules)
    assert await keys(database) == {"main", "quiet", "subagent:1", "used"}
    done = await maintenance.sweep(rules)

    for found in (said, done):
        assert (found.put_away, found.deleted) == (["agent:main:quiet"], ["agent:main:subagent:1"])
        assert (found.transcripts, found.sessions_before, found.sessions_after) == (1, 4, 2)
    assert await keys(database) == {"main", "quiet", "used"}
    assert [len(await database.read(entries.select_entries, name)) for name in ("id-quiet", "fresh-reset")] == [1, 1]
    assert await database.read(entries.select_entries, "id-subagent:1") == []
    again = await maintenance.sweep(rules)
    assert (again.put_away, again.deleted, again.transcripts) == ([], [], 0)


async def test_only_the_named_agent_is_cleaned_up(database: Database, clock: ManualClock) -> None:
    await fill(database, session("quiet", 1))
    maintenance, rules = Maintenance(database, clock), read_rules(config(mode="enforce"))
    assert (await maintenance.sweep(rules, "other")).put_away == []
    assert (await maintenance.sweep(rules, "main")).put_away == ["agent:main:quiet"]


async def test_a_budget_removes_old_transcripts_before_sessions_and_stops_at_the_mark(
    database: Database, clock: ManualClock
) -> None:
    now = clock.now_ms()
    for number in range(4):
        await fill(database, session(f"s{number}", now - 10 + number), entry(f"e{number}", f"id-s{number}", now))
    await fill(database, entry("old", "before-reset", now))
    each = len('{"text": "", "kind": "test"}') + 100
    rules = read_rules(config(mode="enforce", maxEntries=2, maxDiskBytes=4 * each, highWaterBytes=3 * each + 20))

    swept = await Maintenance(database, clock).sweep(rules)

    assert swept.transcripts == 1
    assert swept.put_away == ["agent:main:s0", "agent:main:s1"]
    assert swept.deleted == ["agent:main:s0"]
    assert (swept.sessions_before, swept.sessions_after) == (4, 2)
    assert await keys(database) == {"s1", "s2", "s3"}


async def test_a_budget_that_only_warns_removes_nothing(database: Database, clock: ManualClock) -> None:
    await fill(database, entry("old", "before-reset", clock.now_ms()))
    swept = await Maintenance(database, clock).sweep(read_rules(config(maxDiskBytes=50)))
    assert (swept.transcripts, swept.bytes_over > 0) == (0, True)
