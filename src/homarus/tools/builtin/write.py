"""`write`: create or replace a file."""

from __future__ import annotations

import asyncio

from pydantic import AliasChoices, Field

from homarus.tools.arguments import Arguments
from homarus.tools.contract import Effect, ToolContext, ToolOutput
from homarus.tools.workspace import Workspace


class WriteArgs(Arguments):
    """Arguments of `write`."""

    path: str = Field(validation_alias=AliasChoices("path", "file_path", "file"))
    content: str = Field(validation_alias=AliasChoices("content", "text"))


class WriteTool:
    """Writes a file of the workspace in one step, with its folders."""

    name = "write"
    description = "Create or replace a file in the workspace; folders are made as needed."
    args = WriteArgs
    effects = frozenset({Effect.WRITE_LOCAL})
    control = frozenset({"path"})
    is_idempotent = True
    timeout = 30.0

    async def run(self, context: ToolContext, args: WriteArgs) -> ToolOutput:
        """Write it. Raises UserError."""
        content = args.content.encode("utf-8", "replace")
        is_new = await asyncio.to_thread(Workspace(context.workspace).write, args.path, content)
        text = f"{'created' if is_new else 'replaced'} {args.path} ({len(content)} bytes)"
        # the answer says nothing the context did not already hold
        return ToolOutput(text, details={"path": args.path, "bytes": len(content)}, label=context.label)
