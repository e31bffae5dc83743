"""Fetching the files of messages, within bounds of size and time."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from msgspec.structs import replace

from homarus.channels.contract import Attachment, Inbound
from homarus.channels.telegram.bot import Bot
from homarus.channels.telegram.settings import Settings
from homarus.errors import HomarusError, Permanent

log = logging.getLogger(__name__)


class Media:
    """Downloads files. Pictures come with their message, because the model looks at them; others when asked for."""

    def __init__(self, bot: Bot, settings: Settings) -> None:
        self._bot = bot
        self._settings = settings
        self._turn = asyncio.Semaphore(4)

    async def with_pictures(self, message: Inbound) -> Inbound:
        """Return the message with its pictures fetched; one that cannot be had keeps its reference and is logged."""
        if not any(_is_picture(item) for item in message.attachments):
            return message
        return replace(message, attachments=tuple([await self._filled(item) for item in message.attachments]))

    async def fetch(self, item: Attachment) -> bytes:
        """Return the bytes of a file. Raises Permanent when it is too large or gone, Transient, AuthFailed."""
        if item.data is not None:
            return item.data
        if item.ref is None:
            raise Permanent(f"the file {item.name!r} has no reference to fetch it by")
        if item.size is not None and item.size > self._settings.media_limit:
            most = self._settings.media_limit
            raise Permanent(f"the file {item.name!r} has {item.size} bytes; at most {most} are taken")
        async with self._turn:
            file = await self._bot.get_file(item.ref)
            if file.file_path.startswith("/"):
                return await asyncio.to_thread(self._read_local, file.file_path)
            if not file.file_path or ".." in file.file_path.split("/"):
                raise Permanent(f"Telegram gave no path for the file {item.name!r}")
            times = self._settings.timings
            return await self._bot.api.download(file.file_path, limit=self._settings.media_limit, within=times.download)

    async def _filled(self, item: Attachment) -> Attachment:
        if not _is_picture(item):
            return item
        try:
            async with asyncio.timeout(self._settings.timings.download):
                data = await self.fetch(item)
        except (HomarusError, TimeoutError) as error:
            log.warning("telegram %s: %s was not fetched: %s", self._settings.account_id, item.name, error)
            return item
        return replace(item, data=data, size=len(data))

    def _read_local(self, name: str) -> bytes:
        """Read a file that a Bot API server on this machine stored; only below the trusted roots."""
        path = Path(name).resolve()
        roots = [Path(root).expanduser().resolve() for root in self._settings.local_roots]
        if not any(path.is_relative_to(root) for root in roots):
            raise Permanent(
                f"the Bot API server stored a file in {path.parent}, which is not trusted",
                fix=f"add its folder to {self._settings.path}.trustedLocalFileRoots",
            )
        try:
            with path.open("rb") as stream:
                data = stream.read(self._settings.media_limit + 1)
        except OSError as error:
            raise Permanent(f"cannot read {path}: {error.strerror}") from error
        if len(data) > self._settings.media_limit:
            raise Permanent(f"{path} is larger than {self._settings.media_limit} bytes")
        return data


def _is_picture(item: Attachment) -> bool:
    return item.mime.startswith("image/")
