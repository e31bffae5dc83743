"""Preferences of the gateway's owner, kept by it so that every browser looks the same."""

from __future__ import annotations

from typing import Final

from homarus.gateway.hub import Shapes
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject, encode
from homarus.protocol.scopes import Scope
from homarus.protocol.session_views import PreferencesGetParams, PreferencesSetParams
from homarus.storage.database import Connection
from homarus.storage.kv import delete_value, list_values, put_value

NAMESPACE: Final = "prefs"
OWNER: Final = "gateway-owner"
CHANGED: Final = "users.prefs.changed"
MAX_BYTES: Final = 16 * 1024
"""Bytes of one preference."""
MAX_STORED: Final = 500


@operation("users.prefs.get", scope=Scope.READ)
async def get_preferences(call: Call, params: PreferencesGetParams) -> JsonObject:
    """Return preferences by name, those that were never set left out."""
    stored = await call.services.database.read(list_values, NAMESPACE)
    wanted = stored if params.keys is None else params.keys
    return {"status": "ok", "entries": {key: stored[key] for key in wanted if key in stored}}


@operation("users.prefs.set", scope=Scope.WRITE)
async def set_preferences(call: Call, params: PreferencesSetParams) -> JsonObject:
    """Change preferences, all or none; `conflict` when they are not what the caller expected."""
    for key, value in params.entries.items():
        if len(encode(value)) > MAX_BYTES:
            raise invalid(f"invalid users.prefs.set params: at /entries/{key}: at most {MAX_BYTES} bytes")
    now = call.services.clock.now_ms()
    status = await call.services.database.write(_store, params.entries, params.expected_entries or {}, now)
    if status == "full":
        details: JsonObject = {"code": "USER_PREFS_LIMIT_EXCEEDED"}
        raise invalid(f"at most {MAX_STORED} preferences are kept; take some away first", details)
    if status == "ok":
        told: JsonObject = {"profileId": OWNER, "keys": list(params.entries)}
        call.core.hub.broadcast(CHANGED, Shapes(None, told))
    return {"status": status}


def _store(connection: Connection, entries: dict[str, object], expected: dict[str, object], now: int) -> str:
    stored = list_values(connection, NAMESPACE)
    if any(stored.get(key) != value for key, value in expected.items()):
        return "conflict"
    kept = {key for key in (*stored, *entries) if entries.get(key, stored.get(key)) is not None}
    if len(kept) > MAX_STORED:
        return "full"
    for key, value in entries.items():
        if value is None:
            delete_value(connection, NAMESPACE, key)
        else:
            put_value(connection, NAMESPACE, key, value, now)
    return "ok"
