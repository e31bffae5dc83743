"""What goes by itself, and when: ended journal rows, transcripts of jobs and, where the owner wants it, sessions.

A transcript is removed only by `session.maintenance.mode: enforce`, or when it is of a job's run and older than
`cron.sessionRetention`; otherwise what would be removed is reported. Quiet sessions are put away, from where the next
message brings them back; only those of jobs, sub-agents, hooks and heartbeats are deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct, field

from homarus.clock import Clock
from homarus.config.schema import Config
from homarus.config.units import parse_duration, parse_size
from homarus.sessions.keys import parse_key
from homarus.storage import retention
from homarus.storage.database import Database
from homarus.storage.retention import OldTranscript, QuietSession

AGED: Final = "age-retention"
CAPPED: Final = "active-session-cap"
"""Reasons for which a session was put away, as OpenClaw 2026.9 names them in `archiveReason`."""
BATCH: Final = 500
"""Journal rows of each kind that one commit removes."""
MOST: Final = 10_000
"""Transcripts, and batches of journal rows, that one pass looks at; the next pass takes up the rest."""
HIGH_WATER: Final = 0.8
"""Share of `maxDiskBytes` that a cleanup goes down to, unless `highWaterBytes` says otherwise."""
_PASSING: Final = ("cron:", "subagent:", "acp:", "hook:")


class Rules(Struct, frozen=True):
    """How long things are kept, in milliseconds; None is for ever. Sizes in bytes."""

    is_enforced: bool
    sessions_ms: float
    max_sessions: int
    transcripts_ms: float | None
    job_transcripts_ms: float | None
    journal_ms: float | None
    max_bytes: int | None
    high_water: int


class Step(Struct, frozen=True):
    """A session that has been quiet too long, or is one too many."""

    session: QuietSession
    reason: str
    is_deleted: bool


class Swept(Struct):
    """What a pass did or, when `is_applied` is False, would do.

    Before and after count the sessions that are not put away. `bytes_before` is None where no budget is set.
    """

    is_applied: bool
    sessions_before: int = 0
    sessions_after: int = 0
    put_away: list[str] = field(default_factory=list[str])
    deleted: list[str] = field(default_factory=list[str])
    transcripts: int = 0
    journal_rows: int = 0
    bytes_before: int | None = None
    bytes_over: int = 0


class Maintenance:
    """Looks what has been kept long enough, and removes it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def preview(self, rules: Rules, agent: str | None = None) -> Swept:
        """Return what `sweep` with enforced rules would do; changes nothing. Raises StorageError.

        Of what a disk budget would remove beyond that it tells only how much is over it.
        """
        seen = Swept(is_applied=False)
        steps = await self._due(rules, agent, seen)
        for step in steps:
            (seen.deleted if step.is_deleted else seen.put_away).append(step.session.key)
        seen.sessions_after = seen.sessions_before - len(steps)
        old = await self._database.read(retention.select_old_transcripts, MOST)
        seen.transcripts = sum(self._is_over(each, rules, is_enforced=True) for each in old)
        if rules.journal_ms is not None:
            before = int(self._clock.now_ms() - rules.journal_ms)
            seen.journal_rows = await self._database.read(retention.count_journal, before)
        await self._measure(rules, seen)
        return seen

    async def sweep(self, rules: Rules, agent: str | None = None) -> Swept:
        """Remove what is due; sessions of one agent only when it is named. Raises StorageError."""
        swept = Swept(is_applied=True)
        steps = await self._due(rules, agent, swept)
        for step in steps if rules.is_enforced else ():
            await self._take(step, swept)
        for old in await self._database.read(retention.select_old_transcripts, MOST):
            if self._is_over(old, rules, is_enforced=rules.is_enforced):
                await self._remove(old, swept)
        await self._prune_journal(rules, swept)
        await self._measure(rules, swept)
        if rules.is_enforced and swept.bytes_over:
            await self._make_room(rules, swept)
        swept.sessions_after = await self._database.read(retention.count_active)
        return swept

    async def _due(self, rules: Rules, agent: str | None, swept: Swept) -> list[Step]:
        quiet = await self._database.read(retention.select_quiet)
        swept.sessions_before = await self._database.read(retention.count_active)
        steps = due_sessions(quiet, swept.sessions_before, rules, self._clock.now_ms())
        return [step for step in steps if agent in {None, step.session.agent_id}]

    async def _take(self, step: Step, swept: Swept) -> None:
        session = step.session
        if step.is_deleted:
            if await self._database.write(retention.remove_quiet, session):
                swept.deleted.append(session.key)
        elif await self._database.write(retention.put_away, session, step.reason, self._clock.now_ms()):
            swept.put_away.append(session.key)

    def _is_over(self, old: OldTranscript, rules: Rules, *, is_enforced: bool) -> bool:
        age = self._clock.now_ms() - old.last_at
        if old.key is not None and is_passing(old.key):
            return rules.job_transcripts_ms is not None and age > rules.job_transcripts_ms
        return is_enforced and rules.transcripts_ms is not None and age > rules.transcripts_ms

    async def _remove(self, old: OldTranscript, swept: Swept) -> None:
        swept.transcripts += await self._database.write(retention.delete_transcript, old.session_id) > 0

    async def _prune_journal(self, rules: Rules, swept: Swept) -> None:
        if rules.journal_ms is None:
            return
        before = int(self._clock.now_ms() - rules.journal_ms)
        for _ in range(MOST):
            removed = await self._database.write(retention.prune_journal, before, BATCH)
            swept.journal_rows += removed
            if not removed:
                return

    async def _measure(self, rules: Rules, swept: Swept) -> None:
        if rules.max_bytes is not None:
            swept.bytes_before = await self._database.read(retention.transcript_bytes)
            swept.bytes_over = max(0, swept.bytes_before - rules.max_bytes)

    async def _make_room(self, rules: Rules, swept: Swept) -> None:
        """Remove old transcripts, then sessions that were one too many, until the transcripts are under the mark."""
        left = swept.bytes_before or 0
        for old in await self._database.read(retention.select_old_transcripts, MOST):
            if left <= rules.high_water:
                return
            left -= await self._database.read(retention.transcript_bytes, [old.session_id])
            await self._remove(old, swept)
        for session in await self._database.read(retention.select_put_away, CAPPED):
            if left <= rules.high_water:
                return
            left -= await self._database.read(retention.session_bytes, session.key)
            if await self._database.write(retention.remove_quiet, session):
                swept.deleted.append(session.key)


