from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homarus.automation.schedule import MAX_DUE, AtRefused, complete, due_times, iso, next_after, offset_of, read_time
from homarus.errors import UserError
from homarus.protocol.cron import AtSchedule, CronSchedule, EverySchedule

LONDON = ZoneInfo("Europe/London")
NOW = 1_767_225_600_000  # 2026-01-01T00:00:00Z
HOUR = 3_600_000


def ms(*parts: int, zone: ZoneInfo | None = None) -> int:
    year, month, day, hour, minute = parts
    return round(datetime(year, month, day, hour, minute, tzinfo=zone or UTC).timestamp() * 1000)


def cron(expr: str, tz: str | None = None, stagger: int | None = None) -> CronSchedule:
    return CronSchedule(kind="cron", expr=expr, tz=tz, staggerMs=stagger)  # pyright: ignore[reportCallIssue]


def every(each: int, anchor: int) -> EverySchedule:
    return EverySchedule(kind="every", everyMs=each, anchorMs=anchor)  # pyright: ignore[reportCallIssue]


def at(text: str) -> AtSchedule:
    return AtSchedule(kind="at", at=text)


def following(rule: CronSchedule, after: int, count: int) -> list[int]:
    found: list[int] = []
    for _ in range(count):
        due = next_after(rule, found[-1] if found else after, "job", UTC)
        assert due is not None
        found.append(due)
    return found


def test_a_time_in_the_repeated_hour_comes_once_at_its_first_passing() -> None:
    found = following(cron("30 1 * * *", "Europe/London"), ms(2026, 10, 24, 12, 0), 2)
    assert found == [ms(2026, 10, 25, 0, 30), ms(2026, 10, 26, 1, 30)]


def test_an_anchor_whose_runs_no_calendar_has_is_refused() -> None:
    assert complete(every(HOUR, NOW + HOUR), NOW) == every(HOUR, NOW + HOUR)
    with pytest.raises(UserError, match="anchorMs is too far in the future"):
        complete(every(HOUR, 10**15), NOW)


def test_from_within_the_repeated_hour_the_next_day_comes_next() -> None:
    second_passing = ms(2026, 10, 25, 1, 10)
    assert next_after(cron("30 1 * * *", "Europe/London"), second_passing, "job", UTC) == ms(2026, 10, 26, 1, 30)


def test_a_time_in_the_skipped_hour_comes_right_after_the_gap() -> None:
    found = following(cron("30 1 * * *", "Europe/London"), ms(2026, 3, 28, 12, 0), 2)
    assert found == [ms(2026, 3, 29, 1, 0), ms(2026, 3, 30, 0, 30)]


def test_an_hourly_job_follows_real_time_through_the_repeated_hour() -> None:
    found = following(cron("0 * * * *", "Europe/London"), ms(2026, 10, 24, 23, 30), 4)
    assert [b - a for a, b in pairwise(found)] == [HOUR] * 3


def test_leading_zero_seconds_keep_the_rules_of_five_fields() -> None:
    start = ms(2026, 10, 24, 12, 0)
    assert following(cron("0 30 1 * * *", "Europe/London"), start, 2) == following(
        cron("30 1 * * *", "Europe/London"), start, 2
    )


def test_a_job_without_zone_uses_the_owners() -> None:
    assert next_after(cron("0 9 * * *"), ms(2026, 7, 1, 0, 0), "job", LONDON) == ms(2026, 7, 1, 8, 0)


def test_a_grid_keeps_to_its_anchor_however_late_a_run_was() -> None:
    rule = every(HOUR, NOW)
    assert next_after(rule, NOW, "job", UTC) == NOW + HOUR
    assert next_after(rule, NOW + HOUR + 1234, "job", UTC) == NOW + 2 * HOUR
    assert next_after(rule, NOW - 5, "job", UTC) == NOW


