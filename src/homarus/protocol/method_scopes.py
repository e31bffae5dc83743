"""Scopes of methods that are not built yet, so that a refusal names the right scope (reference 02, scope column)."""

from __future__ import annotations

from typing import Final

from homarus.protocol.scopes import Scope

NODE_METHODS: Final = frozenset(
    {
        "node.invoke.result",
        "node.event",
        "node.pending.drain",
        "node.canvas.capability.refresh",
        "node.pending.pull",
        "node.pending.ack",
        "skills.bins",
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
