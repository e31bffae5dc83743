"""How an agent's memory stands, and the diary of its dreams."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import Final

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Get, operation
from homarus.gateway.operations.target import default_agent
from homarus.protocol.base import IgnoredParams
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope

DIARIES: Final = ("DREAMS.md", "dreams.md")
MAX_DIARY: Final = 512 * 1024
"""Bytes of the diary that are shown: its end, where the newest dreams are."""


@operation("doctor.memory.status", scope=Scope.READ, rest=Get("/api/memory"))
async def memory_status(call: Call, params: IgnoredParams) -> JsonObject:  # noqa: ARG001
    """Tell how memory is searched: by words; no embedder is set up here, and nothing dreams."""
    agent = default_agent(call)
    error = "no embedder is set up; memory is searched by its words"
    return {"agentId": agent.id, "embedding": {"ok": False, "error": error}}


@operation("doctor.memory.dreamDiary", scope=Scope.READ)
async def dream_diary(call: Call, params: IgnoredParams) -> JsonObject:  # noqa: ARG001
    """Return the diary of dreams in the default agent's workspace, when there is one."""
    agent = default_agent(call)
    workspace = Path(agent.workspace) if agent.workspace else call.services.state_dir / "workspace"
    found = await asyncio.to_thread(_read_diary, workspace)
    path = str(workspace / DIARIES[0])
    return {"agentId": agent.id, **(found or {"found": False, "path": path})}


def _read_diary(workspace: Path) -> JsonObject | None:
    for name in DIARIES:
        path = workspace / name
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                continue
            file.seek(max(0, status.st_size - MAX_DIARY))
            text = file.read(MAX_DIARY).decode("utf-8", "replace")
        changed = status.st_mtime_ns // 1_000_000
        return {"found": True, "path": str(path), "content": text, "updatedAtMs": changed}
    return None
