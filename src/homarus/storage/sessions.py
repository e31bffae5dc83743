"""Session rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Text,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)

from homarus.ids import Address
from homarus.storage.dialect import insert_ignore
from homarus.storage.records import Run, Session, SessionFilter
from homarus.storage.statement import Statement
from homarus.storage.tables import entries, sessions

# Statements of the hot path are built once: building one costs more than running it.
_COLUMNS = tuple(sessions.c[name] for name in Session.__struct_fields__)
_LOWER = frozenset({"key", "session_id"})
"""Columns whose texts are lower case anyway."""
_ADDRESS = Session.__struct_fields__.index("address")
_BY_KEY = Statement(select(*_COLUMNS).where(sessions.c.key == bindparam("wanted")))
_NOTE_RUN = Statement(
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
_NOTE_END = Statement(
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


_ACTIVITY = ("updated_at", "last_preview", "title", "status")


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
    row = _BY_KEY.row(connection, {"wanted": key})
    return None if row is None else _session(row)


def select_sessions(connection: Connection, where: SessionFilter) -> list[Session]:
    """Return sessions, newest activity first."""
    query = _ordered(_filtered(select(*_COLUMNS), where, connection), where)
    if where.limit is not None:
        query = query.limit(where.limit).offset(where.offset)
    return [_session(row) for row in connection.execute(query).all()]


def page_of_sessions(connection: Connection, where: SessionFilter) -> tuple[list[Session], int]:
    """Return a page of sessions, newest activity first, and how many there are in all.

    A search looks at every session, so it is done once, for the keys of all that match.
    """
    if where.search and where.limit is not None:
        query = _ordered(_filtered(select(sessions.c.key), where, connection), where)
        keys = tuple(str(key) for key in connection.execute(query).scalars())
        page = SessionFilter(keys=keys[where.offset : where.offset + where.limit], order=where.order)
        return select_sessions(connection, page), len(keys)
    found = select_sessions(connection, where)
    is_all = where.offset == 0 and (where.limit is None or len(found) < where.limit)
    return found, len(found) if is_all else count_sessions(connection, where)


def count_sessions(connection: Connection, where: SessionFilter) -> int:
    """Return how many sessions there are, pages aside."""
    return connection.execute(_filtered(select(func.count()).select_from(sessions), where, connection)).scalar_one()


def update_settings(
    connection: Connection, key: str, label: str | None, meta: dict[str, object], now: int | None
) -> bool:
    """Set label and settings; return True, changing nothing, when another session has the label.

    `now` is when the session was last used, None when this is no use of it.
    """
    if label is not None:
        taken = select(sessions.c.key).where(sessions.c.label == label, sessions.c.key != key)
        if connection.execute(taken).first() is not None:
            return True
    values = {"label": label, "meta": meta, **_projected(meta)} | ({} if now is None else {"updated_at": now})
    connection.execute(update(sessions).where(sessions.c.key == key).values(values))
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


def touch_session(connection: Connection, key: str, now: int) -> None:
    """Note that something was said in a session without a run."""
    connection.execute(update(sessions).where(sessions.c.key == key).values(updated_at=now))


def move_transcript(connection: Connection, key: str, session_id: str, now: int) -> None:
    """Let a session go on with another transcript; everything else about it stays."""
    connection.execute(update(sessions).where(sessions.c.key == key).values(session_id=session_id, updated_at=now))


def note_run(connection: Connection, session: Session, run: Run, title: str, preview: str) -> None:
    """Note on a session that a run began; one that was put away is back."""
    values = {
        "wanted": session.key,
        "now": run.started_at,
        "preview": preview,
        "new_title": title if session.title is None else session.title,
        "new_address": address_json(run.address or session.address),
        "new_channel": run.address.channel if run.address is not None else session.channel,
    }
    _NOTE_RUN.run(connection, values)
    if "archivedAt" in session.meta:
        meta = {name: value for name, value in session.meta.items() if name not in {"archivedAt", "archiveReason"}}
        update_settings(connection, session.key, session.label, meta, None)


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
    _NOTE_END.run(connection, values)


def read_activity(session: Session) -> dict[str, object]:
    """Return what a run changes about how a session looks in lists, for `undo_activity`."""
    return {name: getattr(session, name) for name in _ACTIVITY}


def undo_activity(connection: Connection, key: str, before: Mapping[str, object], ended_at: int) -> bool:
    """Let a session look as before a run that ended at `ended_at`; False when more has happened in it since."""
    values = {name: before[name] for name in _ACTIVITY if name in before}
    where = (sessions.c.key == key, sessions.c.updated_at == ended_at)
    return connection.execute(update(sessions).where(*where).values(values)).rowcount == 1


def delete_session(connection: Connection, key: str) -> bool:
    """Remove a session and its transcript; False when there was none."""
    session = select_session(connection, key)
    if session is None:
        return False
    connection.execute(delete(entries).where(entries.c.session_id == session.session_id))
    connection.execute(delete(sessions).where(sessions.c.key == key))
    return True


def _filtered(query: Select[Any], where: SessionFilter, connection: Connection) -> Select[Any]:
    return query.where(*_of_owner(where), *_of_state(where), *_of_text(where, connection.dialect.name))


def _ordered(query: Select[Any], where: SessionFilter) -> Select[Any]:
    when = sessions.c.updated_at if where.order == "updated" else func.coalesce(sessions.c.started_at, 0)
    return query.order_by(when.desc(), sessions.c.key)


def _of_owner(where: SessionFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if where.agent_id is not None:
        found.append(sessions.c.agent_id == where.agent_id)
    if where.agent_ids is not None:
        found.append(sessions.c.agent_id.in_(where.agent_ids))
    if where.keys is not None:
        found.append(sessions.c.key.in_(where.keys))
    if where.spawned_by is not None:
        found.append(sessions.c.meta["spawnedBy"].as_string() == where.spawned_by)
    return found


def _of_state(where: SessionFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if where.active_since is not None:
        found.append(sessions.c.updated_at >= where.active_since)
    states = (("archived_at", where.is_archived), ("pinned_at", where.is_pinned), ("started_at", where.was_run))
    for name, is_set in states:
        if is_set is not None:
            column = sessions.c[name]
            found.append(column.is_not(None) if is_set else column.is_(None))
    return found


def _of_text(where: SessionFilter, dialect: str) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [sessions.c.key.not_like(f"%{part}%") for part in where.without]
    if where.label is not None:
        found.append(sessions.c.label == where.label)
    if where.category is not None:
        found.append(sessions.c.meta["category"].as_string() == where.category)
    if where.search:
        pattern = "%" + where.search.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        columns = (sessions.c.key, sessions.c.session_id, sessions.c.label, sessions.c.title)
        # LIKE of SQLite takes no account of case, in exactly the letters that its LOWER changes; of PostgreSQL it does.
        is_plain = dialect == "sqlite"
        texts = [column if is_plain or column.name in _LOWER else func.lower(column) for column in columns]
        found.append(or_(*(text.like(pattern, escape="\\") for text in texts)))
    return found


def _values(session: Session) -> dict[str, object]:
    values = {column.name: getattr(session, column.name) for column in _COLUMNS}
    values["address"] = address_json(session.address)
    return values | _projected(session.meta)


def _projected(meta: dict[str, object]) -> dict[str, object]:
    return {"archived_at": meta.get("archivedAt"), "pinned_at": meta.get("pinnedAt")}


def _session(row: Any) -> Session:  # noqa: ANN401 - a row of either kind
    """The columns are read in the order of the fields, as a list of many sessions spends most of its time here."""
    values = list(row)
    values[_ADDRESS] = read_address(values[_ADDRESS])
    return Session(*values)
