"""Which nodes are connected now."""

from __future__ import annotations

from collections import deque
from typing import Final

from msgspec import Struct, field

MAX_SUBSCRIPTIONS: Final = 64
"""Sessions one node may follow."""
MAX_RUNS: Final = 30
RUN_WINDOW: Final = 60.0
"""Runs one node may start in so many seconds."""
REPEAT_WINDOW: Final = 1.5
"""Seconds within which the same transcript is a repetition (reference nodes §8)."""


class NodeFacts(Struct, frozen=True):
    """What a node says about itself; None for what it does not say."""

    client_id: str
    client_mode: str
    platform: str
    version: str
    display_name: str | None = None
    device_family: str | None = None
    model_identifier: str | None = None
    remote_ip: str | None = None
    path_env: str | None = None
    caps: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    permissions: dict[str, bool] | None = None

    def record(self) -> dict[str, object]:
        """Return the facts that are stored with a pairing, absent ones left out."""
        facts: dict[str, object | None] = {
            "clientId": self.client_id,
            "clientMode": self.client_mode,
            "displayName": self.display_name,
            "platform": self.platform,
            "version": self.version,
            "deviceFamily": self.device_family,
            "modelIdentifier": self.model_identifier,
            "remoteIp": self.remote_ip,
            "caps": list(self.caps),
            "commands": list(self.commands),
            "permissions": self.permissions,
        }
        return {name: value for name, value in facts.items() if value is not None}


class NodeSession(Struct, frozen=True):
    """A connected node. `facts.commands` are those it may be asked for; `connected_at` in milliseconds.

    `declared` are the facts as they will be once all of them are approved; `published` is what the node told of itself
    since it came, by kind.
    """

    node_id: str
    conn_id: str
    facts: NodeFacts
    connected_at: int
    declared: NodeFacts
    published: dict[str, object] = field(default_factory=dict[str, object])
    subscriptions: set[str] = field(default_factory=set[str])
    _runs: deque[float] = field(default_factory=lambda: deque[float](maxlen=MAX_RUNS))
    _heard: dict[str, tuple[str, float]] = field(default_factory=dict[str, tuple[str, float]])

    def subscribe(self, session_key: str) -> bool:
        """Follow a session; False when the node follows too many."""
        if len(self.subscriptions) >= MAX_SUBSCRIPTIONS and session_key not in self.subscriptions:
            return False
        self.subscriptions.add(session_key)
        return True

    def may_run(self, now: float) -> bool:
        """Count a run the node starts at `now` (monotonic seconds); False when there were too many of late."""
        if len(self._runs) == MAX_RUNS and now - self._runs[0] < RUN_WINDOW:
            return False
        self._runs.append(now)
        return True

    def has_heard(self, session_key: str, fingerprint: str, now: float) -> bool:
        """Tell whether a transcript only repeats the last one of a session, and remember it."""
        before = self._heard.pop(session_key, None)
        while len(self._heard) >= MAX_SUBSCRIPTIONS:
            self._heard.pop(next(iter(self._heard)))
        self._heard[session_key] = (fingerprint, now)
        return before is not None and before[0] == fingerprint and now - before[1] < REPEAT_WINDOW


class NodeRegistry:
    """Connected nodes by id. A second connection of a node takes its place."""

    def __init__(self) -> None:
        self._by_id: dict[str, NodeSession] = {}
        self._by_conn: dict[str, NodeSession] = {}

    def add(self, session: NodeSession) -> None:
        """Let a node be found from now on."""
        self._by_id[session.node_id] = session
        self._by_conn[session.conn_id] = session

    def remove(self, conn_id: str) -> NodeSession | None:
        """Forget a connection; the node stays when another of its connections has taken its place."""
        session = self._by_conn.pop(conn_id, None)
        if session is not None and self._by_id.get(session.node_id) is session:
            del self._by_id[session.node_id]
        return session

    def get(self, node_id: str) -> NodeSession | None:
        """Return a connected node."""
        return self._by_id.get(node_id)

    def of_connection(self, conn_id: str) -> NodeSession | None:
        """Return the node of a connection."""
        return self._by_conn.get(conn_id)

    def list(self) -> tuple[NodeSession, ...]:
        """Return every connected node."""
        return tuple(self._by_id.values())
