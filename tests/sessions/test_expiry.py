from __future__ import annotations

from datetime import UTC, datetime

import pytest

from homarus.config.schema import Config
from homarus.ids import AgentId
from homarus.sessions.expiry import is_expired
from homarus.storage.records import Session


def at(hour: int, minute: int = 0, day: int = 21) -> int:
    return int(datetime(2026, 11, day, hour, minute, tzinfo=UTC).timestamp() * 1000)


def session(updated_at: int, key: str = "agent:main:main", channel: str | None = None) -> Session:
    kind = "group" if ":group:" in key else "direct"
    return Session(key, AgentId("main"), "s", kind, 0, updated_at, channel=channel)


@pytest.mark.parametrize(
    ("settings", "last", "now", "expected"),
    [
        ({}, at(3, 59), at(4, 0), True),
        ({}, at(4, 0), at(23, 0), False),
        ({}, at(23, 0, 20), at(3, 0), False),
        ({"reset": {"atHour": 6}}, at(5, 0), at(6, 30), True),
        ({"idleMinutes": 30}, at(3, 0), at(3, 29), False),
        ({"idleMinutes": 30}, at(3, 0), at(3, 30), True),
        ({"idleMinutes": 30}, at(3, 50), at(4, 10), False),
        ({"reset": {"mode": "idle", "idleMinutes": 60}}, at(3, 50), at(4, 40), False),
        ({"reset": {"mode": "daily", "idleMinutes": 60}}, at(10, 0), at(11, 0), True),
        ({"resetByChannel": {"irc": {"mode": "idle", "idleMinutes": 5}}}, at(10, 0), at(10, 5), True),
    ],
)
def test_a_session_begins_anew_by_the_most_specific_rule(
    settings: dict[str, object], last: int, now: int, expected: bool
) -> None:
    config = Config.model_validate({"session": settings})
    assert is_expired(session(last, channel="irc"), config.session, now, UTC) is expected


def test_groups_and_threads_can_have_rules_of_their_own() -> None:
    group, thread = {"mode": "idle", "idleMinutes": 5}, {"mode": "idle", "idleMinutes": 60}
    rules = {"resetByType": {"group": group, "thread": thread}}
    config = Config.model_validate({"session": rules})
    assert is_expired(session(at(10), "agent:main:irc:group:#a"), config.session, at(10, 10), UTC)
    assert not is_expired(session(at(10), "agent:main:irc:group:#a:thread:1"), config.session, at(10, 10), UTC)
    assert not is_expired(session(at(10)), config.session, at(10, 10), UTC)
