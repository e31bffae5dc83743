"""The prompt files of an agent's workspace, for people to read and write."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import Final

from homarus.errors import UserError
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.gateway.operations.target import known_agent
from homarus.protocol.config_edit import AgentFileParams, AgentFileSetParams, AgentFilesParams
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.tools.workspace import Workspace

NAMES: Final = (
    "AGENTS.md",
    "SOUL.md",
    "TOOLS.md",
    "IDENTITY.md",
    "USER.md",
    "HEARTBEAT.md",
    "BOOTSTRAP.md",
    "MEMORY.md",
)
MAX_BYTES: Final = 2 * 1024 * 1024


@operation("agents.files.list", scope=Scope.READ)
async def list_files(call: Call, params: AgentFilesParams) -> JsonObject:
    """List the prompt files of an agent."""
    root = _root(call, params.agent_id)
    files = await asyncio.to_thread(lambda: [_entry(root, name) for name in NAMES])
    return {"agentId": known_agent(call, params.agent_id).id, "workspace": str(root), "files": files}


@operation("agents.files.get", scope=Scope.READ)
async def get_file(call: Call, params: AgentFileParams) -> JsonObject:
    """Return a prompt file of an agent."""
    root = _root(call, params.agent_id)
    _check_name(params.name)
    file = await asyncio.to_thread(_read, root, params.name)
    return {"agentId": known_agent(call, params.agent_id).id, "workspace": str(root), "file": file}


@operation("agents.files.set", scope=Scope.ADMIN)
async def set_file(call: Call, params: AgentFileSetParams) -> JsonObject:
    """Replace a prompt file of an agent."""
    root = _root(call, params.agent_id)
    _check_name(params.name)
    file = await asyncio.to_thread(_write, root, params.name, params.content)
    return {"ok": True, "agentId": known_agent(call, params.agent_id).id, "workspace": str(root), "file": file}


def _root(call: Call, agent_id: str) -> Path:
    agent = known_agent(call, agent_id.strip().lower())
    if agent.workspace is None:
        raise invalid(f'agent "{agent.id}" has no workspace')
    return Path(agent.workspace)


def _check_name(name: str) -> None:
    if name not in NAMES:
        raise invalid(f'unsupported file "{name}"')


def _entry(root: Path, name: str) -> JsonObject:
    path = root / name
    try:
        status = path.lstat()
    except OSError:
        return {"name": name, "path": str(path), "missing": True}
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        return {"name": name, "path": str(path), "missing": True}
    at = status.st_mtime_ns // 1_000_000
    return {"name": name, "path": str(path), "missing": False, "size": status.st_size, "updatedAtMs": at}


def _read(root: Path, name: str) -> JsonObject:
    _check_safe(root, name)
    entry = _entry(root, name)
    if entry["missing"]:
        return entry
    try:
        return {**entry, "content": Workspace(root).read(name, MAX_BYTES).decode("utf-8", "replace")}
    except UserError as error:
        raise invalid(f'unsafe workspace file "{name}": {error.message}') from error


def _write(root: Path, name: str, content: str) -> JsonObject:
    _check_safe(root, name)
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        Workspace(root).write(name, content.encode("utf-8", "replace"))
    except UserError as error:
        raise invalid(f'unsafe workspace file "{name}": {error.message}') from error
    except OSError as error:
        raise invalid(f"the workspace {root} cannot be written: {error.strerror}") from error
    return {**_entry(root, name), "content": content}


def _check_safe(root: Path, name: str) -> None:
    """Refuse links of either kind: what they lead to may lie anywhere. Raises ProtocolError."""
    try:
        status = (root / name).lstat()
    except OSError:
        return
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        raise invalid(f'unsafe workspace file "{name}"')
