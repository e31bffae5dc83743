"""Files that people send: fetched when their message is worked on, and put where the agent's tools can read them."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import cast

from homarus.channels.contract import Attachment
from homarus.errors import HomarusError, UserError
from homarus.ids import Address, AgentId
from homarus.storage.records import InboundMessage
from homarus.tools.workspace import Workspace

log = logging.getLogger("homarus.files")
FOLDER = "inbox"
MAX_FILES = 10
MAX_FOLDER = 1024 * 1024 * 1024
"""Bytes of all files in the folder; people who may write to the assistant must not fill the disk."""
TIMEOUT = 60.0
"""Seconds one file may take."""
_UNSAFE = re.compile(r"[^\w.+-]+")


class IncomingFiles:
    """Implements homarus.pipeline.turns.FileCollector.

    `fetch` gets the bytes of an attachment from the channel of an address, `workspace` is the folder of an agent.
    """

    def __init__(
        self, fetch: Callable[[Address, Attachment], Awaitable[bytes]], workspace: Callable[[AgentId], Path]
    ) -> None:
        self._fetch = fetch
        self._workspace = workspace

    async def collect(self, message: InboundMessage) -> list[str]:
        """Store the files of a message; return a line for each that says where it is, or why it is not."""
        raw = message.payload.get("files")
        files = cast("list[Mapping[str, object]]", raw) if isinstance(raw, list) else []
        return [await self._collect(message, number, each) for number, each in enumerate(files[:MAX_FILES], start=1)]

    async def _collect(self, message: InboundMessage, number: int, facts: Mapping[str, object]) -> str:
        name = str(facts.get("name") or "file")
        size = facts.get("size")
        item = Attachment(
            str(facts.get("mime") or ""), name, ref=str(facts.get("ref")), size=size if isinstance(size, int) else None
        )
        path = f"{FOLDER}/{message.id[:8]}-{number}-{_safe(name)}"
        try:
            async with asyncio.timeout(TIMEOUT):
                content = await self._fetch(message.address, item)
            root = self._workspace(AgentId(message.agent_id or "main"))
            await asyncio.to_thread(_store, root, path, content)
        except (HomarusError, TimeoutError) as error:
            reason = error.message if isinstance(error, HomarusError) else f"it took longer than {TIMEOUT:g} s"
            log.warning("a file of message %s is not there: %s", message.id, reason)
            return f"[{name} could not be fetched: {reason}]"
        return f"[{name} is saved in the workspace as {path}]"


def _store(root: Path, path: str, content: bytes) -> None:
    """Write a file below the workspace. Raises UserError when it cannot be."""
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"the workspace cannot be used: {error.strerror or error}") from error
    if _size(root / FOLDER) + len(content) > MAX_FOLDER:
        raise UserError(f"the folder {FOLDER} holds {MAX_FOLDER} bytes already", fix="remove what is not needed")
    Workspace(root).write(path, content)


def _size(folder: Path) -> int:
    total = 0
    with suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            total += entry.stat(follow_symlinks=False).st_size
    return total


def _safe(name: str) -> str:
    """Return a file name without separators, spaces and leading dots; its ending is kept."""
    return _UNSAFE.sub("_", name).lstrip(".")[-80:] or "file"
