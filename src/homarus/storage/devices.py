"""Paired devices, their tokens (as SHA-256 hashes only) and requests to be paired."""

from __future__ import annotations

from typing import Any, cast

from msgspec import Struct, field
from sqlalchemy import Connection, Row, delete, insert, select, update

from homarus.storage.tables import device_requests, device_tokens, devices, kv

BROWSER_TOKENS = "browser-tokens"
"""Namespace of the key-value table that holds hashes of browser tokens."""


class Device(Struct, frozen=True):
    """A paired device. `scopes` are the approved ones, normalised; `record` describes it in wire names."""

    id: str
    public_key: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    record: dict[str, object]
    created_at: int
    approved_at: int


class DeviceToken(Struct, frozen=True):
    """A token of a device for one role. `hash` is the hex SHA-256 of the token, which is not stored."""

    hash: str
    device_id: str
    role: str
    scopes: tuple[str, ...]
    created_at: int
    rotated_at: int | None = None
    revoked_at: int | None = None
    last_used_at: int | None = None


class DeviceRequest(Struct, frozen=True):
    """A device that waits for approval. `request` is the body of the `device.pair.requested` event."""

    id: str
    device_id: str
    created_at: int
    request: dict[str, object] = field(default_factory=dict)


def select_device(connection: Connection, device_id: str) -> Device | None:
    """Return one device."""
    row = connection.execute(select(devices).where(devices.c.id == device_id)).one_or_none()
    return None if row is None else _device(row)


def select_devices(connection: Connection) -> list[Device]:
    """Return every device, latest approval first."""
    return [_device(row) for row in connection.execute(select(devices).order_by(devices.c.approved_at.desc()))]


def save_device(connection: Connection, device: Device) -> None:
    """Store a device in place of what was known about it."""
    connection.execute(delete(devices).where(devices.c.id == device.id))
    values = {
        "id": device.id,
        "public_key": device.public_key,
        "roles": list(device.roles),
        "scopes": list(device.scopes),
        "record": device.record,
        "created_at": device.created_at,
        "approved_at": device.approved_at,
    }
    connection.execute(insert(devices), values)


def label_device(connection: Connection, device_id: str, label: str) -> bool:
    """Note the owner's name for a device; False when there is none of that id."""
    device = select_device(connection, device_id)
    if device is None:
        return False
    record = {**device.record, "operatorLabel": label}
    connection.execute(update(devices).where(devices.c.id == device_id).values(record=record))
    return True


def delete_device(connection: Connection, device_id: str) -> bool:
    """Remove a device with its tokens and requests; False when there was none."""
    connection.execute(delete(device_tokens).where(device_tokens.c.device_id == device_id))
    connection.execute(delete(device_requests).where(device_requests.c.device_id == device_id))
    return connection.execute(delete(devices).where(devices.c.id == device_id)).rowcount > 0


def select_token(connection: Connection, token_hash: str) -> DeviceToken | None:
    """Return a token by its hash, revoked ones too."""
    row = connection.execute(select(device_tokens).where(device_tokens.c.hash == token_hash)).one_or_none()
    return None if row is None else _token(row)


def select_live_tokens(connection: Connection, device_id: str) -> list[DeviceToken]:
    """Return the tokens of a device that are not revoked, oldest first."""
    query = select(device_tokens).where(device_tokens.c.device_id == device_id, device_tokens.c.revoked_at.is_(None))
    return [_token(row) for row in connection.execute(query.order_by(device_tokens.c.created_at))]


def insert_token(connection: Connection, token: DeviceToken, *, keep: int) -> None:
    """Store a token and forget all but the `keep` most recently used ones of its device and role."""
    same = (device_tokens.c.device_id == token.device_id, device_tokens.c.role == token.role)
    rows = connection.execute(select(device_tokens).where(*same)).all()
    rows = sorted(rows, key=lambda row: (row.revoked_at is None, row.last_used_at or row.created_at), reverse=True)
    surplus = [row.hash for row in rows[max(0, keep - 1) :]]
    if surplus:
        connection.execute(delete(device_tokens).where(device_tokens.c.hash.in_(surplus)))
    connection.execute(insert(device_tokens), _token_values(token))


def touch_token(connection: Connection, token_hash: str, now: int) -> None:
    """Note that a token was used."""
    connection.execute(update(device_tokens).where(device_tokens.c.hash == token_hash).values(last_used_at=now))