def test_jobs_on_the_full_hour_spread_by_their_id_and_always_alike() -> None:
    rule = complete(cron("0 * * * *"), NOW)
    assert isinstance(rule, CronSchedule)
    assert rule.stagger_ms == 300_000
    offsets = {offset_of(rule, f"job-{number}") for number in range(20)}
    assert len(offsets) > 10
    assert all(0 <= offset < 300_000 for offset in offsets)
    due = next_after(rule, NOW, "job-1", UTC)
    assert due is not None
    assert due % HOUR == offset_of(rule, "job-1")


@pytest.mark.parametrize("expr", ["0 9 * * *", "5 * * * *", "*/5 * * * *"])
def test_other_jobs_are_not_shifted(expr: str) -> None:
    rule = complete(cron(expr), NOW)
    assert isinstance(rule, CronSchedule)
    assert rule.stagger_ms is None


def test_a_change_keeps_the_old_shift() -> None:
    changed = complete(cron("15 9 * * *"), NOW, cron("0 9 * * *", stagger=1000))
    assert isinstance(changed, CronSchedule)
    assert changed.stagger_ms == 1000


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000Z"),
        ("2030-01-01", "2030-01-01T00:00:00.000Z"),
        ("2030-01-01T09:30:00", "2030-01-01T09:30:00.000Z"),
        ("2030-01-01T09:30:00+02:00", "2030-01-01T07:30:00.000Z"),
        ("1893456000000", "2030-01-01T00:00:00.000Z"),
    ],
)
def test_times_are_read_as_people_write_them(text: str, stored: str) -> None:
    rule = complete(at(text), NOW)
    assert isinstance(rule, AtSchedule)
    assert rule.at == stored
    assert iso(read_time(stored)) == stored


@pytest.mark.parametrize("text", ["tomorrow", "2025-12-31T23:58:00Z", "2040-01-01", "", "99999999999999999999"])
def test_an_impossible_time_is_refused(text: str) -> None:
    with pytest.raises(AtRefused):
        complete(AtSchedule.model_construct(kind="at", at=text), NOW)


@pytest.mark.parametrize("expr", ["nope", "* * * *", "61 * * * *", "0 0 31 2 *", "0 0 * * MOO", "a b c d e"])
def test_a_broken_expression_names_the_pattern(expr: str) -> None:
    with pytest.raises(UserError, match="CronPattern"):
        complete(cron(expr), NOW)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(UserError, match="time zone"):
        complete(cron("0 9 * * *", "Mars/Base"), NOW)


def test_a_gap_lists_each_due_time() -> None:
    times, has_gap = due_times(every(HOUR, NOW), NOW + HOUR, NOW + 5 * HOUR + 1, "job", UTC)
    assert times == [NOW + number * HOUR for number in range(1, 6)]
    assert not has_gap


@pytest.mark.parametrize("rule", [every(1000, NOW), cron("* * * * *")])
def test_a_long_gap_is_bounded_and_ends_with_the_last_due_time(rule: EverySchedule | CronSchedule) -> None:
    now = NOW + 365 * 24 * HOUR
    times, has_gap = due_times(rule, NOW + 60_000, now, "job", UTC)
    assert has_gap
    assert len(times) == MAX_DUE + 1
    assert times[-1] == now


@given(
    expr=st.sampled_from(["*/7 * * * *", "30 1 * * *", "0 2 * * 0", "15 0,12 1 * *", "59 23 * * 1-5"]),
    zone=st.sampled_from(["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
    minutes=st.integers(0, 2 * 366 * 24 * 60),
)
def test_the_next_time_lies_ahead_and_asking_just_before_it_gives_it_again(expr: str, zone: str, minutes: int) -> None:
    rule = cron(expr, zone)
    after = NOW + round(timedelta(minutes=minutes).total_seconds() * 1000)
    due = next_after(rule, after, "job", UTC)
    assert due is not None
    assert due > after
    assert next_after(rule, due - 1, "job", UTC) == due
