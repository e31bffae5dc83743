"""The modules that make up the registry; the only place that names them all."""

from __future__ import annotations

from homarus.gateway.operations import (
    agents,
    channels,
    chat,
    config,
    devices,
    health,
    messages,
    models,
    overview,
    send,
    session_runs,
    sessions,
)
from homarus.gateway.operations.registry import Registry


def build_registry() -> Registry:
    """Return the registry of every operation."""
    return Registry.of_modules(
        (health, channels, config, models, agents, sessions, session_runs, chat, devices, messages, send, overview)
    )
