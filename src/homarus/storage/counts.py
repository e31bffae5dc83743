"""Numbers about what is stored, for metrics and for the status screen."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection, func, select

from homarus.storage.inbound import count_states
from homarus.storage.outbound import count_parts
from homarus.storage.tables import inbound, outbound, runs, sessions


class StoredCounts(Struct, frozen=True):
    """Messages and parts by state, sessions, and those of them that were active since a moment."""

    messages: dict[str, int]
    parts: dict[str, int]
    sessions: int
    active_sessions: int


class Failures(Struct, frozen=True):
    """What failed since a moment: messages that ended as failed, runs, and parts that could not be delivered."""

    messages: int
    runs: int
    parts: int


def count_stored(connection: Connection, active_since: int) -> StoredCounts:
    """Return the counts of now; `active_since` in milliseconds."""
    stored = connection.execute(select(func.count()).select_from(sessions)).scalar_one()
    recent = select(func.count()).select_from(sessions).where(sessions.c.updated_at >= active_since)
    active = connection.execute(recent).scalar_one()
    return StoredCounts(dict(count_states(connection)), count_parts(connection), int(stored), int(active))


def count_failures(connection: Connection, since: int) -> Failures:
    """Return what failed since a moment, in milliseconds."""
    found = (
        connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one()
        for table, where in (
            (inbound, (inbound.c.state == "failed", inbound.c.updated_at >= since)),
            (runs, (runs.c.state == "failed", runs.c.ended_at >= since)),
            (outbound, (outbound.c.state == "dead", outbound.c.updated_at >= since)),
        )
    )
    return Failures(*map(int, found))
