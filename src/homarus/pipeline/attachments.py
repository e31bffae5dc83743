"""Files that go with a reply: what the tool of a run marked, and what becomes of them on each channel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, cast

from msgspec import Struct

from homarus.channels.contract import Capabilities
from homarus.channels.sdk.parts import parts_of
from homarus.storage.records import Entry, StoredFile
from homarus.tools.builtin.send_file import NAME


class KeptFiles(Protocol):
    """Where the content of files is found again."""

    async def read(self, handle: str) -> bytes | None:
        """Return a file's content, None when it is no longer kept. Raises StorageError when it cannot be read."""
        ...


MAX_FILES = 10
"""Files of one reply; Telegram's albums have as many."""
MAX_CAPTION = 800
"""Units of a caption; platforms take 1024 and more, and a caption may get a notice in front."""


class Attached(Struct, frozen=True):
    """A file of a reply with its caption, as written."""

    file: StoredFile
    caption: str = ""


def attached_by(steps: Iterable[Entry]) -> list[Attached]:
    """Return the files that the tool calls of a run marked, in order."""
    found: list[Attached] = []
    for step in steps:
        payload = step.payload
        if step.type != "tool_result" or payload.get("name") != NAME or payload.get("is_error"):
            continue
        details = payload.get("details")
        if not isinstance(details, dict):
            continue
        facts = cast("dict[str, object]", details)
        file = StoredFile.from_json(facts.get("file"))
        if file is not None:
            found.append(Attached(file, str(facts.get("caption") or "")))
    return found


def pieces_of(files: Iterable[Attached], can: Capabilities) -> list[tuple[str, StoredFile | None]]:
    """Return the parts of files as (text, file): a caption that is too long stands before its file, and a channel
    that carries no files says which it left out."""
    pieces: list[tuple[str, StoredFile | None]] = []
    for number, item in enumerate(files):
        if number == MAX_FILES:
            pieces.append((f"(More files were meant to come; at most {MAX_FILES} go with one answer.)", None))
            break
        pieces += _pieces(item, can)
    return pieces


def _pieces(item: Attached, can: Capabilities) -> list[tuple[str, StoredFile | None]]:
    if not can.has_media:
        caption = f"{item.caption}\n" if item.caption.strip() else ""
        text = f"{caption}[file: {item.file.name}, {item.file.size} bytes; this channel carries no files]"
        return [(piece, None) for piece in parts_of(text, can)]
    captions = parts_of(item.caption, can, limit=MAX_CAPTION)
    if len(captions) == 1:
        return [(captions[0], item.file)]
    return [*((piece, None) for piece in captions), ("", item.file)]
