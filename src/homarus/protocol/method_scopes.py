"""What scope a call needs where one declaration does not say it: methods that are not built yet (reference 02, scope
column), and what version 4 changed, scopes that depend on the parameters included (v4-differences §6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from homarus.protocol.scopes import Scope
from homarus.protocol.versions import V4

NODE_METHODS: Final = frozenset(
    {
        "node.invoke.result",
        "node.event",
        "node.pending.drain",
        "node.canvas.capability.refresh",
        "node.pending.pull",
        "node.pending.ack",
        "skills.bins",
        "node.skills.update",
        "node.pluginTools.update",
        "node.runnerInventory.update",
    }
)
"""Methods only nodes may call."""

_READ = """
    agents.files.list agents.files.get config.schema.lookup
    doctor.memory.status doctor.memory.dreamDiary node.list node.describe sessions.usage sessions.usage.timeseries
    sessions.usage.logs skills.status skills.search skills.detail talk.config tools.effective tts.status tts.providers
    usage.status usage.cost voicewake.get
"""
_WRITE = """
    browser.request node.invoke node.pending.enqueue poll push.test sessions.create sessions.send sessions.steer
    sessions.abort talk.speak talk.mode tts.enable tts.disable tts.setProvider tts.convert voicewake.set
"""
_PAIRING = """
    device.pair.list device.pair.approve device.pair.reject device.pair.remove device.token.rotate device.token.revoke
    node.pair.request node.pair.list node.pair.approve node.pair.reject node.pair.verify node.rename
    device.pair.rename node.pair.remove
"""
_APPROVALS = """
    exec.approval.request exec.approval.get exec.approval.waitDecision exec.approval.resolve
    plugin.approval.request plugin.approval.waitDecision plugin.approval.resolve
    exec.approval.list plugin.approval.list
"""

_SCOPES: Final = {
    name: scope
    for names, scope in (
        (_READ, Scope.READ),
        (_WRITE, Scope.WRITE),
        (_PAIRING, Scope.PAIRING),
        (_APPROVALS, Scope.APPROVALS),
    )
    for name in names.split()
}


def scope_of(method: str) -> Scope | None:
    """Return the scope a method that is not built needs: admin unless the reference says otherwise."""
    return None if method in NODE_METHODS else _SCOPES.get(method, Scope.ADMIN)


SESSION_TARGETS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "chat.send": ("sessionKey",),
        "chat.abort": ("sessionKey", "runId"),
        "sessions.send": ("key",),
        "sessions.patch": ("key",),
        "sessions.delete": ("key",),
        "sessions.abort": ("key", "runId"),
    }
)
"""Methods that change a session, with the parameters of which one has to name it."""

Given = Mapping[str, object]
"""Parameters as sent, not yet checked."""

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


_CHANGED: Final[Mapping[str, Scope]] = MappingProxyType(
    {"config.schema": Scope.READ, "talk.speak": Scope.TALK, "talk.mode": Scope.TALK}
)
_DEPENDENT: Final[Mapping[str, Callable[[Given], Scope]]] = MappingProxyType(
    {"sessions.patch": _patch_scope, "sessions.delete": _delete_scope, "sessions.create": _create_scope}
)


def scope_of_call(protocol: int, method: str, declared: Scope | None, given: Callable[[], Given]) -> Scope | None:
    """Return the scope a call needs: the declared one, unless version 4 wants another or looks at the parameters."""
    if protocol < V4 or declared is None:
        return declared
    dependent = _DEPENDENT.get(method)
    return dependent(given()) if dependent is not None else _CHANGED.get(method, declared)
