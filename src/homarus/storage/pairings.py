"""Pairing requests and the allowlist that approval fills."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, select, update

from homarus.storage.dialect import insert_ignore
from homarus.storage.records import PairingRequest
from homarus.storage.tables import allowlist, pairing_requests

# Statements of the hot path are built once: building one costs more than running it.
_IS_ALLOWED = select(allowlist.c.sender_id).where(
    allowlist.c.channel == bindparam("channel"),
    allowlist.c.account == bindparam("account"),
    allowlist.c.sender_id == bindparam("sender_id"),
)


def is_allowed(connection: Connection, channel: str, account: str, sender_id: str) -> bool:
    """Tell whether a sender was approved for a channel account."""
    values = {"channel": channel, "account": account, "sender_id": sender_id}
    return connection.execute(_IS_ALLOWED, values).first() is not None


def allow(connection: Connection, channel: str, account: str, sender_id: str, source: str, now: int) -> None:
    """Put a sender on the allowlist."""
    values = {"channel": channel, "account": account, "sender_id": sender_id, "source": source, "added_at": now}
    insert_ignore(connection, allowlist, values)


def drop_expired(connection: Connection, before: int) -> None:
    """Forget requests made before a time."""
    connection.execute(delete(pairing_requests).where(pairing_requests.c.created_at < before))


def find_request(connection: Connection, channel: str, account: str, sender_id: str) -> PairingRequest | None:
    """Return the open request of a sender."""
    query = select(pairing_requests).where(
        pairing_requests.c.channel == channel,
        pairing_requests.c.account == account,
        pairing_requests.c.sender_id == sender_id,
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _request(row)


def touch_request(connection: Connection, request: PairingRequest, now: int) -> None:
    """Note that the sender wrote again."""
    connection.execute(
        update(pairing_requests)
        .where(
            pairing_requests.c.channel == request.channel,
            pairing_requests.c.account == request.account,
            pairing_requests.c.sender_id == request.sender_id,
        )
        .values(last_seen_at=now)
    )


def count_requests(connection: Connection, channel: str, account: str) -> int:
    """Return how many requests wait for an account."""
    query = select(func.count()).where(pairing_requests.c.channel == channel, pairing_requests.c.account == account)
    return connection.execute(query).scalar_one()


def insert_request(connection: Connection, request: PairingRequest) -> None:
    """Store a request."""
    values = {name: getattr(request, name) for name in pairing_requests.c.keys()}  # noqa: SIM118 - columns
    insert_ignore(connection, pairing_requests, values)


def select_requests(connection: Connection, channel: str | None = None) -> list[PairingRequest]:
    """Return open requests, oldest first."""
    query = select(pairing_requests).order_by(pairing_requests.c.created_at)
    if channel is not None:
        query = query.where(pairing_requests.c.channel == channel)
    return [_request(row) for row in connection.execute(query)]


def take_request(connection: Connection, channel: str, code: str) -> PairingRequest | None:
    """Remove and return the request with a code."""
    matches = (pairing_requests.c.channel == channel, pairing_requests.c.code == code)
    row = connection.execute(select(pairing_requests).where(*matches)).first()
    if row is None:
        return None
    connection.execute(delete(pairing_requests).where(*matches))
    return _request(row)


def _request(row: Row[Any]) -> PairingRequest:
    return PairingRequest(**dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's documented row mapping
