"""The agents of the configuration, as clients see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homarus.config.paths import StateDir
from homarus.gateway.services import AgentFacts, ConfigSource
from homarus.sessions.keys import MAIN

if TYPE_CHECKING:
    from homarus.config.agent_entry import AgentEntry
    from homarus.config.load import LoadedConfig


class ConfiguredAgents:
    """Implements AgentDirectory over the configuration in force; without any agent listed there is one, `main`."""

    def __init__(self, config: ConfigSource) -> None:
        self._config = config
        self._known: tuple[LoadedConfig, tuple[AgentFacts, ...]] | None = None

    def list(self) -> tuple[AgentFacts, ...]:
        """Return all agents; exactly one is the default."""
        loaded = self._config.current
        if self._known is None or self._known[0] is not loaded:
            self._known = loaded, self._read(loaded)
        return self._known[1]

    def _read(self, loaded: LoadedConfig) -> tuple[AgentFacts, ...]:
        agents = loaded.config.agents
        state = StateDir.resolve(loaded.env)
        model = agents.defaults.model
        shared = (model.primary, tuple(model.fallbacks)) if model is not None else (None, ())
        if not agents.list:
            folder = str(state.workspace(MAIN, loaded.config))
            return (AgentFacts(MAIN, is_default=True, workspace=folder, model=shared[0], fallbacks=shared[1]),)
        default = next((entry.id for entry in agents.list if entry.default), agents.list[0].id)
        return tuple(
            _facts(entry, shared, str(state.workspace(entry.id, loaded.config)), is_default=entry.id == default)
            for entry in agents.list
        )


def _facts(
    entry: AgentEntry, shared: tuple[str | None, tuple[str, ...]], workspace: str, *, is_default: bool
) -> AgentFacts:
    primary, fallbacks = (entry.model.primary, tuple(entry.model.fallbacks)) if entry.model is not None else shared
    identity = entry.identity
    named = {} if identity is None else {name: getattr(identity, name) for name in ("name", "theme", "emoji", "avatar")}
    return AgentFacts(
        id=entry.id.strip().lower(),
        is_default=is_default,
        name=entry.name,
        workspace=workspace,
        model=primary,
        fallbacks=fallbacks,
        identity={name: value for name, value in named.items() if value},
    )
