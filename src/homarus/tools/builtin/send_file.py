"""`send_file`: a file of the workspace goes out with the reply."""

from __future__ import annotations

import asyncio
from pathlib import PurePosixPath

from pydantic import AliasChoices, Field

from homarus.tools.arguments import Arguments
from homarus.tools.contract import Effect, ToolContext, ToolOutput
from homarus.tools.file_port import FileShelf
from homarus.tools.file_type import type_of
from homarus.tools.workspace import Workspace

NAME = "send_file"
MAX_CAPTION = 1_000


class SendFileArgs(Arguments):
    """Arguments of `send_file`."""

    path: str = Field(validation_alias=AliasChoices("path", "file_path", "file", "media"))
    caption: str = Field(default="", max_length=MAX_CAPTION, description="shown with the file")


class SendFileTool:
    """Keeps a copy of a workspace file and marks it for the reply of this run; nothing leaves before that.

    It reaches only the chat that the reply goes to, as a reply's text does, so it is reading and not sending.
    """

    name = NAME
    description = "Send a workspace file (picture, document, audio) to the user, together with your answer."
    args = SendFileArgs
    effects = frozenset({Effect.READ_PRIVATE})
    control = frozenset({"path"})
    is_idempotent = True
    timeout = 60.0

    def __init__(self, shelf: FileShelf) -> None:
        self._shelf = shelf

    async def run(self, context: ToolContext, args: SendFileArgs) -> ToolOutput:
        """Keep the file. Raises UserError for one that cannot be read or sent, StorageError."""
        most = self._shelf.most_bytes(context.address)
        content = await asyncio.to_thread(Workspace(context.workspace).read, args.path, most)
        name = PurePosixPath(args.path).name
        stored = await self._shelf.keep(name, type_of(name, content), content)
        text = f"{name} ({stored.mime}, {stored.size} bytes) goes out with your answer"
        details: dict[str, object] = {"file": stored.as_json(), "caption": args.caption}
        # the answer says nothing the context did not already hold
        return ToolOutput(text, details=details, label=context.label)
