"""Scopes that depend on the parameters of a call (reference 02, scope column; v4-differences §6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from homarus.protocol.frames import as_object
from homarus.protocol.node_commands import is_admin_command
from homarus.protocol.scopes import Scope
from homarus.protocol.versions import V4

Given = Mapping[str, object]
"""Parameters as sent, not yet checked."""
Rule = Callable[[Given], tuple[Scope, ...]]
"""Tells every scope a call needs."""

RESETS: Final = frozenset({"/new", "/reset"})
"""Messages that begin a session anew."""

_PATCH_TARGET: Final = frozenset({"key", "agentId"})
_PATCH_HARMLESS: Final = frozenset(
    {
        "label",
        "autoLabel",
        "icon",
        "color",
        "category",
        "boardFace",
        "boardPresentation",
        "pinned",
        "archived",
        "unread",
        "model",
        "agentRuntime",
        "thinkingLevel",
        "fastMode",
        "permissionMode",
    }
)
_DELETE_HARMLESS: Final = frozenset({"key", "agentId", "deleteTranscript", "expectedSessionId", "archivedOnly"})
_CREATE_ADMIN: Final = frozenset({"incognito", "execNode", "toolOverrides"})
_FULL: Final = "full"


def _patch_scope(given: Given) -> Scope:
    """How a session looks and which model answers may be changed by who may write; its limits only by admins."""
    changed = {name for name in given if name not in _PATCH_TARGET and not name.startswith("expected")}
    is_harmless = changed <= _PATCH_HARMLESS and given.get("permissionMode") != _FULL
    return Scope.WRITE if is_harmless else Scope.ADMIN


def _delete_scope(given: Given) -> Scope:
    """Sessions that were put away may be deleted by who may write."""
    is_put_away = given.get("archivedOnly") is True and given.keys() <= _DELETE_HARMLESS
    return Scope.WRITE if is_put_away else Scope.ADMIN


def _create_scope(given: Given) -> Scope:
    wants_more = any(given.get(name) for name in _CREATE_ADMIN) or given.get("permissionMode") == _FULL
    return Scope.ADMIN if wants_more else Scope.WRITE


def _invoke_scope(given: Given) -> Scope:
    """Programs, files and pages of a node's browser are changed by admins only.

    That holds for version 3 as well, although its reference asks for less: a caller must not get around it by asking
    for the older version.
    """
    command = given.get("command")
    if not isinstance(command, str):
        return Scope.WRITE
    return Scope.ADMIN if is_admin_command(command, as_object(given.get("params"))) else Scope.WRITE


def _agent_scope(given: Given) -> Scope:
    """A session is begun anew by admins only."""
    message = given.get("message")
    words = message.split(maxsplit=1) if isinstance(message, str) else []
    return Scope.ADMIN if words and words[0].lower() in RESETS else Scope.WRITE


def _pairing_scope(given: Given) -> Scope:
    """Who may be let in by those who pair is no owner yet: that is for admins to say."""
    return Scope.ADMIN if given.get("bootstrapCommandOwner") else Scope.PAIRING


def _talk_scopes(given: Given) -> tuple[Scope, ...]:
    return (Scope.READ, Scope.TALK_SECRETS) if given.get("includeSecrets") else (Scope.READ,)


def _one(rule: Callable[[Given], Scope]) -> Rule:
    return lambda given: (rule(given),)


_ALWAYS: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "agent": _one(_agent_scope),
        "channels.pairing.approve": _one(_pairing_scope),
        "node.invoke": _one(_invoke_scope),
        "talk.config": _talk_scopes,
    }
)
_SINCE_V4: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "sessions.patch": _one(_patch_scope),
        "sessions.delete": _one(_delete_scope),
        "sessions.create": _one(_create_scope),
    }
)


def dependent_scopes(method: str, protocol: int) -> Rule | None:
    """Return what tells the scopes of a call from its parameters, None for a method that has one scope for all."""
    found = _ALWAYS.get(method)
    return found or (_SINCE_V4.get(method) if protocol >= V4 else None)
