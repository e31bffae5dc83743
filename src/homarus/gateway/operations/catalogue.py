"""The modules that make up the registry; the only place that names them all."""

from __future__ import annotations

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
    skills,
    system,
    tools_invoke,
    usage,
)
from homarus.gateway.operations.registry import Registry


def build_registry() -> Registry:
    """Return the registry of every operation."""
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
        )
    )
