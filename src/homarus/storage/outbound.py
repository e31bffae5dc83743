"""The journal of what goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, Row, String, bindparam, case, func, literal, select, update

from homarus.ids import Address
from homarus.manner import Manner
from homarus.storage.dialect import insert_ignore
from homarus.storage.records import OutboundMessage, StoredFile
from homarus.storage.tables import outbound

WAITING = ("pending", "ambiguous")

# Statements of the hot path are built once: building one costs more than running it.
_FIRSTS = (
    select(func.min(outbound.c.seq))
    .where(
        outbound.c.channel == bindparam("channel"),
        outbound.c.account == bindparam("account"),
        outbound.c.state.in_(WAITING),
    )
    .group_by(outbound.c.chat, outbound.c.thread)
)
_NOW = bindparam("now", type_=BigInteger)
_DUE_AT = case((outbound.c.next_at > _NOW, outbound.c.next_at), else_=_NOW)
_HEADS = (
    select(outbound)
    .where(outbound.c.seq.in_(_FIRSTS))
    .order_by(_DUE_AT, outbound.c.seq)
    .limit(bindparam("limit", type_=Integer))
)
_BY_DEDUPE = select(outbound).where(outbound.c.dedupe_key == bindparam("wanted"))
_NOTE_PREVIEW = (
    update(outbound).where(outbound.c.dedupe_key == bindparam("wanted")).values(platform_id=bindparam("new_id"))
)
_FINISH_PREVIEW = (
    update(outbound)
    .where(outbound.c.dedupe_key == bindparam("wanted"), outbound.c.state == "preview")
    .values(
        # A preview of which nobody knows whether it was sent may stand there with the whole text.
        state=case((outbound.c.platform_id.is_(None) & (outbound.c.attempts > 0), "ambiguous"), else_="pending"),
        attempts=0,
        text=bindparam("new_text"),
        part_count=bindparam("count"),
        manner=bindparam("new_manner", type_=outbound.c.manner.type),
        next_at=bindparam("now"),
        updated_at=bindparam("now"),
    )
)
_BEGIN = (
    update(outbound)
    .where(outbound.c.id == bindparam("wanted"))
    .values(state="sending", attempts=outbound.c.attempts + 1, updated_at=bindparam("now"))
)
_END = (
    update(outbound)
    .where(outbound.c.id == bindparam("wanted"))
    .values(
        state=bindparam("new_state"),
        updated_at=bindparam("now"),
        error=bindparam("new_error"),
        platform_id=func.coalesce(bindparam("new_id", type_=String), outbound.c.platform_id),
        next_at=func.coalesce(bindparam("new_next", type_=BigInteger), outbound.c.next_at),
    )
)


def insert_parts(connection: Connection, parts: Sequence[OutboundMessage]) -> None:
    """Store parts; one that was a preview gets its final text, one whose dedupe key is known is left as it is."""
    for part in parts:
        # Insert first: on PostgreSQL it waits for a preview that is being stored at this moment, an update does not.
        if insert_ignore(connection, outbound, _values(part)) or part.part_index:
            continue
        values = {"wanted": part.dedupe_key, "new_text": part.text, "count": part.part_count, "now": part.created_at}
        connection.execute(_FINISH_PREVIEW, values | {"new_manner": part.manner.as_json()})


def open_preview(connection: Connection, part: OutboundMessage) -> tuple[OutboundMessage, bool]:
    """Store a preview, or return the row its part has already; the second value tells which."""
    if insert_ignore(connection, outbound, _values(part)):
        return part, True
    return _part(connection.execute(_BY_DEDUPE, {"wanted": part.dedupe_key}).one()), False


def fail_preview(connection: Connection, part: OutboundMessage) -> None:
    """Note that a preview was certainly not sent."""
    connection.execute(update(outbound).where(outbound.c.dedupe_key == part.dedupe_key).values(attempts=0))


def note_preview(connection: Connection, part: OutboundMessage, platform_id: str | None) -> OutboundMessage:
    """Note which message on the platform a preview is; its final text may be waiting already."""
    connection.execute(_NOTE_PREVIEW, {"wanted": part.dedupe_key, "new_id": platform_id})
    return _part(connection.execute(_BY_DEDUPE, {"wanted": part.dedupe_key}).one())


def withdraw_preview(connection: Connection, dedupe_key: str, now: int) -> None:
    """Let delivery take back a preview that is shown, because nothing follows it: a part without text."""
    preview = (outbound.c.dedupe_key == dedupe_key, outbound.c.state == "preview", outbound.c.platform_id.is_not(None))
    values = {"state": "pending", "attempts": 0, "text": "", "next_at": now, "updated_at": now}
    connection.execute(update(outbound).where(*preview).values(values))


def select_heads(connection: Connection, channel: str, account: str, now: int, limit: int) -> list[OutboundMessage]:
    """Return the first waiting part of every chat: those that are due, oldest first, then the next to become due.

    Later parts of a chat wait for its first, so that order holds; a chat that waits does not hold up the others.
    """
    values = {"channel": channel, "account": account, "now": now, "limit": limit}
    return [_part(row) for row in connection.execute(_HEADS, values)]


def select_interrupted(connection: Connection, channel: str, account: str) -> list[OutboundMessage]:
    """Return parts whose sending a stop or a broken connection interrupted."""
    query = (
        select(outbound)
        .where(outbound.c.channel == channel, outbound.c.account == account, outbound.c.state == "sending")
        .order_by(outbound.c.seq)
    )
    return [_part(row) for row in connection.execute(query)]


def select_by_platform_id(
    connection: Connection, address: Address, platform_id: str, look_back: int
) -> OutboundMessage | None:
    """Return the part that is a message of a chat, from among the last `look_back` parts; its topic does not matter."""
    newest = select(func.max(outbound.c.seq)).scalar_subquery()
    query = select(outbound).where(
        outbound.c.seq > newest - look_back,
        outbound.c.channel == address.channel,
        outbound.c.account == address.account,
        outbound.c.chat == address.chat,
        outbound.c.platform_id == platform_id,
    )
    row = connection.execute(query.order_by(outbound.c.seq.desc()).limit(1)).first()
    return None if row is None else _part(row)


def select_parts(connection: Connection, run_id: str) -> list[OutboundMessage]:
    """Return all parts of a run."""
    query = select(outbound).where(outbound.c.run_id == run_id).order_by(outbound.c.seq)
    return [_part(row) for row in connection.execute(query)]


def begin_attempt(connection: Connection, part_id: str, now: int) -> None:
    """Note that a part is being handed to its platform."""
    connection.execute(_BEGIN, {"wanted": part_id, "now": now})


def rename_part(connection: Connection, part_id: str, new_id: str, text: str) -> None:
    """Let a part go out as another message than the one it may have been, with another text."""
    values = {"id": new_id, "text": text, "state": "pending", "platform_id": None}
    connection.execute(update(outbound).where(outbound.c.id == part_id).values(values))


def mark_next(connection: Connection, part: OutboundMessage, notice: str) -> None:
    """Let the part after one that was never shown begin with what that one was to say first."""
    following = (outbound.c.run_id == part.run_id, outbound.c.part_index == part.part_index + 1)
    waiting = (outbound.c.state == "pending", outbound.c.attempts == 0)
    connection.execute(update(outbound).where(*following, *waiting).values(text=literal(notice) + outbound.c.text))


def end_attempt(
    connection: Connection,
    part_id: str,
    state: str,
    now: int,
    *,
    platform_id: str | None = None,
    error: str | None = None,
    next_at: int | None = None,
) -> None:
    """Note how an attempt ended."""
    values = {"new_state": state, "now": now, "new_error": error, "new_id": platform_id, "new_next": next_at}
    connection.execute(_END, {"wanted": part_id, **values})


def revive_dead(connection: Connection, run_id: str, now: int) -> int:
    """Queue a run's dead parts once more and return how many there were."""
    values = {"state": "pending", "attempts": 0, "next_at": now, "updated_at": now, "error": None}
    dead = (outbound.c.run_id == run_id, outbound.c.state == "dead")
    return connection.execute(update(outbound).where(*dead).values(values)).rowcount


