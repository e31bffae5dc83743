"""What send_file needs: somebody who keeps a file until it is sent, and knows where files can go."""

from __future__ import annotations

from typing import Protocol

from homarus.ids import Address
from homarus.storage.records import StoredFile


class FileShelf(Protocol):
    """Keeps files for the reply of a run."""

    def most_bytes(self, address: Address | None) -> int:
        """Return the size of the largest file that can go with a reply to `address` (None: the web chat).

        Raises UserError when files cannot go there at all.
        """
        ...

    async def keep(self, name: str, mime: str, content: bytes) -> StoredFile:
        """Store a copy that survives a crash. Raises StorageError."""
        ...
