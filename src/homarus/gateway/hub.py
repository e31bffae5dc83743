"""The event hub: encodes each event once per shape and hands it to every connection that may have it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from msgspec import Struct, field

from homarus.gateway.caller import Caller
from homarus.gateway.delta import Delta
from homarus.gateway.outbox import ClientOutbox
from homarus.protocol.events import FOLLOWED, rule_of
from homarus.protocol.frames import JsonObject, encode_event
from homarus.protocol.names import CAP_SESSION_EVENTS
from homarus.protocol.scopes import Role, has_scope
from homarus.protocol.versions import PROTOCOL_VERSIONS, V3, V4


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


class Shapes(Struct, frozen=True):
    """An event that looks different in the two versions; None where a version does not have it."""

    v3: JsonObject | None
    v4: JsonObject | None

    def of(self, protocol: int) -> JsonObject | None:
        """Return the payload for a version."""
        return self.v4 if protocol >= V4 else self.v3


def widened(payload: JsonObject, **more: object) -> Shapes:
    """Return an event that has more fields in version 4."""
    return Shapes(payload, {**payload, **more})


class _Audience(Struct):
    """Who gets an event in one version: `everything` whatever its session, `some` only what they asked for, `nodes`
    only of the sessions they follow."""

    everything: list[Subscriber] = field(default_factory=list[Subscriber])
    some: dict[str, Subscriber] = field(default_factory=dict[str, Subscriber])
    nodes: dict[str, Subscriber] = field(default_factory=dict[str, Subscriber])


_NOBODY: Final = _Audience()


class EventHub:
    """Connections after their handshake, and what they asked to hear."""

    def __init__(self) -> None:
        self._connections: dict[str, Subscriber] = {}
        self._audiences: dict[tuple[str, int], _Audience] = {}
        self._session_watchers: set[str] = set()
        self._message_watchers: dict[str, set[str]] = {}
        self._followers: dict[str, set[str]] = {}

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
        self._audiences.clear()

    def remove(self, conn_id: str) -> None:
        """Forget a connection and what it asked to hear."""
        self._connections.pop(conn_id, None)
        self._audiences.clear()
        self._session_watchers.discard(conn_id)
        for key in [key for key, ids in self._message_watchers.items() if conn_id in ids]:
            self.unwatch_messages(conn_id, key)
        for key in [key for key, ids in self._followers.items() if conn_id in ids]:
            self.unfollow(conn_id, key)

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

    def follow(self, conn_id: str, key: str) -> None:
        """Send a node what is said in a session; it hears of no other."""
        self._followers.setdefault(key, set()).add(conn_id)

    def unfollow(self, conn_id: str, key: str) -> None:
        """Stop sending a node what is said in a session."""
        followers = self._followers.get(key, set())
        followers.discard(conn_id)
        if not followers:
            self._followers.pop(key, None)

    def session_watchers(self) -> frozenset[str]:
        """Return who hears about all sessions."""
        return frozenset(self._session_watchers)

    def message_watchers(self, key: str) -> frozenset[str]:
        """Return who hears the messages of a session."""
        return frozenset(self._session_watchers | self._message_watchers.get(key, set()))

    def broadcast(
        self,
        event: str,
        payload: JsonObject | Shapes,
        state_version: JsonObject | None = None,
        *,
        session: str | None = None,
    ) -> None:
        """Send an event to every connection that may have it; `session` is the one it belongs to."""
        for version in PROTOCOL_VERSIONS:
            shape = payload.of(version) if isinstance(payload, Shapes) else payload
            if shape is not None:
                self._deliver(event, shape, self._targets(event, version, session), version, state_version)

    def send_to(self, conn_ids: Iterable[str], event: str, payload: JsonObject | Shapes) -> None:
        """Send an event to some connections, those of them that may have it."""
        wanted = set(conn_ids)
        for version in PROTOCOL_VERSIONS if wanted else ():
            shape = payload.of(version) if isinstance(payload, Shapes) else payload
            if shape is not None:
                session = shape.get("sessionKey")
                targets = self._targets(event, version, session if isinstance(session, str) else None)
                chosen = [target for target in targets if target.caller.conn_id in wanted]
                self._deliver(event, shape, chosen, version, None)

    def tell(self, conn_id: str, event: str, payload: object) -> None:
        """Send one connection an event that is meant for it alone: no guard asks, and it has no number."""
        target = self._connections.get(conn_id)
        if target is not None:
            target.outbox.put(_encoded(event, payload) + b"}")

    def stream(self, delta: Delta, session: str, version: int) -> None:
        """Send a piece of text to the connections of a version that may have it.

        A client of version 3 that is full misses it, as the next one holds all text; version 4 puts pieces together.
        """
        for target in self._targets(delta.event, version, session):
            if version >= V4:
                target.outbox.put_delta(delta)
            elif not target.outbox.is_full:
                target.outbox.put_numbered(delta.encoded)

    def _targets(self, event: str, version: int, session: str | None) -> list[Subscriber]:
        audience = self._audiences.get((event, version))
        if audience is None:
            audience = self._audiences[event, version] = self._audience(event, version)
        if session is None or not (audience.some or audience.nodes):
            return audience.everything
        watchers, followers = self._message_watchers.get(session, ()), self._followers.get(session, ())
        chosen = (audience.some[conn] for conn in watchers if conn in audience.some)
        return [*audience.everything, *chosen, *(audience.nodes[conn] for conn in followers if conn in audience.nodes)]

    def _audience(self, event: str, version: int) -> _Audience:
        """Return who may have an event; remembered until somebody comes or goes."""
        rule = rule_of(event, version)
        if rule is None:
            return _NOBODY
        audience = _Audience()
        for conn_id, each in self._connections.items():
            caller = each.caller
            if caller.protocol != version:
                continue
            if caller.role == Role.NODE and event in FOLLOWED:
                audience.nodes[conn_id] = each
                continue
            if not may_receive(caller, event):
                continue
            if rule.is_scoped and CAP_SESSION_EVENTS in caller.caps:
                audience.some[conn_id] = each
            else:
                audience.everything.append(each)
        return audience

    def _deliver(
        self,
        event: str,
        payload: JsonObject,
        targets: list[Subscriber],
        version: int,
        state_version: JsonObject | None,
    ) -> None:
        """Numbers count per connection and only what is sent; from version 4 on also what a slow client misses."""
        if not targets:
            return
        rule = rule_of(event, version)
        is_droppable = rule is not None and rule.is_droppable
        encoded = _encoded(event, payload, state_version)
        for target in targets:
            outbox = target.outbox
            if not (is_droppable and outbox.is_full):
                outbox.put_numbered(encoded)
            elif version > V3:
                outbox.skip()


def may_receive(caller: Caller, event: str) -> bool:
    """Tell whether an event may go to a connection: guarded ones only to operators with the scope."""
    rule = rule_of(event, caller.protocol)
    if rule is None or rule.scope is None:
        return rule is not None
    return caller.role == Role.OPERATOR and has_scope(caller.scopes, rule.scope)


def _encoded(event: str, payload: object, state_version: JsonObject | None = None) -> bytes:
    """Return an event's frame without its closing brace."""
    return encode_event(event, payload, state_version)[:-1].encode("utf-8", "backslashreplace")