def count_parts(connection: Connection) -> dict[str, int]:
    """Return how many parts stand in each state."""
    query = select(outbound.c.state, func.count()).group_by(outbound.c.state)
    return {str(state): int(count) for state, count in connection.execute(query)}


def _values(part: OutboundMessage) -> dict[str, object]:
    return {
        "id": part.id,
        "dedupe_key": part.dedupe_key,
        "run_id": part.run_id,
        "channel": part.address.channel,
        "account": part.address.account,
        "chat": part.address.chat,
        "thread": part.address.thread,
        "part_index": part.part_index,
        "part_count": part.part_count,
        "text": part.text,
        "reply_to": part.reply_to,
        "state": part.state,
        "attempts": part.attempts,
        "next_at": part.next_at,
        "platform_id": part.platform_id,
        "error": part.error,
        "created_at": part.created_at,
        "updated_at": part.created_at,
        "media": part.media.as_json() if part.media is not None else None,
        "manner": part.manner.as_json(),
    }


def _part(row: Row[Any]) -> OutboundMessage:
    return OutboundMessage(
        id=row.id,
        dedupe_key=row.dedupe_key,
        run_id=row.run_id,
        address=Address(row.channel, row.account, row.chat, row.thread),
        part_index=row.part_index,
        part_count=row.part_count,
        text=row.text,
        state=row.state,
        created_at=row.created_at,
        next_at=row.next_at,
        reply_to=row.reply_to,
        attempts=row.attempts,
        platform_id=row.platform_id,
        error=row.error,
        updated_at=row.updated_at,
        seq=row.seq,
        media=StoredFile.from_json(row.media),
        manner=Manner.from_json(row.manner),
    )