def revoke_tokens(connection: Connection, device_id: str, role: str, now: int) -> int:
    """Revoke every token of a device and role; return how many were live."""
    query = update(device_tokens).where(
        device_tokens.c.device_id == device_id, device_tokens.c.role == role, device_tokens.c.revoked_at.is_(None)
    )
    return connection.execute(query.values(revoked_at=now)).rowcount


def upsert_request(connection: Connection, request: DeviceRequest, *, oldest: int, most: int) -> tuple[str, bool]:
    """Store a request; return the id of the open one of that device and whether it is new.

    Requests from before `oldest` (milliseconds) are removed, and the oldest ones beyond `most`.
    """
    connection.execute(delete(device_requests).where(device_requests.c.created_at < oldest))
    query = select(device_requests).where(device_requests.c.device_id == request.device_id)
    for row in connection.execute(query):
        if cast("dict[str, object]", row.request).get("role") == request.request.get("role"):
            values = {"request": {**request.request, "requestId": row.id}, "created_at": request.created_at}
            connection.execute(update(device_requests).where(device_requests.c.id == row.id).values(values))
            return str(row.id), False
    stored = connection.execute(select(device_requests.c.id).order_by(device_requests.c.created_at)).all()
    surplus = [row.id for row in stored[: max(0, len(stored) - most + 1)]]
    if surplus:
        connection.execute(delete(device_requests).where(device_requests.c.id.in_(surplus)))
    connection.execute(
        insert(device_requests),
        {
            "id": request.id,
            "device_id": request.device_id,
            "request": request.request,
            "created_at": request.created_at,
        },
    )
    return request.id, True


def select_requests(connection: Connection, oldest: int) -> list[DeviceRequest]:
    """Return the requests made since `oldest` (milliseconds), newest first."""
    query = select(device_requests).where(device_requests.c.created_at >= oldest)
    return [_request(row) for row in connection.execute(query.order_by(device_requests.c.created_at.desc()))]


def take_request(connection: Connection, request_id: str, oldest: int) -> DeviceRequest | None:
    """Remove and return a request made since `oldest`, None when there is none."""
    row = connection.execute(select(device_requests).where(device_requests.c.id == request_id)).one_or_none()
    connection.execute(delete(device_requests).where(device_requests.c.id == request_id))
    return _request(row) if row is not None and row.created_at >= oldest else None


def insert_browser_token(connection: Connection, token_hash: str, now: int, *, keep: int) -> None:
    """Store the hash of a browser token and forget all but the `keep` newest."""
    connection.execute(insert(kv), {"namespace": BROWSER_TOKENS, "name": token_hash, "value": {}, "updated_at": now})
    rows = connection.execute(
        select(kv.c.name).where(kv.c.namespace == BROWSER_TOKENS).order_by(kv.c.updated_at.desc())
    )
    surplus = [row.name for row in rows.all()[keep:] if row.name != token_hash]
    if surplus:
        connection.execute(delete(kv).where(kv.c.namespace == BROWSER_TOKENS, kv.c.name.in_(surplus)))


def has_browser_token(connection: Connection, token_hash: str) -> bool:
    """Tell whether a hash belongs to a browser token that is still good."""
    query = select(kv.c.name).where(kv.c.namespace == BROWSER_TOKENS, kv.c.name == token_hash)
    return connection.execute(query).first() is not None


def delete_browser_tokens(connection: Connection) -> int:
    """Forget every browser token; return how many there were."""
    return connection.execute(delete(kv).where(kv.c.namespace == BROWSER_TOKENS)).rowcount


def _device(row: Row[Any]) -> Device:
    return Device(
        id=row.id,
        public_key=row.public_key,
        roles=tuple(row.roles),
        scopes=tuple(row.scopes),
        record=dict(row.record),
        created_at=row.created_at,
        approved_at=row.approved_at,
    )


def _token(row: Row[Any]) -> DeviceToken:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented row mapping
    values["scopes"] = tuple(values["scopes"])
    return DeviceToken(**values)


def _token_values(token: DeviceToken) -> dict[str, object]:
    return {
        "hash": token.hash,
        "device_id": token.device_id,
        "role": token.role,
        "scopes": list(token.scopes),
        "created_at": token.created_at,
        "rotated_at": token.rotated_at,
        "revoked_at": token.revoked_at,
        "last_used_at": token.last_used_at,
    }


def _request(row: Row[Any]) -> DeviceRequest:
    return DeviceRequest(row.id, row.device_id, row.created_at, dict(row.request))
