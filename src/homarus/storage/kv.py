"""Small JSON values by namespace and name: cursors, switches, marks that need no table of their own."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from homarus.storage.dialect import upsert
from homarus.storage.tables import kv


def get_value(connection: Connection, namespace: str, name: str) -> object:
    """Return a stored value, None when there is none."""
    return connection.execute(
        select(kv.c.value).where(kv.c.namespace == namespace, kv.c.name == name)
    ).scalar_one_or_none()


def put_value(connection: Connection, namespace: str, name: str, value: object, now: int) -> None:
    """Store a JSON value, replacing what was there."""
    upsert(connection, kv, {"namespace": namespace, "name": name, "value": value, "updated_at": now})


def delete_value(connection: Connection, namespace: str, name: str) -> bool:
    """Remove a value; False when there was none."""
    return connection.execute(delete(kv).where(kv.c.namespace == namespace, kv.c.name == name)).rowcount == 1


def list_values(connection: Connection, namespace: str) -> dict[str, object]:
    """Return every value of a namespace, by name in order."""
    query = select(kv.c.name, kv.c.value).where(kv.c.namespace == namespace).order_by(kv.c.name)
    return {str(name): value for name, value in connection.execute(query)}
