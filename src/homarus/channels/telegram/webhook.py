"""Receiving by webhook: Telegram calls the gateway, and an answer of 200 is the receipt."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Mapping
from typing import cast

from msgspec import Struct, field

from homarus.channels.telegram.intake import Intake, ordered, parse_update
from homarus.channels.telegram.objects import Message
from homarus.clock import Clock
from homarus.errors import StorageError

log = logging.getLogger(__name__)

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - the name of a header
LARGEST_BODY = 1024 * 1024
"""Bytes of one update, at most; real ones stay under 100 KB."""

_MOST_OPEN = 100  # calls worked on at once; setWebhook allows 40 unless told otherwise


class _Album(Struct):
    messages: list[Message] = field(default_factory=list[Message])
    work: asyncio.Task[None] | None = None


class Receiver:
    """Takes the calls for one bot while its channel runs."""

    def __init__(self, secret: str, intake: Intake, clock: Clock, *, album_wait: float) -> None:
        self._secret = secret.encode()
        self._intake = intake
        self._clock = clock
        self._album_wait = album_wait
        self._albums: dict[tuple[int, str], _Album] = {}
        self._open = 0

    async def handle(self, headers: Mapping[str, str], body: bytes) -> int:
        """Commit the update in a call and return the HTTP status to answer with.

        401: the secret is wrong, nothing was read. 413: too large. 400: no update. 503: not committed, or too many
        calls at once; Telegram calls again. 200: committed, or nothing to commit in it.
        """
        if not is_secret(headers, self._secret):
            return 401
        if len(body) > LARGEST_BODY:
            return 413
        update = _json_object(body)
        if update is None:
            return 400
        message = parse_update(update)
        if message is None:
            return 200
        if self._open >= _MOST_OPEN:
            return 503
        return await self._commit(message)

    async def _commit(self, message: Message) -> int:
        self._open += 1
        try:
            if message.media_group_id is None:
                await self._intake.take_once([message])
            else:
                await self._join_album(message, message.media_group_id)
        except StorageError as error:
            log.warning("telegram: message %d is not committed yet: %s", message.message_id, error.message)
            return 503
        finally:
            self._open -= 1
        return 200

    async def _join_album(self, message: Message, group: str) -> None:
        """Wait for the whole album; every call that brought a part of it gets the same outcome."""
        key = (message.chat.id, group)
        album = self._albums.setdefault(key, _Album())
        album.messages.append(message)
        if album.work is None:
            album.work = asyncio.get_running_loop().create_task(self._take_album(key, album))
        # Waited for, not awaited: one caller that hangs up must not take the album from the others.
        await asyncio.wait({album.work})
        if album.work.cancelled():
            raise StorageError("the channel stopped before the album was complete")
        album.work.result()

    async def _take_album(self, key: tuple[int, str], album: _Album) -> None:
        await self._clock.sleep(self._album_wait)
        del self._albums[key]
        await self._intake.take_once(ordered(album.messages))

    async def close(self) -> None:
        """Give up albums that are still incomplete: they are not confirmed, so Telegram delivers them again."""
        tasks = [album.work for album in self._albums.values() if album.work is not None]
        self._albums.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def is_secret(headers: Mapping[str, str], secret: bytes) -> bool:
    """Tell whether a call carries the secret; takes as long for a wrong one."""
    return hmac.compare_digest(_header(headers).encode("utf-8", "surrogateescape"), secret)


def _header(headers: Mapping[str, str]) -> str:
    return next((value for name, value in headers.items() if name.lower() == SECRET_HEADER), "")


def _json_object(body: bytes) -> Mapping[str, object] | None:
    try:
        data: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    update = cast("Mapping[str, object]", data)
    return update if isinstance(update.get("update_id"), int) else None
