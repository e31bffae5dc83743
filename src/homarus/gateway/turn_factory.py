"""Makes the turn of a run: model, workspace, prompt and tools of its agent."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from homarus.agent.loop import Turn
from homarus.agent.prompt import PromptSource, read_prompt_files, render_prompt
from homarus.agent.prompt_report import Prompted
from homarus.agent.skills.listing import render_skills
from homarus.agent.skills.seeding import seed_workspace
from homarus.agent.skills.skill import Skill
from homarus.clock import Clock
from homarus.config.load import LoadedConfig
from homarus.config.paths import StateDir
from homarus.config.schema import Config
from homarus.errors import UserError
from homarus.gateway.agent_skills import AgentSkills
from homarus.gateway.prompt_ledger import PromptLedger
from homarus.ids import AgentId
from homarus.models.catalogue import Catalogue
from homarus.models.contract import Model, ToolSpec
from homarus.pipeline.run_store import Begun

if TYPE_CHECKING:
    from homarus.gateway.toolkit import Toolkit
from homarus.tools.policy import ToolPolicy

DEFAULT_TIMEOUT = 600.0
_LOCALTIME = "/etc/localtime"
GROUP_NOTE = "This is a group chat. Several people write; each message begins with its speaker. Answer when addressed."


class AgentTurns:
    """Implements homarus.pipeline.turns.TurnFactory."""

    def __init__(
        self,
        config: Callable[[], LoadedConfig],
        state: StateDir,
        models: Catalogue,
        specs: Callable[[AgentId], tuple[ToolSpec, ...]],
        clock: Clock,
        describe: Callable[[str], Awaitable[str]],
        skills: AgentSkills,
        ledger: PromptLedger,
        *,
        is_sandboxed: bool,
    ) -> None:
        self._config = config
        self._state = state
        self._models = models
        self._specs = specs
        self._clock = clock
        self._describe = describe
        self._skills = skills
        self._ledger = ledger
        self._is_sandboxed = is_sandboxed

    async def make(self, begun: Begun) -> Turn:
        """Return the turn. Raises UserError when its model or agent does not exist."""
        config = self._config().config
        info, origin = begun.info, begun.origin
        agent_id = info.agent_id
        _check_agent(config, agent_id)
        workspace = self._state.workspace(agent_id, config)
        files, skills = await asyncio.to_thread(self._prepare, agent_id, workspace)
        skills = _chosen(skills, origin.get("skills"))
        if origin.get("light"):
            files = {}
        limits = config.agents.effective(agent_id)
        source = PromptSource(
            name=agent_name(config, agent_id),
            workspace=workspace,
            zone=zone_name(config),
            extra=_extra(begun),
            max_file_chars=limits.bootstrap_max_chars,
            max_total_chars=limits.bootstrap_total_max_chars,
            skills=render_skills(skills),
        )
        policy = _tool_policy(origin.get("tools"))
        model, tools, system = self._model(begun, config), self._specs(agent_id), render_prompt(source, files)
        if policy is not None:
            tools = tuple(spec for spec in tools if policy.is_allowed(spec.name))
        prompted = Prompted(source, files, system, skills, tools, model.info, self._is_sandboxed)
        await self._ledger.note(info, prompted)
        return Turn(
            run_id=info.run_id,
            agent_id=agent_id,
            session_key=info.session_key,
            workspace=workspace,
            model=model,
            system=system,
            tools=tools,
            address=info.address,
            thinking=_text(origin.get("thinking")) or _text(begun.settings.get("thinkingLevel")),
            is_resumed=begun.starts > 1,
            context_tokens=limits.context_tokens,
            tool_policy=policy,
        )

    def workspace(self, agent_id: AgentId) -> Path:
        """Return the folder of an agent's files."""
        return self._state.workspace(agent_id, self._config().config)

    def _prepare(self, agent_id: AgentId, workspace: Path) -> tuple[dict[str, str], tuple[Skill, ...]]:
        """Make the workspace; read its prompt files and skills. Raises UserError when it cannot be used."""
        try:
            workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
            seed_workspace(workspace)
            return read_prompt_files(workspace), self._skills.listed(agent_id, workspace)
        except OSError as error:
            raise UserError(
                f"the workspace {workspace} cannot be used: {error.strerror or error}",
                fix="make it a folder this user may write, or set agents.defaults.workspace to another one",
            ) from error

    def _model(self, begun: Begun, config: Config) -> Model:
        """Return the model the caller or the session asks for, else the agent's own with its fallbacks."""
        asked = _text(begun.origin.get("model")) or _text(begun.settings.get("modelOverride"))
        return self._models.resolve(asked) if asked is not None else self.model_of(begun.info.agent_id, config)

    def model_of(self, agent_id: AgentId, config: Config | None = None) -> Model:
        """Return the model of an agent with its fallbacks. Raises UserError when it does not exist."""
        entry = (config or self._config().config).agents.entry(agent_id)
        own = entry.model if entry is not None else None
        if own is None or own.primary is None:
            return self._models.resolve(None)
        return self._models.chain([own.primary, *own.fallbacks])

    def timeout(self, begun: Begun) -> float:
        """Return how long the turn may take: as asked, as configured, else DEFAULT_TIMEOUT seconds."""
        asked = begun.origin.get("timeout")
        if isinstance(asked, int | float) and asked > 0:
            return float(asked)
        return float(self._config().config.agents.defaults.timeout_seconds or DEFAULT_TIMEOUT)

    async def status(self, begun: Begun) -> str:
        """Return version, time, model, tokens and channels as short lines."""
        return await self._describe(begun.info.session_key)

    def zone(self) -> tzinfo:
        """Return the owner's time zone."""
        return zone_of(self._config().config)

    def stamp(self, at_ms: int) -> str:
        """Return the time a user's message carries, e.g. `[Sat 2026-11-21 00:12 UTC]`."""
        moment = datetime.fromtimestamp(at_ms / 1000, zone_of(self._config().config))
        return moment.strftime("[%a %Y-%m-%d %H:%M %Z]")


