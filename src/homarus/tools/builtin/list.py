"""`list`: what is in a folder."""

from __future__ import annotations

import asyncio
import heapq
import os
import stat
from contextlib import suppress

from pydantic import AliasChoices, Field

from homarus.tools.arguments import Arguments
from homarus.tools.contract import Effect, ToolContext, ToolOutput
from homarus.tools.workspace import Workspace

MAX_ENTRIES = 500
MAX_SCANNED = 100_000
UNITS = ("B", "KB", "MB", "GB", "TB")


class ListArgs(Arguments):
    """Arguments of `list`."""

    path: str = Field(default=".", validation_alias=AliasChoices("path", "folder", "directory", "dir"))


class ListTool:
    """Lists a folder of the workspace, at most MAX_ENTRIES names."""

    name = "list"
    description = "List a folder of the workspace (default: the workspace itself)."
    args = ListArgs
    effects = frozenset({Effect.READ_PRIVATE})
    control = frozenset({"path"})
    is_idempotent = True
    timeout = 30.0

    async def run(self, context: ToolContext, args: ListArgs) -> ToolOutput:
        """Return one line per entry, folders with a slash, or `empty`. Raises UserError."""
        lines = await asyncio.to_thread(_list, Workspace(context.workspace), args.path or ".")
        return ToolOutput("\n".join(lines) or "empty", details={"path": args.path, "entries": len(lines)})


def _list(workspace: Workspace, path: str) -> list[str]:
    with workspace.folder(path) as folder:
        with os.scandir(folder) as entries:
            names = [entry.name for _, entry in zip(range(MAX_SCANNED), entries, strict=False)]
        shown = heapq.nsmallest(MAX_ENTRIES, names, key=lambda name: (name.casefold(), name))
        lines = [_line(folder, name) for name in shown]
    more = len(names) - len(shown)
    return [*lines, f"[{more}{'+' if len(names) == MAX_SCANNED else ''} more entries]"] if more else lines


def _line(folder: int, name: str) -> str:
    printable = name.encode("utf-8", "replace").decode() if name.isprintable() else ascii(name)
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return f"{printable}  (gone)"
    if stat.S_ISDIR(status.st_mode):
        return f"{printable}/"
    if stat.S_ISREG(status.st_mode):
        return f"{printable}  {_size(status.st_size)}"
    return f"{printable}{_target(folder, name)}"


def _target(folder: int, name: str) -> str:
    with suppress(OSError):
        return f" -> {os.readlink(name, dir_fd=folder)}"
    return "  (special file)"


def _size(size: int) -> str:
    amount, unit = float(size), 0
    while amount >= 1024 and unit < len(UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{size} B" if unit == 0 else f"{amount:.1f} {UNITS[unit]}"
