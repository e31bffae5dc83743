"""Pages of a transcript, for people who scroll through it."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection, func, select

from homarus.storage.entries import read_entry
from homarus.storage.records import Entry
from homarus.storage.tables import entries


class EntryPage(Struct, frozen=True):
    """Entries in their order, how many newer ones there are, and how many in all."""

    entries: list[Entry]
    offset: int
    total: int

    @property
    def next_offset(self) -> int | None:
        """Return where the page with older entries begins, None when there are none."""
        end = self.offset + len(self.entries)
        return end if end < self.total else None


def select_page(connection: Connection, session_id: str, limit: int, offset: int, anchor: str | None) -> EntryPage:
    """Return the `limit` entries that `offset` newer ones follow; with `anchor`, those around the entry of that id."""
    total = _count(connection, session_id, 0)
    if anchor is not None:
        found = _position(connection, session_id, anchor)
        if found is None:
            return EntryPage([], 0, total)
        offset = max(0, _count(connection, session_id, found) - limit // 2)
    query = select(entries).where(entries.c.session_id == session_id).order_by(entries.c.seq.desc())
    rows = connection.execute(query.limit(limit).offset(offset)).all()
    return EntryPage([read_entry(row) for row in reversed(rows)], offset, total)


def select_since(connection: Connection, session_id: str, seq: int, limit: int) -> list[Entry]:
    """Return the first `limit` entries of a transcript after a position."""
    query = select(entries).where(entries.c.session_id == session_id, entries.c.seq > seq).order_by(entries.c.seq)
    return [read_entry(row) for row in connection.execute(query.limit(limit))]


def select_entry(connection: Connection, session_id: str, entry_id: str) -> Entry | None:
    """Return one entry of a transcript."""
    query = select(entries).where(entries.c.session_id == session_id, entries.c.id == entry_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else read_entry(row)


def _position(connection: Connection, session_id: str, entry_id: str) -> int | None:
    query = select(entries.c.seq).where(entries.c.session_id == session_id, entries.c.id == entry_id)
    return connection.execute(query).scalar_one_or_none()


def _count(connection: Connection, session_id: str, after: int) -> int:
    query = select(func.count()).select_from(entries)
    return connection.execute(query.where(entries.c.session_id == session_id, entries.c.seq > after)).scalar_one()
