"""Session rows."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import BigInteger, Connection, Row, Select, Text, bindparam, delete, func, or_, select, update

from homarus.ids import Address, AgentId
from homarus.storage.dialect import insert_ignore
from homarus.storage.records import Run, Session, SessionFilter
from homarus.storage.tables import entries, sessions

# Statements of the hot path are built once: building one costs more than running it.
_BY_KEY = select(sessions).where(sessions.c.key == bindparam("wanted"))
_NOTE_RUN = (
    update(sessions)
    .where(sessions.c.key == bindparam("wanted"))
    .values(
        status="running",
        updated_at=bindparam("now"),
        started_at=bindparam("now"),
        ended_at=None,
        last_preview=bindparam("preview"),
        title=bindparam("new_title"),
        address=bindparam("new_address", type_=sessions.c.address.type),
        channel=bindparam("new_channel"),
    )
)
_NOTE_END = (
    update(sessions)
    .where(sessions.c.key == bindparam("wanted"), sessions.c.session_id == bindparam("wanted_id"))
    .values(
        status=bindparam("new_status"),
        updated_at=bindparam("now"),
        ended_at=bindparam("now"),
        input_tokens=sessions.c.input_tokens + bindparam("more_in", type_=BigInteger),
        output_tokens=sessions.c.output_tokens + bindparam("more_out", type_=BigInteger),
        total_tokens=sessions.c.total_tokens + bindparam("more", type_=BigInteger),
        last_preview=func.coalesce(func.nullif(bindparam("preview", type_=Text), ""), sessions.c.last_preview),
    )
)


def address_json(address: Address | None) -> list[str | None] | None:
    """Return the stored form `[channel, account, chat, thread]`."""
    return None if address is None else [address.channel, address.account, address.chat, address.thread]


def read_address(value: object) -> Address | None:
    """Read the stored form."""
    if not isinstance(value, list):
        return None
    channel, account, chat, thread = cast("list[str | None]", value)
    return Address(channel or "", account or "", chat or "", thread)


def ensure_session(connection: Connection, session: Session) -> Session:
    """Return the stored session of `session.key`, storing `session` when there is none."""
    found = select_session(connection, session.key)
    if found is None and insert_ignore(connection, sessions, _values(session)):
        return session
    return found or ensure_session(connection, session)


def select_session(connection: Connection, key: str) -> Session | None:
    """Return one session."""
    row = connection.execute(_BY_KEY, {"wanted": key}).one_or_none()
    return None if row is None else _session(row)


def select_sessions(connection: Connection, where: SessionFilter) -> list[Session]:
    """Return sessions, newest activity first."""
    query = _filtered(select(sessions), where).order_by(sessions.c.updated_at.desc(), sessions.c.key)
    if where.limit is not None:
        query = query.limit(where.limit)
    return [_session(row) for row in connection.execute(query)]


def count_sessions(connection: Connection, agent_id: str | None = None) -> int:
    """Return how many sessions there are, of one agent or of all."""
    query = select(func.count()).select_from(sessions)
    if agent_id is not None:
        query = query.where(sessions.c.agent_id == agent_id)
    return connection.execute(query).scalar_one()


def update_settings(connection: Connection, key: str, label: str | None, meta: dict[str, object], now: int) -> bool:
    """Set label and settings; return True, changing nothing, when another session has the label."""
    if label is not None:
        taken = select(sessions.c.key).where(sessions.c.label == label, sessions.c.key != key)
        if connection.execute(taken).first() is not None:
            return True
    connection.execute(update(sessions).where(sessions.c.key == key).values(label=label, meta=meta, updated_at=now))
    return False


def renew_session(connection: Connection, key: str, session_id: str, now: int) -> Session:
    """Give a session a new, empty transcript; its settings stay."""
    fresh = {
        "session_id": session_id,
        "title": None,
        "last_preview": None,
        "status": None,
        "input_tokens": 0,
        "output_tokens": 0,
        "total_tokens": 0,
        "updated_at": now,
        "started_at": None,
        "ended_at": None,
    }
    connection.execute(update(sessions).where(sessions.c.key == key).values(fresh))
    renewed = select_session(connection, key)
    if renewed is None:
        raise LookupError(key)
    return renewed


def move_transcript(connection: Connection, key: str, session_id: str, now: int) -> None:
    """Let a session go on with another transcript; everything else about it stays."""
    connection.execute(update(sessions).where(sessions.c.key == key).values(session_id=session_id, updated_at=now))


def note_run(connection: Connection, session: Session, run: Run, title: str, preview: str) -> None:
    """Note on a session that a run began."""
    values = {
        "wanted": session.key,
        "now": run.started_at,
        "preview": preview,
        "new_title": title if session.title is None else session.title,
        "new_address": address_json(run.address or session.address),
        "new_channel": run.address.channel if run.address is not None else session.channel,
    }
    connection.execute(_NOTE_RUN, values)


def note_end(connection: Connection, end: Run, preview: str) -> None:
    """Note on a session that a run ended, and add its tokens to the totals."""
    values = {
        "wanted": end.session_key,
        "wanted_id": end.session_id,
        "now": end.ended_at,
        "new_status": {"done": "done", "failed": "failed", "aborted": "killed"}[end.state],
        "more_in": end.usage.get("input", 0),
        "more_out": end.usage.get("output", 0),
        "more": end.usage.get("totalTokens", 0),
        "preview": preview,
    }
    connection.execute(_NOTE_END, values)


def delete_session(connection: Connection, key: str) -> bool:
    """Remove a session and its transcript; False when there was none."""
    session = select_session(connection, key)
    if session is None:
        return False
    connection.execute(delete(entries).where(entries.c.session_id == session.session_id))
    connection.execute(delete(sessions).where(sessions.c.key == key))
    return True


def _filtered(query: Select[Any], where: SessionFilter) -> Select[Any]:
    if where.agent_id is not None:
        query = query.where(sessions.c.agent_id == where.agent_id)
    if where.label is not None:
        query = query.where(sessions.c.label == where.label)
    if where.active_since is not None:
        query = query.where(sessions.c.updated_at >= where.active_since)
    if where.search:
        pattern = "%" + where.search.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        columns = (sessions.c.key, sessions.c.label, sessions.c.title, sessions.c.session_id)
        query = query.where(or_(*(func.lower(column).like(pattern, escape="\\") for column in columns)))
    return query


def _values(session: Session) -> dict[str, object]:
    values = {name: getattr(session, name) for name in sessions.c.keys()}  # noqa: SIM118 - columns, not a dict
    values["address"] = address_json(session.address)
    return values


def _session(row: Row[Any]) -> Session:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented row mapping
    values["address"] = read_address(values["address"])
    values["agent_id"] = AgentId(values["agent_id"])
    return Session(**values)
