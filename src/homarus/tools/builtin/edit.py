"""`edit`: replace text in a file."""

from __future__ import annotations

import asyncio

from pydantic import AliasChoices, Field

from homarus.errors import UserError
from homarus.tools.arguments import Arguments
from homarus.tools.contract import Effect, ToolContext, ToolOutput
from homarus.tools.workspace import Workspace

MAX_FILE = 10_485_760
MAX_LINES = 8


class EditArgs(Arguments):
    """Arguments of `edit`."""

    path: str = Field(validation_alias=AliasChoices("path", "file_path", "file"))
    old: str = Field(validation_alias=AliasChoices("old", "oldText", "old_string", "old_text"), min_length=1)
    new: str = Field(validation_alias=AliasChoices("new", "newText", "new_string", "new_text"))
    all: bool = Field(
        default=False, validation_alias=AliasChoices("all", "replace_all", "replaceAll"), description="every match"
    )


class EditTool:
    """Replaces one exact text in a file, or every occurrence of it."""

    name = "edit"
    description = "Replace the exact text old by new in a workspace file. old must occur once, unless all is true."
    args = EditArgs
    effects = frozenset({Effect.WRITE_LOCAL})
    control = frozenset({"path"})
    is_idempotent = False
    timeout = 30.0

    async def run(self, context: ToolContext, args: EditArgs) -> ToolOutput:
        """Replace it. Raises UserError when the text is not there or there more than once."""
        lines = await asyncio.to_thread(_edit, Workspace(context.workspace), args)
        where = f"line {lines[0]}" if len(lines) == 1 else f"{len(lines)} places"
        details: dict[str, object] = {"path": args.path, "lines": lines[:MAX_LINES]}
        return ToolOutput(f"edited {args.path} at {where}", details=details, label=context.label)


def _edit(workspace: Workspace, args: EditArgs) -> list[int]:
    """Return the line numbers of the replaced texts."""
    if args.old == args.new:
        raise UserError("old and new are the same; nothing would change")
    try:
        text = workspace.read(args.path, MAX_FILE).decode()
    except UnicodeDecodeError as error:
        raise UserError(f"`{args.path}` is not UTF-8 text; use exec to change it") from error
    old, new = _match_line_ends(text, args.old, args.new)
    lines = _find_lines(text, old)
    if not lines:
        raise UserError(_explain_missing(text, args))
    if len(lines) > 1 and not args.all:
        shown = ", ".join(map(str, lines[:MAX_LINES]))
        raise UserError(
            f"old occurs {len(lines)} times in `{args.path}`, at lines {shown}; add the text around the one you mean, "
            "or set all to true"
        )
    workspace.write(args.path, text.replace(old, new).encode())
    return lines


def _match_line_ends(text: str, old: str, new: str) -> tuple[str, str]:
    """Models write `\\n`; in a file with `\\r\\n` they mean that."""
    if old in text or "\r\n" not in text:
        return old, new
    return old.replace("\r\n", "\n").replace("\n", "\r\n"), new.replace("\r\n", "\n").replace("\n", "\r\n")


def _find_lines(text: str, old: str) -> list[int]:
    lines: list[int] = []
    line, position = 1, 0
    while (found := text.find(old, position)) >= 0:
        line += text.count("\n", position, found)
        lines.append(line)
        line += old.count("\n")
        position = found + len(old)
    return lines


def _explain_missing(text: str, args: EditArgs) -> str:
    """Say that the text is not there, and where it is with other white space."""
    said = f"old does not occur in `{args.path}`; it must match exactly, with every space and line end"
    wanted = [" ".join(line.split()) for line in args.old.splitlines() if line.strip()]
    if not wanted:
        return said
    for number, line in enumerate(text.splitlines(), 1):
        if " ".join(line.split()) == wanted[0]:
            return f"{said}. Line {number} differs from it only in white space: read it again"
    return f"{said}. Read the file again"
