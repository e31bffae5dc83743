"""The skills of agents: what lies in their workspaces, judged against the configuration and this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from homarus.agent.skills.eligibility import Surroundings, Verdict, check
from homarus.agent.skills.shelf import SkillShelf
from homarus.agent.skills.skill import Skill
from homarus.ids import AgentId

if TYPE_CHECKING:
    from homarus.config.load import LoadedConfig


class JudgedSkill(Struct, frozen=True):
    """A skill and whether it can be used; `is_blocked` means the agent's own list leaves it out."""

    skill: Skill
    verdict: Verdict
    is_blocked: bool

    @property
    def is_usable(self) -> bool:
        """Tell whether the agent may use it."""
        return self.verdict.is_eligible and not self.is_blocked


class AgentSkills:
    """Finds and judges skills. All methods block on the file system."""

    def __init__(self, config: Callable[[], LoadedConfig]) -> None:
        self._config = config
        self._shelf = SkillShelf()

    def all(self, agent_id: str, workspace: Path) -> tuple[JudgedSkill, ...]:
        """Return every skill of an agent's workspace, by name."""
        loaded = self._config()
        section = loaded.config.skills or {}
        around = Surroundings(section, loaded.parsed, loaded.env)
        allowed = loaded.config.agents.effective(AgentId(agent_id)).skills
        return tuple(
            JudgedSkill(skill, check(skill, around), allowed is not None and skill.name not in allowed)
            for skill in self._shelf.skills(workspace)
        )

    def listed(self, agent_id: str, workspace: Path) -> tuple[Skill, ...]:
        """Return the skills an agent is told about."""
        found = self.all(agent_id, workspace)
        return tuple(each.skill for each in found if each.is_usable and each.skill.is_for_models)
