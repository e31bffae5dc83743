"""`read`: a text file by lines, or an image."""

from __future__ import annotations

import asyncio

from pydantic import AliasChoices, Field

from homarus.errors import UserError
from homarus.models.contract import Image
from homarus.tools.arguments import Arguments
from homarus.tools.contract import Effect, ToolContext, ToolOutput
from homarus.tools.file_type import picture_type
from homarus.tools.workspace import Workspace

MAX_FILE = 10_485_760
MAX_IMAGE = 5_242_880
WINDOW = 36_000  # characters of one answer, under what the runner cuts
PROBED = 8_192


class ReadArgs(Arguments):
    """Arguments of `read`."""

    path: str = Field(validation_alias=AliasChoices("path", "file_path", "file"))
    offset: int | None = Field(default=None, ge=1, description="first line, from 1")
    limit: int | None = Field(default=None, ge=1, description="number of lines")


class ReadTool:
    """Reads a file of the workspace; text of up to WINDOW characters at a time, images of up to 5 MB."""

    name = "read"
    description = "Read a text file or image in the workspace. Long files: page with offset and limit."
    args = ReadArgs
    effects = frozenset({Effect.READ_PRIVATE})
    control = frozenset({"path"})
    is_idempotent = True
    timeout = 30.0

    async def run(self, context: ToolContext, args: ReadArgs) -> ToolOutput:
        """Return the text or the image. Raises UserError."""
        return await asyncio.to_thread(_read, Workspace(context.workspace), args)


def _read(workspace: Workspace, args: ReadArgs) -> ToolOutput:
    content = workspace.read(args.path, MAX_FILE)
    mime = picture_type(content)
    if mime is not None:
        return _show_image(args.path, mime, content)
    if b"\0" in content[:PROBED]:
        raise UserError(f"`{args.path}` is a binary file of {len(content)} bytes; use exec to look into it")
    text = content.decode("utf-8", "replace")
    return ToolOutput(_window(args, text), details={"path": args.path, "bytes": len(content)})


def _show_image(path: str, mime: str, content: bytes) -> ToolOutput:
    if len(content) > MAX_IMAGE:
        raise UserError(f"`{path}` is an image of {len(content)} bytes; at most {MAX_IMAGE} can be shown")
    text = f"{path}: {mime}, {len(content)} bytes"
    return ToolOutput(text, images=(Image(mime, content),), details={"path": path, "bytes": len(content)})


def _window(args: ReadArgs, text: str) -> str:
    """Return the lines asked for as far as they fit, and how to go on."""
    lines = text.splitlines(keepends=True)
    first = (args.offset or 1) - 1
    if first >= len(lines) and first > 0:
        raise UserError(f"`{args.path}` has {len(lines)} lines; offset {args.offset} is behind its end")
    wanted = lines[first:] if args.limit is None else lines[first : first + args.limit]
    shown = _fitting(wanted)
    if len(shown) == len(wanted) and (not wanted or len(shown[-1]) == len(wanted[-1])):
        rest = len(lines) - first - len(wanted)
        return "".join(shown) + (f"\n[{rest} more lines; offset={first + len(shown) + 1} goes on]" if rest else "")
    last = first + len(shown)
    return "".join(shown) + f"\n[lines {first + 1} to {last} of {len(lines)}; offset={last + 1} goes on]"


def _fitting(lines: list[str]) -> list[str]:
    """Return the lines that fit the window; a single longer one is cut."""
    shown: list[str] = []
    size = 0
    for line in lines:
        size += len(line)
        if size > WINDOW:
            return shown or [line[:WINDOW] + f" [line cut after {WINDOW} characters]"]
        shown.append(line)
    return shown
