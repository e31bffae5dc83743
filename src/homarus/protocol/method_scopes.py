"""What scope a call needs where one declaration does not say it: methods that are not built yet (reference 02, scope
column), what version 4 changed (v4-differences §6), and scopes that depend on the parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from homarus.protocol.dependent_scopes import Given, dependent_scopes
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

_CHANGED: Final[Mapping[str, Scope]] = MappingProxyType(
    {"config.schema": Scope.READ, "talk.speak": Scope.TALK, "talk.mode": Scope.TALK}
)


def scopes_of_call(protocol: int, method: str, declared: Scope | None, given: Callable[[], Given]) -> tuple[Scope, ...]:
    """Return every scope a call needs: the declared one, unless version 4 wants another or the parameters want more."""
    if declared is None:
        return ()
    dependent = dependent_scopes(method, protocol)
    if dependent is not None:
        return dependent(given())
    return (_CHANGED.get(method, declared) if protocol >= V4 else declared,)
