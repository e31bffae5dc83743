"""Transcript rows."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Row, bindparam, delete, insert, select

from homarus.labels import Label
from homarus.storage.records import Entry
from homarus.storage.statement import Statement
from homarus.storage.tables import entries

_OF_SESSION = select(entries).where(entries.c.session_id == bindparam("session"))
_INSERT = Statement(insert(entries), [column.name for column in entries.c if column.name != "seq"])
_ALL = Statement(_OF_SESSION.order_by(entries.c.seq))
_LAST = Statement(_OF_SESSION.order_by(entries.c.seq.desc()).limit(bindparam("limit")))


def insert_entry(connection: Connection, entry: Entry) -> Entry:
    """Append an entry and return it with its `seq`."""
    return replace(entry, seq=_INSERT.insert(connection, _values(entry)))


def select_entries(connection: Connection, session_id: str, limit: int | None = None) -> list[Entry]:
    """Return the last `limit` entries of a transcript, oldest first."""
    if limit is None:
        return [read_entry(row) for row in _ALL.rows(connection, {"session": session_id})]
    rows = _LAST.rows(connection, {"session": session_id, "limit": limit})
    return [read_entry(row) for row in reversed(rows)]


def _values(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.id,
        "session_id": entry.session_id,
        "run_id": entry.run_id,
        "type": entry.type,
        "payload": entry.payload,
        "label": entry.label.as_json(),
        "tokens": entry.tokens,
        "created_at": entry.created_at,
    }


def read_entry(row: Row[Any]) -> Entry:
    """Return a stored entry."""
    return Entry(
        seq=row.seq,
        id=row.id,
        session_id=row.session_id,
        run_id=row.run_id,
        type=row.type,
        payload=row.payload,
        label=Label.from_json(row.label),
        tokens=row.tokens,
        created_at=row.created_at,
    )


def select_first_time(connection: Connection, session_id: str) -> int | None:
    """Return when a transcript began, in milliseconds; None when it is empty."""
    query = select(entries.c.created_at).where(entries.c.session_id == session_id).order_by(entries.c.seq).limit(1)
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else int(found)


def select_steps(connection: Connection, session_id: str, run_id: str) -> list[Entry]:
    """Return what one run added to a transcript, in order."""
    where = (entries.c.session_id == session_id, entries.c.run_id == run_id)
    return [read_entry(row) for row in connection.execute(select(entries).where(*where).order_by(entries.c.seq))]


def delete_steps(connection: Connection, session_id: str, run_id: str) -> int:
    """Take what one run added out of a transcript; returns how many entries that were."""
    where = (entries.c.session_id == session_id, entries.c.run_id == run_id)
    return connection.execute(delete(entries).where(*where)).rowcount
