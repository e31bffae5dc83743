"""Events: their names, who may receive them, and which a slow client misses (reference 03, v4-differences §7)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from homarus.protocol.names import CHALLENGE_EVENT
from homarus.protocol.scopes import Scope
from homarus.protocol.versions import V4

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
DEVICE_PAIR_CHANGED: Final = "device.pair.changed"
NODE_PAIR_REQUESTED: Final = "node.pair.requested"
NODE_PAIR_RESOLVED: Final = "node.pair.resolved"
VOICEWAKE_CHANGED: Final = "voicewake.changed"
VOICEWAKE_ROUTING_CHANGED: Final = "voicewake.routing.changed"
MODELS_SNAPSHOT: Final = "models.snapshot"
NODE_HOST_STATS: Final = "node.hostStats"
NODE_PRESENCE: Final = "node.presence"
NODE_INVENTORY_CHANGED: Final = "node.runnerInventory.changed"

_V3_NAMES: Final = (
    CHALLENGE_EVENT,
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
    CRON,
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
_NEW_NAMES: Final = """
    chat.metadata.changed models.snapshot ui.command session.approval session.observer session.operation session.sharing
    session.sharing.evidence session.suggestion session.typing controlUi.sessionPullRequests.changed
    plugins.controlUi.changed talk.event talk.voice.change gateway.suspension task task.suggestion node.presence
    node.hostStats node.runnerInventory.changed node.invoke.cancel node.invoke.input device.pair.changed
    device.pair.setup.completed device.pair.setup.deliveryUncertain users.prefs.changed skills.changed plugins.changed
    plugins.install.progress voicewake.routing.changed question.requested question.resolved openclaw.approval.requested
    openclaw.approval.resolved terminal.data terminal.exit update.run.changed portal.changed progressCard.changed
    mentions.changed
"""
EVENT_NAMES: Final[Mapping[int, tuple[str, ...]]] = MappingProxyType(
    {3: _V3_NAMES, V4: (*_V3_NAMES, *_NEW_NAMES.split())}
)
"""`features.events` of hello-ok by version: clients test for membership, so it lists what the protocol has."""


class EventRule(Struct, frozen=True):
    """How an event travels. `scope` None means every connection; `is_droppable` means a slow client misses it.

    `is_scoped` events belong to a session: clients that want only some sessions get only theirs.
    """

    scope: Scope | None = None
    is_droppable: bool = False
    is_scoped: bool = False


FOLLOWED: Final = frozenset({AGENT, CHAT})
"""Events that a node gets only of sessions it follows (reference 03, chat.subscribe)."""
_PAIRING = EventRule(Scope.PAIRING, is_droppable=True)
_APPROVALS = EventRule(Scope.APPROVALS, is_droppable=True)
_SESSIONS = EventRule(Scope.READ, is_droppable=True)
_SESSION = EventRule(Scope.READ, is_droppable=True, is_scoped=True)
_RUN = EventRule(Scope.READ, is_scoped=True)
_READ = EventRule(Scope.READ, is_droppable=True)
_TALK = EventRule(Scope.TALK, is_droppable=True)
_QUESTIONS = EventRule(Scope.QUESTIONS)
_ADMIN = EventRule(Scope.ADMIN)
_DROPPABLE = EventRule(is_droppable=True)
_PLAIN = EventRule()

_V3_RULES: Final[Mapping[str, EventRule]] = MappingProxyType(
    {
        TICK: _DROPPABLE,
        PRESENCE: _DROPPABLE,
        HEARTBEAT: _DROPPABLE,
        "update.available": _DROPPABLE,
        TALK_MODE: _DROPPABLE,
        VOICEWAKE_CHANGED: _DROPPABLE,
        CRON: _DROPPABLE,
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
_V4_RULES: Final[Mapping[str, EventRule]] = MappingProxyType(
    {
        AGENT: _RUN,
        CHAT: _RUN,
        "chat.side_result": _RUN,
        "chat.send_timing": _SESSION,
        "session.approval": EventRule(Scope.APPROVALS, is_scoped=True),
        SESSION_MESSAGE: _SESSION,
        SESSION_TOOL: _SESSION,
        SESSIONS_CHANGED: _SESSIONS,
        HEALTH: _PLAIN,
        SHUTDOWN: _PLAIN,
        "gateway.suspension": _PLAIN,
        HEARTBEAT: _DROPPABLE,
        TICK: _DROPPABLE,
        "update.available": _DROPPABLE,
        "talk.mode": _TALK,
        "talk.voice.change": _TALK,
        "talk.event": _READ,
        CRON: _READ,
        PRESENCE: _READ,
        "chat.metadata.changed": _READ,
        "task": _READ,
        "task.suggestion": _READ,
        "config.changed": _READ,
        "mentions.changed": _READ,
        "plugins.install.progress": _ADMIN,
        "update.run.changed": _ADMIN,
        NODE_PRESENCE: _READ,
        NODE_HOST_STATS: _READ,
        NODE_INVENTORY_CHANGED: _READ,
    }
)
_V4_FAMILIES: Final[Mapping[str, EventRule]] = MappingProxyType(
    {
        "session": _SESSION,
        "voicewake": _READ,
        "skills": _READ,
        "plugins": _READ,
        "board": _READ,
        "progressCard": _READ,
        "users": _READ,
        "device": _PAIRING,
        "node.pair": _PAIRING,
        "exec.approval": _APPROVALS,
        "plugin.approval": _APPROVALS,
        "openclaw.approval": _APPROVALS,
        "question": _QUESTIONS,
        "terminal": _ADMIN,
    }
)
"""Rules of whole families of version 4, by all but the last part of an event's name, or by its first part."""


def rule_of(event: str, protocol: int) -> EventRule | None:
    """Return how an event travels, None for one that nobody may have.

    What version 3 does not list goes to everybody; what version 4 does not know is withheld.
    """
    if protocol < V4:
        return _V3_RULES.get(event, _PLAIN)
    families = (event.rpartition(".")[0], event.partition(".")[0])
    return _V4_RULES.get(event) or next((_V4_FAMILIES[name] for name in families if name in _V4_FAMILIES), None)
