"""Setup tokens: one-time permits for a device nobody has approved yet; only their hashes are stored."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Connection, delete, select

from homarus.storage.kv import delete_value, get_value, put_value
from homarus.storage.tables import kv

NAMESPACE = "setup-tokens"


def insert_setup_token(
    connection: Connection, token_hash: str, grant: dict[str, object], now: int, *, keep: int
) -> None:
    """Store a permit and forget all but the `keep` newest. `grant` holds `expiresAt` in milliseconds."""
    put_value(connection, NAMESPACE, token_hash, grant, now)
    rows = connection.execute(select(kv.c.name).where(kv.c.namespace == NAMESPACE).order_by(kv.c.updated_at.desc()))
    surplus = [row.name for row in rows.all()[keep:] if row.name != token_hash]
    if surplus:
        connection.execute(delete(kv).where(kv.c.namespace == NAMESPACE, kv.c.name.in_(surplus)))


def take_setup_token(connection: Connection, token_hash: str) -> dict[str, object] | None:
    """Remove a permit and return what it grants, None when it is unknown or was used: of two that try, one gets it."""
    value = get_value(connection, NAMESPACE, token_hash)
    if not isinstance(value, dict) or not delete_value(connection, NAMESPACE, token_hash):
        return None
    return cast("dict[str, object]", value)
