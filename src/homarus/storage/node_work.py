"""What waits for a node until it asks: requests it answers by itself, and invokes that need its app in front."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field
from sqlalchemy import Connection, Row, and_, delete, func, insert, or_, select

from homarus.storage.tables import node_work

WorkKind = Literal["request", "action"]


class NodeWork(Struct, frozen=True):
    """One thing that waits for a node. Times in milliseconds, `expires_at` None for never."""

    id: str
    node_id: str
    kind: WorkKind
    type: str
    created_at: int
    expires_at: int | None = None
    payload: dict[str, object] = field(default_factory=dict)


def enqueue_once(connection: Connection, work: NodeWork, *, most: int) -> NodeWork:
    """Store work unless the same kind and type waits already, which is returned instead; the oldest beyond `most` go.

    Two actions are the same when their payloads carry the same `key`.
    """
    _drop_expired(connection, work.node_id, work.created_at)
    waiting = select_work(connection, work.node_id, work.kind, work.created_at)
    same = next((each for each in waiting if _is_same(each, work)), None)
    if same is not None:
        return same
    surplus = [each.id for each in waiting[: max(0, len(waiting) - most + 1)]]
    if surplus:
        connection.execute(delete(node_work).where(node_work.c.id.in_(surplus)))
    values = {
        "id": work.id,
        "node_id": work.node_id,
        "kind": work.kind,
        "type": work.type,
        "payload": work.payload,
        "created_at": work.created_at,
        "expires_at": work.expires_at,
    }
    connection.execute(insert(node_work), values)
    return work


def select_work(connection: Connection, node_id: str, kind: WorkKind, now: int) -> list[NodeWork]:
    """Return what waits for a node and is not expired, oldest first."""
    query = select(node_work).where(
        node_work.c.node_id == node_id,
        node_work.c.kind == kind,
        or_(node_work.c.expires_at.is_(None), node_work.c.expires_at > now),
    )
    return [_work(row) for row in connection.execute(query.order_by(node_work.c.seq))]


def read_revision(connection: Connection, node_id: str, kind: WorkKind) -> int:
    """Return a number that grows with every enqueued piece of work, 0 before the first."""
    query = select(func.max(node_work.c.seq)).where(node_work.c.node_id == node_id, node_work.c.kind == kind)
    return int(connection.execute(query).scalar_one() or 0)


def acknowledge(connection: Connection, node_id: str, kind: WorkKind, ids: list[str]) -> list[str]:
    """Remove work by id; return the ids that were there."""
    mine = and_(node_work.c.node_id == node_id, node_work.c.kind == kind, node_work.c.id.in_(ids))
    found = {str(row.id) for row in connection.execute(select(node_work.c.id).where(mine))}
    connection.execute(delete(node_work).where(mine))
    return [each for each in dict.fromkeys(ids) if each in found]


def _drop_expired(connection: Connection, node_id: str, now: int) -> None:
    connection.execute(delete(node_work).where(node_work.c.node_id == node_id, node_work.c.expires_at <= now))


def _is_same(one: NodeWork, other: NodeWork) -> bool:
    if one.kind == "request":
        return one.type == other.type
    return one.payload.get("key") == other.payload.get("key")


def _work(row: Row[Any]) -> NodeWork:
    return NodeWork(row.id, row.node_id, row.kind, row.type, row.created_at, row.expires_at, dict(row.payload))
