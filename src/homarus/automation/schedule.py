"""When a job is due: once, on a grid, or by a cron expression in a time zone.

Cron expressions have five fields, or six with seconds in front. In the hour that a zone repeats in autumn a job at a
fixed time runs once, at its first passing; in the hour that is left out in spring it runs right after the gap.
Expressions whose minute or hour begins with `*` follow the real passing of time.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from homarus.errors import UserError

if TYPE_CHECKING:
    from homarus.protocol.cron import AtSchedule, CronSchedule, EverySchedule

    Rule = AtSchedule | EverySchedule | CronSchedule

HOURLY_STAGGER_MS = 300_000
"""Jobs on the full hour spread over this span unless told otherwise (reference automation §1)."""
LONGEST_AHEAD = timedelta(days=3653)
PAST_GRACE_MS = 60_000
MAX_DUE = 200
"""Due times of one gap that are listed."""
SPANS_MS = (60_000, 3_600_000, 86_400_000, 32 * 86_400_000, 366 * 86_400_000)
_SHORTHANDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


class AtRefused(UserError):
    """A one-time job whose time is unreadable, past or too far ahead."""


def complete(rule: Rule, now: int, old: Rule | None = None) -> Rule:
    """Return a rule with everything written out: time in UTC, anchor, stagger. `old` is the rule it replaces.

    Raises AtRefused for an impossible time, UserError for an anchor, an expression or a zone that cannot be meant.
    """
    if rule.kind == "at":
        return rule.model_copy(update={"at": iso(_checked_at(rule.at, now))})
    if rule.kind == "every":
        anchor = now if rule.anchor_ms is None else rule.anchor_ms
        if anchor > _latest(now):
            raise UserError("schedule.anchorMs is too far in the future", fix="name a time within 10 years, in ms")
        return rule.model_copy(update={"anchor_ms": anchor})
    _parse(rule.expr, datetime.fromtimestamp(now / 1000, zone_of(rule, UTC)))
    stagger = rule.stagger_ms
    if stagger is None:
        stagger = old.stagger_ms if old is not None and old.kind == "cron" else None
    if stagger is None and _is_hourly(rule.expr):
        stagger = HOURLY_STAGGER_MS
    return rule.model_copy(update={"stagger_ms": stagger})


def next_after(rule: Rule, after: int, job_id: str, default_zone: tzinfo) -> int | None:
    """Return the first due time later than `after`, in milliseconds; None when there is none."""
    if rule.kind == "at":
        at = read_time(rule.at)
        return at if at > after else None
    if rule.kind == "every":
        anchor = rule.anchor_ms or 0
        if after < anchor:
            return anchor
        return anchor + ((after - anchor) // rule.every_ms + 1) * rule.every_ms
    return _next_slot(rule, after, offset_of(rule, job_id), zone_of(rule, default_zone))


def due_times(rule: Rule, first: int, now: int, job_id: str, zone: tzinfo) -> tuple[list[int], bool]:
    """Return the due times from `first` up to `now`, and whether some between the last two are left out.

    At most MAX_DUE and the last one are listed, however long the gap was.
    """
    times = [first]
    while len(times) < MAX_DUE:
        following = next_after(rule, times[-1], job_id, zone)
        if following is None or following > now:
            return times, False
        times.append(following)
    last = _last_until(rule, now, job_id, zone)
    return ([*times, last], True) if last is not None and last > times[-1] else (times, False)


def offset_of(rule: CronSchedule, job_id: str) -> int:
    """Return by how many milliseconds a job is shifted: the same for each of its runs."""
    if not rule.stagger_ms:
        return 0
    return int.from_bytes(hashlib.sha256(job_id.encode()).digest()[:4], "big") % rule.stagger_ms


def zone_of(rule: CronSchedule, default: tzinfo) -> tzinfo:
    """Return the zone of an expression. Raises UserError for an unknown one."""
    if rule.tz is None:
        return default
    try:
        return ZoneInfo(rule.tz)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UserError(f"unknown time zone {rule.tz!r}", fix="use an IANA name such as Europe/London") from error


def read_time(text: str) -> int:
    """Read milliseconds, a date or an ISO time; without a zone it is UTC. Raises AtRefused."""
    cleaned = text.strip()
    if cleaned.isascii() and cleaned.isdigit() and len(cleaned) <= 15:
        return int(cleaned)
    try:
        moment = datetime.fromisoformat(cleaned)
    except ValueError as error:
        raise AtRefused(
            f"schedule.at {text[:64]!r} is no time", fix="write it as 2030-01-31T09:00:00Z or with +01:00"
        ) from error
    zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return round(zoned.timestamp() * 1000)


def iso(at: int) -> str:
    """Return a moment as it is stored, e.g. `2030-01-01T00:00:00.000Z`."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}Z"


def _latest(now: int) -> float:
    return now + LONGEST_AHEAD.total_seconds() * 1000


def _checked_at(text: str, now: int) -> int:
    at = read_time(text)
    if at < now - PAST_GRACE_MS:
        minutes = (now - at) // 60_000
        raise AtRefused(f"schedule.at is in the past: {text[:64]} ({minutes} minutes ago)", fix="name a later time")
    if at > _latest(now):
        raise AtRefused(f"schedule.at is too far in the future: {text[:64]}", fix="name a time within 10 years")
    return at


def _parse(expr: str, moment: datetime) -> CronSim:
    cleaned = _written_out(expr)
    try:
        return CronSim(cleaned, moment)
    except CronSimError as error:
        fix = "use five fields (minute hour day month weekday), or six with seconds in front"
        if len(cleaned.split()) not in {5, 6}:
            text = f"CronPattern: invalid configuration format ('{expr}'), exactly five or six parts are required"
            raise UserError(text, fix=fix) from error
        raise UserError(f"CronPattern: {str(error).lower()} in '{expr}'", fix=fix) from error


def _is_hourly(expr: str) -> bool:
    parts = _written_out(expr).split()
    return len(parts) == 5 and parts[0] == "0" and "*" in parts[1]


def _written_out(expr: str) -> str:
    """Return the expression without shorthand, and without seconds that are 0: those have five fields' rules."""
    parts = _SHORTHANDS.get(expr.strip().lower(), expr).split()
    return " ".join(parts[1:] if len(parts) == 6 and parts[0] == "0" else parts)


def _next_slot(rule: CronSchedule, after: int, offset: int, zone: tzinfo) -> int | None:
    start = datetime.fromtimestamp((after - offset) / 1000, zone)
    for slot in _parse(rule.expr, start):
        due = round(slot.timestamp() * 1000) + offset
        # In a repeated hour the first passing of a fixed time may lie behind us.
        if due > after:
            return due
    return None


def _last_until(rule: Rule, now: int, job_id: str, zone: tzinfo) -> int | None:
    """Return the last due time up to `now`, searched in ever longer spans before it."""
    for span in SPANS_MS:
        found, last = next_after(rule, now - span, job_id, zone), None
        while found is not None and found <= now:
            last, found = found, next_after(rule, found, job_id, zone)
        if last is not None:
            return last
    return None
