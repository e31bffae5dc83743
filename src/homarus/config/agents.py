"""`agents`: defaults and the list of agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from homarus.config.base import Many, Section, later, section

if TYPE_CHECKING:
    from homarus.config.agent_defaults import AgentDefaults
    from homarus.config.agent_entry import AgentEntry
else:
    AgentDefaults = later("agent_defaults", "AgentDefaults")
    AgentEntry = later("agent_entry", "AgentEntry")


class Agents(Section):
    """Agents and what they share."""

    defaults: AgentDefaults = section()
    """Settings every agent starts from."""
    list: Many[AgentEntry] = ()
    """The agents; without any there is one, `main`."""

    @property
    def default_id(self) -> str:
        """Return the id of the agent that takes what no binding claims."""
        marked = next((agent for agent in self.list if agent.default), self.list[0] if self.list else None)
        return "main" if marked is None else marked.id

    def entry(self, agent_id: str) -> AgentEntry | None:
        """Return the entry of an agent, None when it has none."""
        return next((agent for agent in self.list if agent.id == agent_id), None)

    def workspace_of(self, agent_id: str, *, is_default: bool) -> str | None:
        """Return the workspace the file names for an agent."""
        entry = self.entry(agent_id)
        if entry is not None and entry.workspace:
            return entry.workspace
        return self.defaults.workspace if is_default else None

    def effective(self, agent_id: str) -> AgentDefaults:
        """Return the defaults with what the agent's entry overrides laid over them."""
        entry = self.entry(agent_id)
        return self.defaults if entry is None else overlay(self.defaults, entry)


Base = TypeVar("Base", bound=Section)


def overlay(base: Base, over: Section) -> Base:
    """Return `base` with every field that `over` sets; sections are merged, anything else is replaced."""
    changed: dict[str, object] = {}
    for name in over.model_fields_set & type(base).model_fields.keys():
        upper, lower = getattr(over, name), getattr(base, name)
        is_section = isinstance(upper, Section) and isinstance(lower, Section)
        changed[name] = overlay(lower, upper) if is_section else upper
    return base.model_copy(update=changed)
