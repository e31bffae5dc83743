from __future__ import annotations

import time
from typing import cast

import pytest

from homarus.cli.exits import UsageFailure
from homarus.cli.job_input import job_patch, new_job


def test_a_job_is_made_from_its_options() -> None:
    options = {"name": "n", "cron": "0 9 * * *", "tz": "Europe/London", "stagger": "5m", "message": "m", "timeout": 0}
    assert new_job({**options, "announce": False, "target": None, "is_disabled": True, "keep": True}) == {
        "name": "n",
        "schedule": {"kind": "cron", "expr": "0 9 * * *", "tz": "Europe/London", "staggerMs": 300_000},
        "payload": {"kind": "agentTurn", "message": "m", "timeoutSeconds": 0},
        "delivery": {"mode": "none"},
        "enabled": False,
        "deleteAfterRun": False,
    }


def test_a_named_chat_means_that_the_answer_is_told_there() -> None:
    patch = job_patch({"channel": "irc", "to": "#room"})
    assert patch == {"delivery": {"mode": "announce", "channel": "irc", "to": "#room"}}


@pytest.mark.parametrize("text", ["20m", "+20m", "1200s"])
def test_a_time_from_now_becomes_a_moment(text: str) -> None:
    schedule = cast("dict[str, object]", job_patch({"at": text})["schedule"])
    assert abs(int(str(schedule["at"])) - (time.time() + 1200) * 1000) < 60_000


@pytest.mark.parametrize("text", ["2030-01-01T09:00:00Z", "1893456000000"])
def test_a_moment_stays_as_it_is(text: str) -> None:
    assert job_patch({"at": text}) == {"schedule": {"kind": "at", "at": text}}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"message": "m"}, "say when"),
        ({"every": "1h"}, "say what"),
        ({"every": "1h", "at": "5m", "message": "m"}, "only one of --at"),
        ({"every": "1h", "message": "m", "system_event": "e"}, "only one of --message"),
        ({"every": "soon", "message": "m"}, "--every must be a duration"),
        ({"tz": "Europe/London", "message": "m"}, "belong to --cron"),
    ],
)
def test_what_is_missing_or_too_much_is_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageFailure, match=message):
        new_job(options)
