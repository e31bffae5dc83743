from __future__ import annotations

import re

import pytest

from homarus.cli.reply import Row
from homarus.cli.story import show_timeline, show_totals

T0 = 1_800_000_000_000
STORY: Row = {
    "trail": [
        f"{T0} received from {'a' * 64}",
        f"{T0 + 10} running",
        f"{T0 + 4000} replied 1 part(s)",
        f"{T0 + 9000} delivered",
    ],
    "steps": [
        {"kind": "user", "detail": "", "atMs": T0 + 10, "isError": False},
        {"kind": "assistant", "detail": "exec", "atMs": T0 + 1500, "isError": False},
        {"kind": "tool_result", "detail": "exec", "atMs": T0 + 2000, "isError": True},
        {"kind": "assistant", "detail": "", "atMs": T0 + 4000, "isError": False},
    ],
    "run": {
        "id": "run-1",
        "state": "done",
        "model": "mock/one",
        "starts": 2,
        "startedAtMs": T0 + 10,
        "endedAtMs": T0 + 4000,
        "inputTokens": 120,
        "outputTokens": 8,
    },
    "parts": [
        {
            "part": 1,
            "parts": 1,
            "state": "sent",
            "attempts": 2,
            "text": "hello\x1b[31m",
            "channel": "irc",
            "platformId": "p7",
            "createdAtMs": T0 + 4000,
            "updatedAtMs": T0 + 9000,
        }
    ],
}


def test_the_timeline_tells_every_step_in_order_with_the_time_since_the_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_timeline(STORY)
    date, *lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\w+day, 2027-01-1\d \(\S+\)", date)
    assert [re.sub(r"^\d\d:\d\d:\d\d\.\d{3} +", "", line) for line in lines] == [
        "+0 ms  received from device aaaaaaaa",
        "+10 ms  running",
        "+10 ms  the agent was given the message",
        "+1.5 s  the model called exec",
        "+2.0 s  a tool ended: exec (failed)",
        "+4.0 s  the model answered",
        "+4.0 s  replied 1 part(s)",
        "+9.0 s  part 1 of 1 is sent",
        "+9.0 s  delivered",
    ]


def test_the_totals_name_model_tokens_attempts_and_the_platforms_id(capsys: pytest.CaptureFixture[str]) -> None:
    show_totals(STORY)
    shown = capsys.readouterr().out
    assert "run run-1 done, mock/one, 120 tokens in and 8 out, 4.0 s, begun 2 times" in shown
    assert "reply part 1 of 1: sent after 2 attempts in 5.0 s, irc knows it as p7" in shown
    assert "\x1b" not in shown


def test_a_message_that_was_dropped_has_a_story_too(capsys: pytest.CaptureFixture[str]) -> None:
    story: Row = {"trail": [f"{T0} received from x", f"{T0} dropped not allowed"], "parts": [], "run": None}
    show_timeline(story)
    show_totals(story)
    assert [line.split("  ")[-1] for line in capsys.readouterr().out.splitlines()[1:]] == [
        "received from x",
        "dropped not allowed",
    ]


def test_a_part_that_waits_says_when_it_is_tried_again(capsys: pytest.CaptureFixture[str]) -> None:
    part: Row = {"part": 1, "parts": 2, "state": "pending", "attempts": 1, "error": "timeout", "nextAtMs": T0}
    show_totals({"parts": [part]})
    assert re.search(r"pending after 1 attempt, next at [\d:.]+, timeout", capsys.readouterr().out)


def test_a_story_over_midnight_names_each_day_once(capsys: pytest.CaptureFixture[str]) -> None:
    day = 86_400_000
    show_timeline({"trail": [f"{T0} received from x", f"{T0} queued", f"{T0 + day} running late"]})
    dates = [line for line in capsys.readouterr().out.splitlines() if "day, 20" in line]
    assert len(dates) == 2


def test_a_model_without_an_answer_is_not_said_to_have_answered(capsys: pytest.CaptureFixture[str]) -> None:
    show_timeline({"steps": [{"kind": "assistant", "detail": "", "atMs": T0, "isError": True}]})
    assert "the model gave no usable answer" in capsys.readouterr().out
