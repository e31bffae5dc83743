"""Files that came with messages: fetched before a run reads the messages, and named in their text."""

from __future__ import annotations

from typing import Protocol

from msgspec.structs import replace

from homarus.pipeline.lanes import Batch
from homarus.storage.records import InboundMessage


class FileCollector(Protocol):
    """Fetches the files of messages; implemented at composition, where channels and workspaces are known."""

    async def collect(self, message: InboundMessage) -> list[str]:
        """Put the files of a message where tools can read them; return a line about each. Never raises."""
        ...


def has_files(batch: Batch) -> bool:
    """Tell whether files came with any of the messages."""
    return any("files" in message.payload for message in batch)


async def with_files(batch: Batch, collector: FileCollector | None) -> Batch:
    """Return messages that are to be answered now, each with what became of the files that came with it."""
    if collector is None or not has_files(batch):
        return batch
    found: list[InboundMessage] = []
    for message in batch:
        lines = await collector.collect(message) if message.state == "queued" else []
        found.append(replace(message, text="\n".join((message.text, *lines))))
    return tuple(found)
