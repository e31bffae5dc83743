"""Files in memory that outlive the processes that keep them."""

from __future__ import annotations

from homarus.storage.records import StoredFile


class MemoryFiles:
    """Implements homarus.pipeline.attachments.KeptFiles; the content of a file is its name."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def keep(self, handle: str, name: str) -> StoredFile:
        """Store a file under a handle."""
        self._names[handle] = name
        return StoredFile(handle, name, "text/plain", len(name))

    async def read(self, handle: str) -> bytes | None:
        """Return a file's content."""
        name = self._names.get(handle)
        return None if name is None else name.encode()

    def clear(self) -> None:
        """Forget everything."""
        self._names.clear()
