"""Files on their way to people: kept in the state folder, and only for chats that can take them."""

from __future__ import annotations

import asyncio

from homarus.errors import UserError
from homarus.ids import Address
from homarus.pipeline.accounts import Accounts
from homarus.storage.media import MAX_FILE, MediaStore
from homarus.storage.records import StoredFile


class OutgoingFiles:
    """Implements homarus.tools.file_port.FileShelf and homarus.pipeline.attachments.KeptFiles.

    `accounts` are the pipeline's.
    """

    def __init__(self, store: MediaStore) -> None:
        self.store = store
        self.accounts = Accounts()

    def most_bytes(self, address: Address | None) -> int:
        """Return the size of the largest file a chat takes. Raises UserError when it takes none."""
        if address is None or self.accounts.is_transcript(address.channel):
            return MAX_FILE
        account = self.accounts.get(address.channel, address.account)
        if account is None or not account.capabilities.has_media:
            raise UserError(f"{address.channel} carries no files", fix="say what is in the file, or send a link")
        return min(account.capabilities.max_file, MAX_FILE)

    async def read(self, handle: str) -> bytes | None:
        """Return a file's content, None when it is no longer kept. Raises StorageError when it cannot be read."""
        return await asyncio.to_thread(self.store.read, handle)

    async def keep(self, name: str, mime: str, content: bytes) -> StoredFile:
        """Store a copy that survives a crash. Raises StorageError."""
        return await asyncio.to_thread(self.store.keep, name, mime, content)
