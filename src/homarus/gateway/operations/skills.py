"""Skill methods: what lies in workspaces, whether it can be used, and its switches in the configuration."""

from __future__ import annotations

import asyncio
from pathlib import Path

from homarus.gateway.agent_skills import JudgedSkill
from homarus.gateway.config_edit import change_config
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Get, operation
from homarus.gateway.operations.target import known_agent
from homarus.gateway.services import AgentFacts
from homarus.protocol.base import NoParams
from homarus.protocol.errors import UNAVAILABLE, Refusal, invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Role, Scope
from homarus.protocol.usage import SkillsStatusParams, SkillsUpdateParams

NO_HUB = "no remote registry is configured; skills.install takes skills from the library of this machine"


@operation("skills.status", scope=Scope.READ, rest=Get("/api/skills"))
async def skills_status(call: Call, params: SkillsStatusParams) -> JsonObject:
    """List the skills of an agent's workspace and what stands in their way."""
    agent = known_agent(call, params.agent_id)
    found = await _skills(call, agent)
    workspace = agent.workspace or ""
    return {
        "workspaceDir": workspace,
        "managedSkillsDir": str(call.services.state_dir / "skills"),
        "skills": [_row(each, workspace) for each in found],
    }


@operation("skills.bins", scope=None, role=Role.NODE)
async def skills_bins(call: Call, params: NoParams) -> dict[str, list[str]]:  # noqa: ARG001
    """Return the programs skills ask for, so that a node can say which of them it has."""
    names: set[str] = set()
    for agent in call.services.agents.list():
        for each in await _skills(call, agent):
            if not each.verdict.is_disabled:
                names |= {*each.skill.needs.bins, *each.skill.needs.any_bins}
    return {"bins": sorted(names)}


@operation("skills.update", scope=Scope.ADMIN)
async def update_skill(call: Call, params: SkillsUpdateParams) -> JsonObject:
    """Switch a skill on or off and set its key and variables in the configuration."""
    key = params.skill_key
    if key is None:
        raise Refusal(UNAVAILABLE, NO_HUB, {"ok": False, "message": NO_HUB})

    def change(tree: JsonObject) -> None:
        entry = _section(_section(_section(tree, "skills"), "entries"), key)
        if params.enabled is not None:
            entry["enabled"] = params.enabled
        if params.api_key is not None:
            _put(entry, "apiKey", params.api_key)
        for name, value in (params.env or {}).items():
            _put(_section(entry, "env"), name, value)

    edited = await change_config(call.services, change)
    entry = _section(_section(_section(dict(edited.shown), "skills"), "entries"), key)
    return {"ok": True, "skillKey": key, "config": entry}


async def _skills(call: Call, agent: AgentFacts) -> tuple[JudgedSkill, ...]:
    skills = call.services.skills
    if skills is None or agent.workspace is None:
        return ()
    return await asyncio.to_thread(skills.all, agent.id, Path(agent.workspace))


def _row(each: JudgedSkill, workspace: str) -> JsonObject:
    skill, verdict = each.skill, each.verdict
    row: JsonObject = {
        "name": skill.name,
        "description": skill.description,
        "source": "openclaw-workspace",
        "bundled": False,
        "filePath": f"{workspace}/{skill.path}",
        "baseDir": f"{workspace}/{skill.folder}",
        "skillKey": skill.key,
        "primaryEnv": skill.primary_env,
        "emoji": skill.emoji,
        "homepage": skill.homepage,
        "always": skill.is_always,
        "disabled": verdict.is_disabled,
        "blockedByAllowlist": each.is_blocked,
        "eligible": each.is_usable,
        "requirements": skill.needs.json(),
        "missing": verdict.missing.json(),
        "configChecks": [
            {"path": path, "satisfied": path not in verdict.missing.config} for path in skill.needs.config
        ],
        "install": [],
    }
    return {name: value for name, value in row.items() if value is not None}


def _section(tree: JsonObject, name: str) -> JsonObject:
    """Return a section of a tree, made when missing. Raises ProtocolError when something else is there."""
    found = tree.setdefault(name, {})
    if not isinstance(found, dict):
        raise invalid(f"{name} in the configuration is no object; fix it first")
    return found  # pyright: ignore[reportUnknownVariableType]


def _put(tree: JsonObject, name: str, value: str) -> None:
    if value.strip():
        tree[name] = value.strip()
    else:
        tree.pop(name, None)
