"""The event hub: encodes each event once and hands it to every connection that may have it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from homarus.gateway.caller import Caller
from homarus.gateway.outbox import ClientOutbox
from homarus.protocol.events import EventRule, rule_of
from homarus.protocol.frames import JsonObject, encode_event
from homarus.protocol.scopes import Role, has_scope


class Subscriber(Protocol):
    """A connection as the hub sees it."""

    @property
    def caller(self) -> Caller:
        """Return who is connected."""
        ...

    @property
    def outbox(self) -> ClientOutbox:
        """Return what waits for it."""
        ...

    def disconnect(self, code: int, reason: str) -> None:
        """Close it soon, with a close code; never waits."""
        ...


class EventHub:
    """Connections after their handshake, and what they asked to hear."""

    def __init__(self) -> None:
        self._connections: dict[str, Subscriber] = {}
        self._session_watchers: set[str] = set()
        self._message_watchers: dict[str, set[str]] = {}

    @property
    def connections(self) -> tuple[Subscriber, ...]:
        """Return every connection."""
        return tuple(self._connections.values())

    @property
    def has_session_watchers(self) -> bool:
        """Tell whether anybody wants session events; nobody does on an idle gateway."""
        return bool(self._session_watchers or self._message_watchers)

    def add(self, connection: Subscriber) -> None:
        """Let a connection have events from now on."""
        self._connections[connection.caller.conn_id] = connection

    def remove(self, conn_id: str) -> None:
        """Forget a connection and what it asked to hear."""
        self._connections.pop(conn_id, None)
        self._session_watchers.discard(conn_id)
        for key in [key for key, ids in self._message_watchers.items() if conn_id in ids]:
            self.unwatch_messages(conn_id, key)

    def watch_sessions(self, conn_id: str) -> None:
        """Send a connection the events of all sessions."""
        self._session_watchers.add(conn_id)

    def unwatch_sessions(self, conn_id: str) -> None:
        """Stop sending a connection the events of all sessions."""
        self._session_watchers.discard(conn_id)

    def watch_messages(self, conn_id: str, key: str) -> None:
        """Send a connection the messages of one session."""
        self._message_watchers.setdefault(key, set()).add(conn_id)

    def unwatch_messages(self, conn_id: str, key: str) -> None:
        """Stop sending a connection the messages of one session."""
        watchers = self._message_watchers.get(key, set())
        watchers.discard(conn_id)
        if not watchers:
            self._message_watchers.pop(key, None)

    def session_watchers(self) -> frozenset[str]:
        """Return who hears about all sessions."""
        return frozenset(self._session_watchers)

    def message_watchers(self, key: str) -> frozenset[str]:
        """Return who hears the messages of a session."""
        return frozenset(self._session_watchers | self._message_watchers.get(key, set()))

    def broadcast(self, event: str, payload: object, state_version: JsonObject | None = None) -> None:
        """Send an event to every connection that may have it."""
        self._deliver(event, payload, self._connections.values(), rule_of(event), state_version)

    def send_to(self, conn_ids: Iterable[str], event: str, payload: object) -> None:
        """Send an event to some connections, those of them that may have it."""
        targets = [self._connections[conn_id] for conn_id in conn_ids if conn_id in self._connections]
        if targets:
            self._deliver(event, payload, targets, rule_of(event), None)

    def drop_deltas(self, event: str, payload: object) -> None:
        """Broadcast an event whose loss a later one makes good, so a slow client misses it."""
        self._deliver(event, payload, self._connections.values(), EventRule(is_droppable=True), None)

    def _deliver(
        self,
        event: str,
        payload: object,
        targets: Iterable[Subscriber],
        rule: EventRule,
        state_version: JsonObject | None,
    ) -> None:
        """Numbers count per connection and only what is sent, so no client ever sees a gap."""
        encoded: bytes | None = None
        for target in targets:
            if not may_receive(target.caller, rule) or (rule.is_droppable and target.outbox.is_full):
                continue
            if encoded is None:
                encoded = encode_event(event, payload, state_version)[:-1].encode("utf-8", "backslashreplace")
            target.outbox.put_numbered(encoded)


def may_receive(caller: Caller, rule: EventRule) -> bool:
    """Tell whether an event may go to a connection: guarded ones only to operators with the scope."""
    if rule.scope is None:
        return True
    return caller.role == Role.OPERATOR and has_scope(caller.scopes, rule.scope)
