"""Session rows."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Connection, Row, Select, delete, func, insert, or_, select, update

from homarus.ids import Address, AgentId
from homarus.storage.records import Run, Session, SessionFilter
from homarus.storage.tables import entries, sessions


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
    if found is not None:
        return found
    connection.execute(insert(sessions), _values(session))
    return session


def select_session(connection: Connection, key: str) -> Session | None:
    """Return one session."""
    row = connection.execute(select(sessions).where(sessions.c.key == key)).one_or_none()
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


def note_run(connection: Connection, session: Session, run: Run, title: str, preview: str) -> None:
    """Note on a session that a run began."""
    values: dict[str, object] = {
        "status": "running",
        "updated_at": run.started_at,
        "started_at": run.started_at,
        "ended_at": None,
        "last_preview": preview,
    }
    if session.title is None:
        values["title"] = title
    if run.address is not None:
        values["address"] = address_json(run.address)
        values["channel"] = run.address.channel
    connection.execute(update(sessions).where(sessions.c.key == session.key).values(values))


def note_end(connection: Connection, end: Run, preview: str) -> None:
    """Note on a session that a run ended, and add its tokens to the totals."""
    status = {"done": "done", "failed": "failed", "aborted": "killed"}[end.state]
    values: dict[str, object] = {
        "status": status,
        "updated_at": end.ended_at,
        "ended_at": end.ended_at,
        "input_tokens": sessions.c.input_tokens + end.usage.get("input", 0),
        "output_tokens": sessions.c.output_tokens + end.usage.get("output", 0),
        "total_tokens": sessions.c.total_tokens + end.usage.get("totalTokens", 0),
    }
    if preview:
        values["last_preview"] = preview
    here = (sessions.c.key == end.session_key, sessions.c.session_id == end.session_id)
    connection.execute(update(sessions).where(*here).values(values))


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
