"""Protocol versions and their negotiation."""

from __future__ import annotations

from typing import Final

V3: Final = 3
V4: Final = 4
PROTOCOL_VERSIONS: Final = (V3, V4)
"""Versions this gateway speaks, oldest first; each connection has its own."""
REMOVED_IN_V4: Final = frozenset(
    {"sessions.unsubscribe", "node.pair.request", "node.pair.verify", "node.canvas.capability.refresh"}
)
"""Methods of version 3 that version 4 does not have (v4-differences §9)."""

NEW_IN_V4: Final = frozenset(
    {
        "approval.history",
        "artifacts.list",
        "channels.pairing.approve",
        "channels.pairing.dismiss",
        "channels.pairing.list",
        "chat.message.get",
        "chat.metadata",
        "chat.startup",
        "commands.list",
        "cron.get",
        "device.pair.rename",
        "device.pair.setupCode",
        "diagnostics.lanes",
        "environments.list",
        "exec.approval.grants.list",
        "message.action",
        "models.authStatus",
        "node.pair.remove",
        "node.pluginTools.update",
        "node.runnerInventory.update",
        "node.skills.update",
        "openclaw.approval.list",
        "plugins.catalog.browse",
        "plugins.list",
        "progressCard.get",
        "question.list",
        "sessions.branches.list",
        "sessions.companion.state",
        "sessions.describe",
        "sessions.observer.visibility",
        "sessions.viewers.set",
        "skills.library.list",
        "system.info",
        "talk.catalog",
        "tasks.get",
        "tasks.list",
        "themes.list",
        "tools.invoke",
        "update.status",
        "users.prefs.get",
        "users.prefs.set",
        "voicewake.routing.get",
        "voicewake.routing.set",
    }
)
"""Methods of version 4 that version 3 does not know: its clients are told so, as they were before."""


def exists_in(method: str, protocol: int) -> bool:
    """Tell whether a version has a method, as far as versions differ."""
    return method not in (REMOVED_IN_V4 if protocol >= V4 else NEW_IN_V4)


def negotiate(minimum: int, maximum: int) -> int | None:
    """Return the newest version both sides speak, None when there is none.

    A client that also speaks versions before 3 was made when 3 was the newest, and gets that.
    """
    if minimum < V3 <= maximum:
        return V3
    common = [version for version in PROTOCOL_VERSIONS if minimum <= version <= maximum]
    return common[-1] if common else None