def turns_of(
    config: Callable[[], LoadedConfig],
    state: StateDir,
    models: Catalogue,
    toolkit: Toolkit,
    clock: Clock,
    skills: AgentSkills,
    ledger: PromptLedger,
) -> AgentTurns:
    """Return what makes turns with the tools of a gateway."""
    specs, describe = toolkit.runner.specs, toolkit.status.describe
    is_sandboxed = toolkit.is_sandboxed
    return AgentTurns(config, state, models, specs, clock, describe, skills, ledger, is_sandboxed=is_sandboxed)


def agent_name(config: Config, agent_id: AgentId) -> str:
    """Return what an agent is called."""
    entry = config.agents.entry(agent_id)
    if entry is None:
        return "Homarus"
    return (entry.identity.name if entry.identity else None) or entry.name or entry.id


def zone_name(config: Config) -> str:
    """Return the IANA name of the owner's time zone, UTC when the system names none."""
    return config.agents.defaults.user_timezone or _system_zone()


def _system_zone() -> str:
    """Return the zone the system's /etc/localtime points to, read again when that changes."""
    try:
        found = os.lstat(_LOCALTIME)
    except OSError:
        return "UTC"
    return _zone_of_link(found.st_mtime_ns, found.st_ino)


@lru_cache(maxsize=1)
def _zone_of_link(_changed_at: int, _inode: int) -> str:
    path = str(Path(_LOCALTIME).resolve())
    name = path.partition("/zoneinfo/")[2]
    return name if name and name != "Etc/UTC" else "UTC"


def zone_of(config: Config) -> tzinfo:
    """Return the owner's time zone; UTC when its name is unknown here."""
    try:
        return ZoneInfo(zone_name(config))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _check_agent(config: Config, agent_id: AgentId) -> None:
    if agent_id != config.agents.default_id and config.agents.entry(agent_id) is None:
        raise UserError(f'unknown agent id "{agent_id}"', fix="see `homarus config get agents.list`")


def _extra(begun: Begun) -> str:
    asked = _text(begun.origin.get("extra")) or ""
    is_group = ":group:" in begun.info.session_key
    return "\n\n".join(part for part in (GROUP_NOTE if is_group else "", asked) if part)


def _chosen(skills: tuple[Skill, ...], names: object) -> tuple[Skill, ...]:
    """Return the skills that a chat's rules leave."""
    return tuple(skill for skill in skills if skill.name in names) if isinstance(names, list) else skills


def _tool_policy(given: object) -> ToolPolicy | None:
    """Return the tool rules of a chat or sender, None when it has none."""
    if not isinstance(given, dict):
        return None
    rules = cast("dict[str, list[str]]", given)
    allow = tuple(rules["allow"]) if "allow" in rules else None
    return ToolPolicy(None, allow, tuple(rules.get("alsoAllow", ())), tuple(rules.get("deny", ())))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
