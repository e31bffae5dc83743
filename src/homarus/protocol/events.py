"""Events: their names, who may receive them, and which are dropped for a slow client (reference 03)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from homarus.protocol.scopes import Scope

AGENT: Final = "agent"
CHAT: Final = "chat"
CRON: Final = "cron"
HEALTH: Final = "health"
HEARTBEAT: Final = "heartbeat"
PRESENCE: Final = "presence"
SESSION_MESSAGE: Final = "session.message"
SESSION_TOOL: Final = "session.tool"
SESSIONS_CHANGED: Final = "sessions.changed"
SHUTDOWN: Final = "shutdown"
TALK_MODE: Final = "talk.mode"
TICK: Final = "tick"
DEVICE_PAIR_REQUESTED: Final = "device.pair.requested"
DEVICE_PAIR_RESOLVED: Final = "device.pair.resolved"
NODE_PAIR_REQUESTED: Final = "node.pair.requested"
NODE_PAIR_RESOLVED: Final = "node.pair.resolved"
VOICEWAKE_CHANGED: Final = "voicewake.changed"

EVENT_NAMES: Final = (
    "connect.challenge",
    AGENT,
    CHAT,
    SESSION_MESSAGE,
    SESSION_TOOL,
    SESSIONS_CHANGED,
    PRESENCE,
    TICK,
    TALK_MODE,
    SHUTDOWN,
    HEALTH,
    HEARTBEAT,
    "cron",
    NODE_PAIR_REQUESTED,
    NODE_PAIR_RESOLVED,
    "node.invoke.request",
    DEVICE_PAIR_REQUESTED,
    DEVICE_PAIR_RESOLVED,
    VOICEWAKE_CHANGED,
    "exec.approval.requested",
    "exec.approval.resolved",
    "plugin.approval.requested",
    "plugin.approval.resolved",
    "update.available",
)
"""`features.events` of hello-ok: clients test for membership, so it lists what the protocol has."""


@dataclass(frozen=True, slots=True)
class EventRule:
    """How an event travels. `scope` None means every connection; `is_droppable` means a slow client misses it."""

    scope: Scope | None = None
    is_droppable: bool = False


_PAIRING = EventRule(Scope.PAIRING, is_droppable=True)
_APPROVALS = EventRule(Scope.APPROVALS, is_droppable=True)
_SESSIONS = EventRule(Scope.READ, is_droppable=True)
_DROPPABLE = EventRule(is_droppable=True)
_PLAIN = EventRule()

EVENT_RULES: Final[Mapping[str, EventRule]] = MappingProxyType(
    {
        TICK: _DROPPABLE,
        PRESENCE: _DROPPABLE,
        HEARTBEAT: _DROPPABLE,
        "update.available": _DROPPABLE,
        TALK_MODE: _DROPPABLE,
        VOICEWAKE_CHANGED: _DROPPABLE,
        "cron": _DROPPABLE,
        SESSIONS_CHANGED: _SESSIONS,
        SESSION_MESSAGE: _SESSIONS,
        SESSION_TOOL: _SESSIONS,
        DEVICE_PAIR_REQUESTED: _PAIRING,
        DEVICE_PAIR_RESOLVED: _PAIRING,
        NODE_PAIR_REQUESTED: _PAIRING,
        NODE_PAIR_RESOLVED: _PAIRING,
        "exec.approval.requested": _APPROVALS,
        "exec.approval.resolved": _APPROVALS,
        "plugin.approval.requested": _APPROVALS,
        "plugin.approval.resolved": _APPROVALS,
    }
)


def rule_of(event: str) -> EventRule:
    """Return how an event travels; unlisted ones go to everybody and are never dropped."""
    return EVENT_RULES.get(event, _PLAIN)
