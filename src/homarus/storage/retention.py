"""What has been kept long enough: ended rows of the journal, transcripts no session leads to any more, quiet sessions.

Every function removes little, so that the writer is free again soon; the caller comes again until nothing is left.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection, Text, cast, delete, func, or_, select

from homarus.ids import AgentId
from homarus.storage.inbound import OPEN_STATES
from homarus.storage.sessions import delete_session, select_session, update_settings
from homarus.storage.tables import entries, inbound, outbound, runs, sessions

_MOVING = (*OPEN_STATES, "replied")
"""States of messages that have not come to their end."""
_ON_ITS_WAY = ("pending", "sending", "ambiguous")
"""States of parts that have not come to theirs."""


class OldTranscript(Struct, frozen=True):
    """A transcript no session leads to any more. `key` is the session it belonged to, None when that is forgotten."""

    session_id: str
    key: str | None
    last_at: int


class QuietSession(Struct, frozen=True):
    """A session as far as its age matters; times in milliseconds."""

    key: str
    agent_id: AgentId
    updated_at: int


def prune_journal(connection: Connection, before: int, limit: int) -> int:
    """Remove ended messages, runs and sent parts older than `before`, at most `limit` of each; return how many rows."""
    parts = select(outbound.c.run_id).where(outbound.c.state.in_(_ON_ITS_WAY), outbound.c.run_id.is_not(None))
    messages = select(inbound.c.run_id).where(inbound.c.state.in_(_MOVING), inbound.c.run_id.is_not(None))
    open_runs = parts.union(messages)
    ended = (
        (inbound.c.seq, inbound.c.received_at < before, inbound.c.state.not_in(_MOVING), inbound.c.run_id),
        (outbound.c.seq, outbound.c.created_at < before, outbound.c.state.not_in(_ON_ITS_WAY), outbound.c.run_id),
        (runs.c.id, runs.c.started_at < before, runs.c.state != "running", runs.c.id),
    )
    removed = 0
    for key, is_old, is_ended, run_id in ended:
        is_free = or_(run_id.is_(None), run_id.not_in(open_runs))
        rows = select(key).where(is_old, is_ended, is_free).limit(limit)
        removed += connection.execute(delete(key.table).where(key.in_(rows))).rowcount
    return removed


def count_journal(connection: Connection, before: int) -> int:
    """Return how many rows `prune_journal` would remove in the end, give or take what hangs on open runs."""
    ended = (
        select(func.count()).where(inbound.c.received_at < before, inbound.c.state.not_in(_MOVING)),
        select(func.count()).where(outbound.c.created_at < before, outbound.c.state.not_in(_ON_ITS_WAY)),
        select(func.count()).where(runs.c.started_at < before, runs.c.state != "running"),
    )
    return sum(int(connection.execute(query).scalar_one()) for query in ended)


def select_old_transcripts(connection: Connection, limit: int) -> list[OldTranscript]:
    """Return transcripts of sessions that began anew or went on with another one, oldest first."""
    newest = (
        select(entries.c.session_id, func.max(entries.c.seq).label("seq"))
        .where(entries.c.session_id.not_in(select(sessions.c.session_id)))
        .group_by(entries.c.session_id)
        .order_by("seq")
        .limit(limit)
        .subquery()
    )
    key = select(func.min(runs.c.session_key)).where(runs.c.session_id == newest.c.session_id).scalar_subquery()
    query = select(newest.c.session_id, key, entries.c.created_at).join(entries, entries.c.seq == newest.c.seq)
    return [OldTranscript(*row) for row in connection.execute(query.order_by(newest.c.seq))]


def delete_transcript(connection: Connection, session_id: str) -> int:
    """Remove a transcript unless a session leads to it; return how many entries that were."""
    is_used = select(sessions.c.key).where(sessions.c.session_id == session_id).exists()
    return connection.execute(delete(entries).where(entries.c.session_id == session_id, ~is_used)).rowcount


def select_quiet(connection: Connection) -> list[QuietSession]:
    """Return the sessions that are neither put away nor pinned nor at work, the longest unused first."""
    is_idle = or_(sessions.c.status.is_(None), sessions.c.status != "running")
    query = (
        select(sessions.c.key, sessions.c.agent_id, sessions.c.updated_at)
        .where(sessions.c.archived_at.is_(None), sessions.c.pinned_at.is_(None), is_idle)
        .order_by(sessions.c.updated_at, sessions.c.key)
    )
    return [QuietSession(*row) for row in connection.execute(query)]


def count_active(connection: Connection) -> int:
    """Return how many sessions are not put away."""
    query = select(func.count()).select_from(sessions).where(sessions.c.archived_at.is_(None))
    return int(connection.execute(query).scalar_one())


def put_away(connection: Connection, quiet: QuietSession, reason: str, now: int) -> bool:
    """Archive a session; False when something has happened in it since it was looked at."""
    session = select_session(connection, quiet.key)
    if session is None or session.updated_at != quiet.updated_at or session.status == "running":
        return False
    meta = session.meta | {"archivedAt": now, "archiveReason": reason}
    return not update_settings(connection, quiet.key, session.label, meta, None)


def remove_quiet(connection: Connection, quiet: QuietSession) -> bool:
    """Delete a session and its transcript; False when something has happened in it since it was looked at."""
    session = select_session(connection, quiet.key)
    if session is None or session.updated_at != quiet.updated_at or session.status == "running":
        return False
    return delete_session(connection, quiet.key)


def select_put_away(connection: Connection, reason: str) -> list[QuietSession]:
    """Return the sessions that were archived for a reason, the longest unused first."""
    query = (
        select(sessions.c.key, sessions.c.agent_id, sessions.c.updated_at)
        .where(sessions.c.archived_at.is_not(None), sessions.c.pinned_at.is_(None))
        .where(sessions.c.meta["archiveReason"].as_string() == reason)
        .order_by(sessions.c.updated_at, sessions.c.key)
    )
    return [QuietSession(*row) for row in connection.execute(query)]


def transcript_bytes(connection: Connection, session_ids: Sequence[str] | None = None) -> int:
    """Return the bytes of all stored entries, or of those of some transcripts."""
    query = select(func.coalesce(func.sum(func.length(cast(entries.c.payload, Text))), 0))
    if session_ids is not None:
        query = query.where(entries.c.session_id.in_(session_ids))
    return int(connection.execute(query).scalar_one())


def session_bytes(connection: Connection, key: str) -> int:
    """Return the bytes of the transcript that a session leads to."""
    session = select_session(connection, key)
    return 0 if session is None else transcript_bytes(connection, [session.session_id])
