from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from homarus.automation.heartbeat.rhythm import Hours, find_rhythm, read_rhythms
from homarus.config.schema import Config

NIGHT = Hours(22 * 60, 7 * 60, None)
DAY = Hours(8 * 60, 24 * 60, None)


def at(text: str) -> int:
    return int(datetime.fromisoformat(f"2026-03-01T{text}+00:00").timestamp() * 1000)


def config(**agents: object) -> Config:
    return Config.model_validate({"agents": agents})


@pytest.mark.parametrize(
    ("hours", "clock", "is_inside"),
    [
        (DAY, "07:59", False),
        (DAY, "08:00", True),
        (DAY, "23:59", True),
        (NIGHT, "21:59", False),
        (NIGHT, "23:00", True),
        (NIGHT, "06:59", True),
        (NIGHT, "07:00", False),
        (Hours(60, 60, None), "01:00", False),
        (Hours(60, 61, "Asia/Tokyo"), "16:00", True),
        (Hours(60, 61, "No/Where"), "01:00", True),
    ],
)
def test_hours_begin_with_their_start_and_end_before_their_end(hours: Hours, clock: str, is_inside: bool) -> None:
    assert hours.cover(at(clock), UTC) is is_inside


def test_hours_are_those_of_the_owner() -> None:
    assert DAY.cover(at("07:30"), ZoneInfo("Europe/Berlin"))
    assert Hours(0, 1440, "local").cover(at("12:00"), UTC)


def test_without_settings_the_default_agent_beats_every_half_hour_and_tells_nobody() -> None:
    (found,) = read_rhythms(config())
    assert (found.agent_id, found.every, found.target, str(found.key)) == ("main", 1800.0, "none", "agent:main:main")


def test_agents_that_set_one_up_are_the_only_ones_that_have_one() -> None:
    made = config(
        defaults={"heartbeat": {"every": "2h", "prompt": "look"}},
        list=[{"id": "a"}, {"id": "b", "heartbeat": {"target": "last", "isolatedSession": True}}],
    )
    (found,) = read_rhythms(made)
    assert (found.agent_id, found.every, found.prompt, found.target) == ("b", 7200.0, "look", "last")
    assert str(found.key) == "agent:b:main:heartbeat"
    assert find_rhythm(made, "a") is None


def test_a_session_of_another_agent_is_not_used() -> None:
    (found,) = read_rhythms(config(defaults={"heartbeat": {"session": "agent:other:main"}}))
    assert str(found.key) == "agent:main:main"
