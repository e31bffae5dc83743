"""Nodes that were approved, and those that ask to be."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field
from sqlalchemy import Connection, Row, delete, insert, select, update

from homarus.storage.dialect import upsert
from homarus.storage.tables import node_pairings, nodes


class NodeRow(Struct, frozen=True):
    """An approved node. `record` is what it said about itself; times in milliseconds."""

    id: str
    token_hash: str
    record: dict[str, object]
    created_at: int
    approved_at: int
    name: str | None = None
    connected_at: int | None = None


class NodeRequest(Struct, frozen=True):
    """A node that waits for approval. `request` is the body of the `node.pair.requested` event."""

    id: str
    node_id: str
    created_at: int
    request: dict[str, object] = field(default_factory=dict)


def select_node(connection: Connection, node_id: str) -> NodeRow | None:
    """Return an approved node, None when it is not."""
    row = connection.execute(select(nodes).where(nodes.c.id == node_id)).one_or_none()
    return None if row is None else _node(row)


def select_nodes(connection: Connection) -> list[NodeRow]:
    """Return every approved node, latest approval first."""
    return [_node(row) for row in connection.execute(select(nodes).order_by(nodes.c.approved_at.desc(), nodes.c.id))]


def touch_node(connection: Connection, node_id: str, now: int) -> bool:
    """Note that a node connected; False when it is not approved."""
    return connection.execute(update(nodes).where(nodes.c.id == node_id).values(connected_at=now)).rowcount == 1


def rename_node(connection: Connection, node_id: str, name: str) -> bool:
    """Call an approved node by another name; False when it is not approved."""
    return connection.execute(update(nodes).where(nodes.c.id == node_id).values(name=name)).rowcount == 1


def file_request(connection: Connection, request: NodeRequest, *, oldest: int, most: int) -> tuple[NodeRequest, bool]:
    """Store or refresh the request of a node; return it as stored and whether it is new.

    Requests from before `oldest` (milliseconds) are removed, and the oldest ones beyond `most`.
    """
    connection.execute(delete(node_pairings).where(node_pairings.c.created_at < oldest))
    known = connection.execute(
        select(node_pairings.c.id).where(node_pairings.c.node_id == request.node_id)
    ).scalar_one_or_none()
    identifier = request.id if known is None else str(known)
    body = {**request.request, "requestId": identifier}
    values = {"id": identifier, "node_id": request.node_id, "request": body, "created_at": request.created_at}
    upsert(connection, node_pairings, values)
    newest = select(node_pairings.c.id).order_by(node_pairings.c.created_at.desc(), node_pairings.c.id).offset(most)
    surplus = [row.id for row in connection.execute(newest.limit(1000)) if row.id != identifier]
    if surplus:
        connection.execute(delete(node_pairings).where(node_pairings.c.id.in_(surplus)))
    return NodeRequest(identifier, request.node_id, request.created_at, body), known is None


def select_requests(connection: Connection, oldest: int) -> list[NodeRequest]:
    """Return the requests made since `oldest` (milliseconds), newest first."""
    query = select(node_pairings).where(node_pairings.c.created_at >= oldest)
    return [_request(row) for row in connection.execute(query.order_by(node_pairings.c.created_at.desc()))]


def take_request(connection: Connection, request_id: str, oldest: int) -> NodeRequest | None:
    """Remove and return a request made since `oldest`, None when there is none."""
    row = connection.execute(select(node_pairings).where(node_pairings.c.id == request_id)).one_or_none()
    connection.execute(delete(node_pairings).where(node_pairings.c.id == request_id))
    return _request(row) if row is not None and row.created_at >= oldest else None


def approve_request(connection: Connection, request_id: str, oldest: int, node: NodeRow) -> NodeRow | None:
    """Turn a request into an approved node in one transaction; None when it is gone by now.

    A node that was approved before keeps its name and its time of creation.
    """
    if take_request(connection, request_id, oldest) is None:
        return None
    known = select_node(connection, node.id)
    kept = node if known is None else NodeRow(node.id, node.token_hash, node.record, known.created_at, node.approved_at)
    name = known.name if known is not None else None
    connection.execute(delete(nodes).where(nodes.c.id == node.id))
    values = {
        "id": kept.id,
        "token_hash": kept.token_hash,
        "name": name,
        "record": kept.record,
        "created_at": kept.created_at,
        "approved_at": kept.approved_at,
        "connected_at": known.connected_at if known is not None else None,
    }
    connection.execute(insert(nodes), values)
    return select_node(connection, kept.id)


def delete_node(connection: Connection, node_id: str) -> bool:
    """Forget an approved node and its request; False when it was not approved."""
    connection.execute(delete(node_pairings).where(node_pairings.c.node_id == node_id))
    return connection.execute(delete(nodes).where(nodes.c.id == node_id)).rowcount == 1


def _node(row: Row[Any]) -> NodeRow:
    return NodeRow(
        id=row.id,
        token_hash=row.token_hash,
        record=dict(row.record),
        created_at=row.created_at,
        approved_at=row.approved_at,
        name=row.name,
        connected_at=row.connected_at,
    )


def _request(row: Row[Any]) -> NodeRequest:
    return NodeRequest(row.id, row.node_id, row.created_at, dict(row.request))
