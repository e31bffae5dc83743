"""Approvals: questions to the owner, as rows, so that neither question nor answer is lost with the process."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field
from sqlalchemy import Connection, Row, and_, delete, func, insert, or_, select, update

from homarus.storage.tables import approvals

ApprovalKind = Literal["exec", "plugin"]


class Approval(Struct, frozen=True):
    """A question. `decision` None means open while `resolved_at` is None, unanswered afterwards; times in ms."""

    id: str
    kind: ApprovalKind
    request: dict[str, object]
    created_at: int
    expires_at: int
    requester: dict[str, object] = field(default_factory=dict)
    decision: str | None = None
    resolved_by: str | None = None
    resolved_at: int | None = None
    used_at: int | None = None

    def is_open(self, now: int) -> bool:
        """Tell whether an answer still counts."""
        return self.resolved_at is None and now < self.expires_at


def insert_approval(connection: Connection, approval: Approval, *, forget_before: int, most: int) -> bool:
    """Store a question; False when its id is taken or `most` questions are open. Old answers are forgotten."""
    connection.execute(delete(approvals).where(approvals.c.expires_at < forget_before))
    known = select_approval(connection, approval.id)
    if known is not None:
        if known.is_open(approval.created_at):
            return False
        connection.execute(delete(approvals).where(approvals.c.id == approval.id))
    if count_open(connection, approval.created_at) >= most:
        return False
    values = {
        "id": approval.id,
        "kind": approval.kind,
        "request": approval.request,
        "requester": approval.requester,
        "decision": approval.decision,
        "resolved_by": approval.resolved_by,
        "created_at": approval.created_at,
        "expires_at": approval.expires_at,
        "resolved_at": approval.resolved_at,
        "used_at": approval.used_at,
    }
    connection.execute(insert(approvals), values)
    return True


def count_open(connection: Connection, now: int) -> int:
    """Return how many questions are open."""
    query = select(func.count()).where(approvals.c.resolved_at.is_(None), approvals.c.expires_at > now)
    return connection.execute(query).scalar_one()


def select_approval(connection: Connection, approval_id: str) -> Approval | None:
    """Return a question by its id, answered or not."""
    row = connection.execute(select(approvals).where(approvals.c.id == approval_id)).one_or_none()
    return None if row is None else _approval(row)


def select_open(connection: Connection, kind: ApprovalKind, now: int) -> list[Approval]:
    """Return the open questions of a kind, oldest first."""
    query = select(approvals).where(
        approvals.c.kind == kind, approvals.c.resolved_at.is_(None), approvals.c.expires_at > now
    )
    return [_approval(row) for row in connection.execute(query.order_by(approvals.c.created_at, approvals.c.id))]


def select_closed(
    connection: Connection,
    now: int,
    *,
    limit: int,
    kind: ApprovalKind | None = None,
    after: tuple[int, str] | None = None,
) -> list[Approval]:
    """Return questions that are over, the newest first; `after` is when one ended (ms) and its id."""
    ended = func.coalesce(approvals.c.resolved_at, approvals.c.expires_at)
    query = select(approvals).where(ended <= now)
    if kind is not None:
        query = query.where(approvals.c.kind == kind)
    if after is not None:
        at, identifier = after
        query = query.where(or_(ended < at, and_(ended == at, approvals.c.id > identifier)))
    return [_approval(row) for row in connection.execute(query.order_by(ended.desc(), approvals.c.id).limit(limit))]


def decide(connection: Connection, approval_id: str, decision: str | None, by: str | None, now: int) -> bool:
    """Answer an open question, or close it without an answer; False when it is closed already: the first one wins."""
    query = update(approvals).where(
        approvals.c.id == approval_id, approvals.c.resolved_at.is_(None), approvals.c.expires_at > now
    )
    return connection.execute(query.values(decision=decision, resolved_by=by, resolved_at=now)).rowcount == 1


def use_once(connection: Connection, approval_id: str, now: int) -> bool:
    """Consume an allow-once; False when it was used before."""
    query = update(approvals).where(
        approvals.c.id == approval_id, approvals.c.decision == "allow-once", approvals.c.used_at.is_(None)
    )
    return connection.execute(query.values(used_at=now)).rowcount == 1


def _approval(row: Row[Any]) -> Approval:
    return Approval(
        id=row.id,
        kind=row.kind,
        request=dict(row.request),
        requester=dict(row.requester),
        decision=row.decision,
        resolved_by=row.resolved_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        resolved_at=row.resolved_at,
        used_at=row.used_at,
    )
