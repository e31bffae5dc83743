"""Every operation and the module that declares it; the only place that names them all.

A module is loaded when one of its operations is first called, so that those nobody calls cost neither start nor memory.
A test holds this table against the declarations.
"""

from __future__ import annotations

from typing import Final

from homarus.gateway.operations.registry import Registry

OPERATIONS: Final = {
    "health": ("health", "status", "system-presence", "gateway.identity.get", "logs.tail"),
    "channels": ("channels.status",),
    "config": ("config.reload", "config.get"),
    "models": ("models.list", "tools.catalog"),
    "agents": ("agent", "agent.wait", "agents.list", "agent.identity.get"),
    "session_list": ("sessions.list", "sessions.describe", "sessions.get", "sessions.preview", "sessions.resolve"),
    "session_settings": ("sessions.patch", "sessions.reset", "sessions.compact", "sessions.delete"),
    "session_watch": (
        "sessions.subscribe",
        "sessions.unsubscribe",
        "sessions.messages.subscribe",
        "sessions.messages.unsubscribe",
    ),
    "session_views": (
        "sessions.branches.list",
        "sessions.viewers.set",
        "sessions.observer.visibility",
        "sessions.companion.state",
        "progressCard.get",
    ),
    "session_runs": ("sessions.create", "sessions.send", "sessions.steer", "sessions.abort"),
    "chat": ("chat.send", "chat.abort", "chat.inject"),
    "chat_history": ("chat.history", "chat.startup", "chat.message.get"),
    "chat_metadata": ("chat.metadata", "commands.list"),
    "devices": (
        "device.pair.list",
        "device.pair.approve",
        "device.pair.reject",
        "device.pair.remove",
        "device.pair.rename",
        "device.token.rotate",
        "device.token.revoke",
    ),
    "setup": ("device.pair.setupCode",),
    "messages": ("messages.list", "messages.show", "messages.retry", "pairing.list", "pairing.approve", "login.link"),
    "send": ("send",),
    "poll": ("poll",),
    "message_actions": ("message.action",),
    "overview": ("gateway.overview",),
    "nodes": (
        "node.list",
        "node.describe",
        "node.rename",
        "node.invoke",
        "node.invoke.result",
    ),
    "voicewake": ("voicewake.get", "voicewake.set", "voicewake.routing.get", "voicewake.routing.set"),
    "browser": ("browser.request",),
    "node_pairing": (
        "node.pair.request",
        "node.pair.list",
        "node.pair.approve",
        "node.pair.reject",
        "node.pair.remove",
        "node.pair.verify",
    ),
    "node_publications": ("node.skills.update", "node.pluginTools.update", "node.runnerInventory.update"),
    "node_work": (
        "node.pending.pull",
        "node.pending.ack",
        "node.pending.drain",
        "node.pending.enqueue",
        "node.canvas.capability.refresh",
    ),
    "node_events": ("node.event",),
    "approvals": (
        "exec.approval.request",
        "exec.approval.get",
        "exec.approval.list",
        "exec.approval.waitDecision",
        "exec.approval.resolve",
        "plugin.approval.request",
        "plugin.approval.list",
        "openclaw.approval.list",
        "question.list",
        "plugin.approval.waitDecision",
        "plugin.approval.resolve",
    ),
    "exec_approvals": (
        "exec.approvals.get",
        "exec.approvals.set",
        "exec.approvals.node.get",
        "exec.approvals.node.set",
    ),
    "cron": ("cron.status", "cron.list", "cron.get", "cron.add", "cron.update", "cron.remove", "cron.run", "cron.runs"),
    "heartbeats": ("last-heartbeat", "set-heartbeats", "wake", "system-event"),
    "tasks": ("tasks.list", "tasks.get"),
    "preferences": ("users.prefs.get", "users.prefs.set"),
    "host": ("system.info", "update.status", "models.authStatus"),
    "config_edit": ("config.set", "config.patch", "config.apply"),
    "agent_admin": ("agents.create", "agents.update", "agents.delete"),
    "agent_files": ("agents.files.list", "agents.files.get", "agents.files.set"),
    "skills": ("skills.status", "skills.bins", "skills.update"),
    "skill_library": ("skills.search", "skills.detail", "skills.install"),
    "memory_health": ("doctor.memory.status", "doctor.memory.dreamDiary"),
    "secrets": ("secrets.resolve",),
    "upkeep": ("update.run", "channels.logout", "config.openFile"),
    "wizard": ("wizard.start", "wizard.next", "wizard.cancel", "wizard.status"),
    "usage": ("sessions.usage", "sessions.usage.timeseries", "sessions.usage.logs", "usage.status", "usage.cost"),
    "config_schema": ("config.schema", "config.schema.lookup"),
    "system": ("tools.effective", "secrets.reload"),
    "tools_invoke": ("tools.invoke",),
    "speech": ("tts.status", "tts.providers", "tts.enable", "tts.disable", "tts.setProvider", "tts.convert"),
    "extensions": ("plugins.list", "plugins.catalog.browse", "skills.library.list", "themes.list", "artifacts.list"),
    "environments": ("environments.list", "diagnostics.lanes"),
    "channel_pairing": ("channels.pairing.list", "channels.pairing.approve", "channels.pairing.dismiss"),
    "approval_history": ("approval.history", "exec.approval.grants.list"),
    "session_cleanup": ("sessions.cleanup",),
    "talk": ("talk.config", "talk.catalog", "talk.mode", "talk.speak"),
}
"""Operations by module, in the order in which `features.methods` names them."""
UNLISTED: Final = frozenset(
    (
        "poll",
        "sessions.get",
        "sessions.resolve",
        "sessions.steer",
        "chat.inject",
        "config.openFile",
        "exec.approval.list",
        "plugin.approval.list",
        "sessions.usage",
        "sessions.usage.timeseries",
        "sessions.usage.logs",
        "device.pair.setupCode",
        "node.runnerInventory.update",
        "openclaw.approval.list",
        "progressCard.get",
        "sessions.companion.state",
    )
)
"""Operations that `features.methods` does not name, as in the reference."""


def build_registry() -> Registry:
    """Return the registry of every operation."""
    return Registry(__name__.rpartition(".")[0], OPERATIONS, UNLISTED)
