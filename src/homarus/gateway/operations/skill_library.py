"""Finding skills in the library of this machine, and putting them into a workspace."""

from __future__ import annotations

import asyncio
from pathlib import Path

from homarus.errors import UserError
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Get, operation
from homarus.gateway.operations.target import default_agent
from homarus.gateway.skill_library import SkillLibrary, Volume
from homarus.protocol.errors import UNAVAILABLE, Refusal
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.protocol.skills import SkillsDetailParams, SkillsInstallParams, SkillsSearchParams

DEFAULT_LIMIT = 20
NO_PROGRAMS = "this gateway installs no programs; install what the skill asks for by hand, then look at skills.status"


@operation("skills.search", scope=Scope.READ, rest=Get("/api/skills/search"))
async def search_skills(call: Call, params: SkillsSearchParams) -> JsonObject:
    """Search the library: the skills folder of the state folder, and `skills.load.extraDirs`."""
    found = await asyncio.to_thread(_library(call).search, _section(call), params.query or "")
    rows: list[JsonObject] = [
        {
            "score": score,
            "slug": each.slug,
            "displayName": each.skill.name,
            "summary": each.skill.description,
            "updatedAt": each.updated_at,
        }
        for score, each in found[: params.limit or DEFAULT_LIMIT]
    ]
    return {"results": rows}


@operation("skills.detail", scope=Scope.READ, rest=Get("/api/skills/library/{slug}"))
async def skill_detail(call: Call, params: SkillsDetailParams) -> JsonObject:
    """Return what is known of a skill of the library; null for one that is not there."""
    volumes = await asyncio.to_thread(_library(call).volumes, _section(call))
    found = next((each for each in volumes if each.slug == params.slug.strip().lower()), None)
    return {"skill": None} if found is None else _detail(found)


@operation("skills.install", scope=Scope.ADMIN)
async def install_skill(call: Call, params: SkillsInstallParams) -> JsonObject:
    """Copy a skill from the library into the default agent's workspace; programs are never installed."""
    if params.slug is None:
        raise _refused(NO_PROGRAMS)
    workspace = default_agent(call).workspace
    if workspace is None:
        raise _refused("the default agent has no workspace")
    library, force = _library(call), params.force is True
    try:
        target = await asyncio.to_thread(library.install, _section(call), params.slug, Path(workspace), is_forced=force)
    except UserError as error:
        raise _refused(error.message + (f"; {error.fix}" if error.fix else "")) from error
    done: JsonObject = {"ok": True, "message": f"Installed {target.name}", "stdout": "", "stderr": "", "code": 0}
    return {**done, "slug": target.name, "version": "local", "targetDir": str(target)}


def _detail(found: Volume) -> JsonObject:
    skill = found.skill
    times: JsonObject = {"createdAt": found.updated_at, "updatedAt": found.updated_at}
    return {
        "skill": {"slug": found.slug, "displayName": skill.name, "summary": skill.description, **times},
        "latestVersion": {"version": "local", "createdAt": found.updated_at},
        "metadata": {"os": list(skill.needs.os) or None, "systems": None},
        "owner": None,
    }


def _refused(message: str) -> Refusal:
    return Refusal(UNAVAILABLE, message, {"ok": False, "message": message, "stdout": "", "stderr": "", "code": None})


def _library(call: Call) -> SkillLibrary:
    return SkillLibrary(call.services.state_dir / "skills")


def _section(call: Call) -> JsonObject:
    return dict(call.services.config.current.config.skills or {})
