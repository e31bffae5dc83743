"""Who is connected, as shown to clients (reference 03, PresenceEntry)."""

from __future__ import annotations

import platform
import socket
from typing import TYPE_CHECKING, Final

from homarus import __version__
from homarus.clock import Clock
from homarus.protocol.frames import JsonObject
from homarus.protocol.handshake import ConnectParams
from homarus.protocol.scopes import Role
from homarus.protocol.versions import V3, V4

if TYPE_CHECKING:
    from homarus.gateway.caller import Caller

TTL_MS: Final = 300_000
MAX_ENTRIES: Final = 200
_UNLISTED: Final = {V3: frozenset({"cli"}), V4: frozenset({"cli", "backend", "probe"})}
RPC: Final = "json-rpc"
"""What a client that speaks JSON-RPC and says no more of itself is called."""
MAX_KEY: Final = 128
"""Characters of the name of an entry."""
TOLD: Final = ("host", "ip", "version", "mode", "reason")
"""What an agent is told of when it changes (reference 02, system-event)."""


class Presence:
    """Presence entries by device, instance or connection; at most 200, each for five minutes after its last sign."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[str, JsonObject] = {}
        self._connected: dict[str, int] = {}
        self._self = _self_entry()
        self.version = 1

    def connect(self, key: str, params: ConnectParams, scopes: list[str], address: str | None) -> None:
        """Note a client that connected."""
        self.join(key, self.client_entry(key, params, scopes, address))

    def join(self, key: str, entry: JsonObject) -> None:
        """Note somebody who connected, with the entry others see."""
        self._connected[key] = self._connected.get(key, 0) + 1
        self._entries[key] = entry
        self.version += 1

    def disconnect(self, key: str) -> None:
        """Note a client that left; it stays listed for a while."""
        count = self._connected.pop(key, 0) - 1
        if count > 0:
            self._connected[key] = count
            return
        entry = self._entries.get(key)
        if entry is not None:
            self._entries[key] = {**entry, "reason": "disconnect", "ts": self._clock.now_ms()}
            self.version += 1

    def report(self, key: str, said: JsonObject) -> frozenset[str]:
        """Take what somebody reports about a machine; returns which of host, ip, version, mode and reason changed."""
        key = key[:MAX_KEY]
        before = self._entries.get(key, {})
        self._entries[key] = {**before, **said, "ts": self._clock.now_ms()}
        self.version += 1
        self._forget(self._clock.now_ms())
        return frozenset(name for name in TOLD if said.get(name) is not None and said[name] != before.get(name))

    def watch(self, key: str, sessions: list[str]) -> None:
        """Note which sessions a client looks at; one that is not listed is not noted."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries[key] = {**entry, "watchedSessions": sessions}
            self.version += 1

    def list(self) -> list[JsonObject]:
        """Return all entries, newest first; the gateway's own is always there."""
        now = self._clock.now_ms()
        self._forget(now)
        entries: list[JsonObject] = [{**self._self, "ts": now}]
        others = [{**entry, "ts": now} if key in self._connected else entry for key, entry in self._entries.items()]
        entries.extend(others)
        return sorted(entries, key=lambda entry: -_ts(entry))

    def _forget(self, now: int) -> None:
        stale = [
            key for key, entry in self._entries.items() if key not in self._connected and _ts(entry) < now - TTL_MS
        ]
        for key in stale:
            del self._entries[key]
        if len(self._entries) > MAX_ENTRIES:
            oldest = sorted(self._entries, key=lambda key: (key in self._connected, _ts(self._entries[key])))
            for key in oldest[: len(self._entries) - MAX_ENTRIES]:
                del self._entries[key]

    def client_entry(self, key: str, params: ConnectParams, scopes: list[str], address: str | None) -> JsonObject:
        """Return the entry of a client that said what it is."""
        client = params.client
        host = client.display_name or client.id
        entry: JsonObject = {
            "host": host,
            "ip": address,
            "version": client.version,
            "platform": client.platform,
            "deviceFamily": client.device_family,
            "modelIdentifier": client.model_identifier,
            "mode": client.mode,
            "deviceId": params.device.id if params.device else None,
            "roles": [params.role or "operator"],
            "scopes": scopes or None,
            "instanceId": (params.device.id if params.device else None) or client.instance_id or key,
            "reason": "connect",
            "ts": self._clock.now_ms(),
            "text": f"Node: {host} · mode {client.mode}",
        }
        return {name: value for name, value in entry.items() if value is not None}


def entry_of(caller: Caller, now: int) -> JsonObject:
    """Return the entry of a client of which only its secret is known; `now` in milliseconds."""
    entry: JsonObject = {
        "host": RPC,
        "ip": None if caller.peer.is_local else caller.peer.address,
        "mode": "rpc",
        "deviceId": caller.device_id,
        "roles": [str(caller.role)],
        "scopes": sorted(caller.scopes) or None,
        "instanceId": caller.device_id or caller.conn_id,
        "reason": "connect",
        "ts": now,
        "text": f"Node: {RPC} · mode rpc",
    }
    return {name: value for name, value in entry.items() if value is not None}


def presence_key(params: ConnectParams, conn_id: str, protocol: int) -> str | None:
    """Return what a client is listed under, None for one that comes and goes.

    With version 4 every connection of an operator is listed, with version 3 every device.
    """
    if params.client.mode in _UNLISTED[min(protocol, V4)]:
        return None
    if protocol >= V4 and params.role != Role.NODE:
        return conn_id
    return (params.device.id if params.device else None) or params.client.instance_id or conn_id


def _self_entry() -> JsonObject:
    host = socket.gethostname()
    system = platform.system()
    return {
        "host": host,
        "version": __version__,
        "platform": f"{system.lower()} {platform.release()}",
        "deviceFamily": system,
        "modelIdentifier": platform.machine(),
        "mode": "gateway",
        "reason": "self",
        "text": f"Gateway: {host} · app {__version__} · mode gateway · reason self",
    }


def _ts(entry: JsonObject) -> int:
    value = entry.get("ts")
    return value if isinstance(value, int) else 0
