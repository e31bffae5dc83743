"""Every operation and the module that declares it; the only place that names them all.

A module is loaded when one of its operations is first called, so that those nobody calls cost neither start nor memory.
A test holds this table against the declarations.
"""

from __future__ import annotations

<<<<<<< HEAD
from homarus.gateway.operations import (
    agent_admin,
    agent_files,
    agents,
    approvals,
    channels,
    chat,
    chat_history,
    chat_metadata,
    config,
    config_edit,
    config_schema,
    cron,
    devices,
    exec_approvals,
    health,
    heartbeats,
    messages,
    models,
    node_events,
    node_pairing,
    node_work,
    nodes,
    overview,
    send,
    session_list,
    session_runs,
    session_settings,
    session_watch,
    setup,
    skills,
    speech,
    system,
    talk,
    tools_invoke,
    usage,
)
=======
from typing import Final

>>>>>>> 4ac8799 (Load the module of an operation with its first call)
from homarus.gateway.operations.registry import Registry

OPERATIONS: Final = {
    "health": ("health", "status", "system-presence", "last-heartbeat", "gateway.identity.get", "logs.tail"),
    "channels": ("channels.status",),
    "config": ("config.reload", "config.get"),
    "models": ("models.list", "tools.catalog"),
    "agents": ("agent", "agent.wait", "agents.list", "agent.identity.get"),
    "sessions": (
        "sessions.list",
        "sessions.get",
        "sessions.preview",
        "sessions.resolve",
        "sessions.patch",
        "sessions.reset",
        "sessions.compact",
        "sessions.delete",
        "sessions.subscribe",
        "sessions.unsubscribe",
        "sessions.messages.subscribe",
        "sessions.messages.unsubscribe",
    ),
    "session_runs": ("sessions.create", "sessions.send", "sessions.abort"),
    "chat": ("chat.send", "chat.history", "chat.abort", "chat.inject"),
    "devices": (
        "device.pair.list",
        "device.pair.approve",
        "device.pair.reject",
        "device.pair.remove",
        "device.token.rotate",
        "device.token.revoke",
    ),
    "messages": ("messages.list", "messages.show", "messages.retry", "pairing.list", "pairing.approve", "login.link"),
    "send": ("send",),
    "overview": ("gateway.overview",),
    "nodes": (
        "node.list",
        "node.describe",
        "node.rename",
        "node.invoke",
        "node.invoke.result",
        "voicewake.get",
        "voicewake.set",
    ),
    "node_pairing": (
        "node.pair.request",
        "node.pair.list",
        "node.pair.approve",
        "node.pair.reject",
        "node.pair.verify",
    ),
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
        "plugin.approval.waitDecision",
        "plugin.approval.resolve",
    ),
    "exec_approvals": (
        "exec.approvals.get",
        "exec.approvals.set",
        "exec.approvals.node.get",
        "exec.approvals.node.set",
    ),
    "cron": ("wake", "cron.status", "cron.list", "cron.add", "cron.update", "cron.remove", "cron.run", "cron.runs"),
    "config_edit": ("config.set", "config.patch", "config.apply"),
    "agent_admin": ("agents.create", "agents.update", "agents.delete"),
    "agent_files": ("agents.files.list", "agents.files.get", "agents.files.set"),
    "skills": ("skills.status", "skills.bins", "skills.update", "skills.install"),
    "usage": ("sessions.usage", "sessions.usage.timeseries", "sessions.usage.logs", "usage.status", "usage.cost"),
    "config_schema": ("config.schema", "config.schema.lookup"),
    "system": (
        "system-event",
        "set-heartbeats",
        "tools.effective",
        "secrets.reload",
        "tts.status",
        "tts.providers",
        "talk.config",
    ),
}
"""Operations by module, in the order in which `features.methods` names them."""
UNLISTED: Final = frozenset(
    (
        "sessions.get",
        "sessions.resolve",
        "chat.inject",
        "exec.approval.list",
        "plugin.approval.list",
        "sessions.usage",
        "sessions.usage.timeseries",
        "sessions.usage.logs",
    )
)
"""Operations that `features.methods` does not name, as in the reference."""


def build_registry() -> Registry:
    """Return the registry of every operation."""
<<<<<<< HEAD
    return Registry.of_modules(
        (
            health,
            channels,
            config,
            models,
            agents,
            session_list,
            session_settings,
            session_watch,
            session_runs,
            chat,
            chat_history,
            chat_metadata,
            devices,
            setup,
            messages,
            send,
            overview,
            nodes,
            node_pairing,
            node_work,
            node_events,
            approvals,
            exec_approvals,
            cron,
            heartbeats,
            config_edit,
            agent_admin,
            agent_files,
            skills,
            usage,
            config_schema,
            system,
            tools_invoke,
            speech,
            talk,
        )
    )
=======
    return Registry(__package__, OPERATIONS, UNLISTED)
>>>>>>> 4ac8799 (Load the module of an operation with its first call)
