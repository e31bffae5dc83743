"""Methods that make, change and remove agents in the configuration."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path
from typing import Final, cast

from homarus.gateway.config_edit import change_config
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.gateway.operations.target import find_agent
from homarus.gateway.services import AgentFacts
from homarus.protocol.config_edit import AgentsCreateParams, AgentsDeleteParams, AgentsUpdateParams
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.sessions.keys import MAIN

MAX_AGENTS: Final = 200
_NOT_ID = re.compile(r"[^a-z0-9_-]+")


@operation("agents.create", scope=Scope.ADMIN)
async def create_agent(call: Call, params: AgentsCreateParams) -> JsonObject:
    """Make an agent with its own workspace."""
    name = params.name.strip()
    agent_id = _NOT_ID.sub("-", name.lower()).strip("-")[:64]
    if not agent_id:
        raise invalid("the name must hold a letter or digit")
    if agent_id == MAIN:
        raise invalid('"main" is reserved')
    if find_agent(call, agent_id) is not None:
        raise invalid(f'agent "{agent_id}" already exists')
    workspace = _folder(params.workspace)
    identity = {"name": name, "emoji": params.emoji, "avatar": params.avatar}
    entry: JsonObject = {"id": agent_id, "name": name, "workspace": str(workspace)}
    looks = {key: value for key, value in identity.items() if value and key != "name"}
    if looks:
        entry["identity"] = looks

    def change(tree: JsonObject) -> None:
        listed = _listed(tree)
        if not listed:
            listed.append({"id": MAIN, "default": True})
        if len(listed) >= MAX_AGENTS:
            raise invalid(f"at most {MAX_AGENTS} agents can be configured")
        listed.append(entry)

    await asyncio.to_thread(_prepare, workspace, identity)
    await change_config(call.services, change)
    return {"ok": True, "agentId": agent_id, "name": name, "workspace": str(workspace)}


@operation("agents.update", scope=Scope.ADMIN)
async def update_agent(call: Call, params: AgentsUpdateParams) -> JsonObject:
    """Change the name, workspace, model or look of an agent."""
    agent = _found(call, params.agent_id)
    if params.model is not None:
        call.services.models.resolve(params.model)

    def change(tree: JsonObject) -> None:
        entry = _entry(tree, agent.id)
        if params.name is not None:
            entry["name"] = params.name.strip()
        if params.workspace is not None:
            entry["workspace"] = str(_folder(params.workspace))
        if params.model is not None:
            entry["model"] = params.model
        if params.avatar is not None:
            identity = entry.setdefault("identity", {})
            cast("JsonObject", identity)["avatar"] = params.avatar

    await change_config(call.services, change)
    return {"ok": True, "agentId": agent.id}


@operation("agents.delete", scope=Scope.ADMIN)
async def delete_agent(call: Call, params: AgentsDeleteParams) -> JsonObject:
    """Remove an agent and its bindings; its workspace goes to the trash folder, its conversations stay stored."""
    agent_id = params.agent_id.strip().lower()
    if agent_id == MAIN:
        raise invalid('"main" cannot be deleted')
    agent = _found(call, agent_id)
    if agent.is_default:
        raise invalid(f'"{agent.id}" is the default agent and cannot be deleted')
    removed = 0

    def change(tree: JsonObject) -> None:
        nonlocal removed
        listed = _listed(tree)
        listed[:] = [each for each in listed if each.get("id") != agent.id]
        bindings = tree.get("bindings")
        if isinstance(bindings, list):
            rows = cast("list[JsonObject]", bindings)
            kept = [row for row in rows if row.get("agentId") != agent.id]
            removed = len(rows) - len(kept)
            tree["bindings"] = kept

    others = [each.workspace for each in call.services.agents.list() if each.id != agent.id]
    await change_config(call.services, change)
    if params.delete_files is not False and agent.workspace and agent.workspace not in others:
        trash = call.services.state_dir / "trash" / f"{agent.id}-{call.services.clock.now_ms()}"
        await asyncio.to_thread(_discard, Path(agent.workspace), call.services.state_dir, trash)
    return {"ok": True, "agentId": agent.id, "removedBindings": removed}


def _found(call: Call, agent_id: str) -> AgentFacts:
    found = find_agent(call, agent_id.strip().lower())
    if found is None:
        raise invalid(f'agent "{agent_id[:64]}" not found')
    return found


def _listed(tree: JsonObject) -> list[JsonObject]:
    agents = tree.setdefault("agents", {})
    if not isinstance(agents, dict):
        raise invalid("agents in the configuration is no object; fix it first")
    listed = cast("JsonObject", agents).setdefault("list", [])
    if not isinstance(listed, list):
        raise invalid("agents.list in the configuration is no list; fix it first")
    return cast("list[JsonObject]", listed)


def _entry(tree: JsonObject, agent_id: str) -> JsonObject:
    listed = _listed(tree)
    found = next((each for each in listed if str(each.get("id")).strip().lower() == agent_id), None)
    if found is None:
        found = JsonObject(id=agent_id, default=True)
        listed.append(found)
    return found


def _folder(text: str) -> Path:
    path = Path(text).expanduser()
    if "\0" in text or not path.is_absolute():
        raise invalid("workspace must be an absolute path")
    return path


def _prepare(workspace: Path, identity: dict[str, str | None]) -> None:
    """Make the workspace and note the identity in it. Raises ProtocolError."""
    lines = [f"- {key.capitalize()}: {' '.join(value.split())}" for key, value in identity.items() if value]
    try:
        workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = workspace / "IDENTITY.md"
        if path.is_symlink():
            raise invalid('unsafe workspace file "IDENTITY.md"')
        with path.open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    except OSError as error:
        raise invalid(f"the workspace {workspace} cannot be used: {error.strerror}") from error


def _discard(workspace: Path, state_dir: Path, trash: Path) -> None:
    """Move a workspace into the trash, unless it holds more than itself: the state, or a home folder."""
    real, state = workspace.resolve(), state_dir.resolve()
    if not real.is_dir() or state.is_relative_to(real) or Path.home().resolve().is_relative_to(real):
        return
    try:
        trash.parent.mkdir(mode=0o700, exist_ok=True)
        shutil.move(real, trash)
    except OSError as error:
        raise invalid(f"the agent is gone, but its files stay in {workspace}: {error.strerror}") from error