def due_sessions(quiet: Sequence[QuietSession], active: int, rules: Rules, now: int) -> list[Step]:
    """Return which sessions go, of those that are quiet, the longest unused first.

    `active` counts all sessions that are not put away. Main sessions stay.
    """
    steps: list[Step] = []
    for session in quiet:
        if parse_key(session.key).is_main:
            continue
        is_aged = now - session.updated_at > rules.sessions_ms
        if is_aged or active - len(steps) > rules.max_sessions:
            steps.append(Step(session, AGED if is_aged else CAPPED, is_passing(session.key)))
    return steps


def is_passing(key: str) -> bool:
    """Tell whether a session is of a job, a sub-agent, a hook or a heartbeat, to which nobody comes back."""
    rest = parse_key(key).rest
    return rest.startswith(_PASSING) or rest.endswith(":heartbeat")


def read_rules(config: Config, *, is_enforced: bool | None = None) -> Rules:
    """Return the rules of a checked configuration; `is_enforced` overrides its mode."""
    given = config.session.maintenance
    sessions_ms = _ms(f"{given.prune_days}d" if given.prune_days is not None else given.prune_after)
    archive = given.reset_archive_retention
    max_bytes = parse_size(given.max_disk_bytes) if given.max_disk_bytes is not None else 0
    high = parse_size(given.high_water_bytes) if given.high_water_bytes is not None else 0
    return Rules(
        is_enforced=given.mode == "enforce" if is_enforced is None else is_enforced,
        sessions_ms=sessions_ms,
        max_sessions=int(given.max_entries),
        transcripts_ms=sessions_ms if archive is None else None if archive is False else _ms(archive),
        job_transcripts_ms=_ms(config.cron.session_retention) or None if config.cron.session_retention else None,
        journal_ms=_ms(config.storage.journal_retention) if config.storage.journal_retention else None,
        max_bytes=max_bytes or None,
        high_water=min(high or int(max_bytes * HIGH_WATER), max_bytes),
    )


def _ms(duration: str | float) -> float:
    return parse_duration(duration, unit="d") * 1000
