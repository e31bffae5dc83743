"""Updates on their way to the journal: read, albums put together, pictures fetched, committed in order per chat."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from homarus.channels.contract import Ingress
from homarus.channels.telegram.bot import Bot
from homarus.channels.telegram.inbound import Reader
from homarus.channels.telegram.media import Media
from homarus.channels.telegram.objects import Message, PressedMessage, Update
from homarus.channels.telegram.presses import message_of_press
from homarus.channels.telegram.reactions import message_of_reaction
from homarus.clock import Clock
from homarus.errors import HomarusError, StorageError

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 30.0


class Intake:
    """Commits messages. `take` returns only when everything in it is committed."""

    def __init__(self, ingress: Ingress, reader: Reader, media: Media, clock: Clock, bot: Bot) -> None:
        self._ingress = ingress
        self._bot = bot
        self._reader = reader
        self._media = media
        self._clock = clock

    async def take(self, messages: Sequence[Message]) -> None:
        """Commit a batch, trying again while the journal cannot be written. Chats do not wait for each other."""
        chats: dict[int, list[list[Message]]] = {}
        for group in grouped(messages):
            chats.setdefault(group[0].chat.id, []).append(group)
        async with asyncio.TaskGroup() as tasks:
            for groups in chats.values():
                tasks.create_task(self._take_chat(groups))

    async def take_once(self, messages: Sequence[Message]) -> None:
        """Commit one message or album. Raises StorageError when it could not be."""
        message = self._reader.read(messages)
        if message is not None:
            await self._ingress.accept(await self._media.with_pictures(message))
        if isinstance(messages[0], PressedMessage):
            await self._answer(messages[0].press.id)

    async def _answer(self, press: str) -> None:
        """Take the spinner off a button; a press that is too old to be answered was taken all the same."""
        try:
            await self._bot.answer_press(press)
        except HomarusError as error:
            log.debug("telegram: a press was not answered: %s", error.message)

    async def _take_chat(self, groups: list[list[Message]]) -> None:
        for group in groups:
            pause = 1.0
            while not await self._is_taken(group):
                await self._clock.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _is_taken(self, group: list[Message]) -> bool:
        try:
            await self.take_once(group)
        except StorageError as error:
            log.warning("telegram: message %d is not committed yet: %s", group[0].message_id, error.message)
            return False
        return True


def parse_update(raw: Mapping[str, object]) -> Message | None:
    """Return the message in an update, None for other kinds and for what cannot be read (which is logged)."""
    try:
        return _message_of(Update.model_validate(raw))
    except ValidationError as error:
        where = ", ".join(".".join(str(part) for part in item["loc"]) for item in error.errors()[:5])
        log.warning(
            "telegram: update %s cannot be read and is passed over: %s", str(raw.get("update_id"))[:40], where[:300]
        )
        return None


def _message_of(update: Update) -> Message | None:
    """Return what an update amounts to: a message, a press or a reaction."""
    if update.callback_query is not None:
        return message_of_press(update.callback_query)
    if update.message_reaction is not None:
        return message_of_reaction(update.message_reaction, update.update_id)
    return update.message


def grouped(messages: Sequence[Message]) -> list[list[Message]]:
    """Return messages one by one and albums together, where their first picture stands."""
    groups: list[list[Message]] = []
    albums: dict[tuple[int, str], list[Message]] = {}
    for message in messages:
        if message.media_group_id is None:
            groups.append([message])
            continue
        album = albums.setdefault((message.chat.id, message.media_group_id), [])
        if not album:
            groups.append(album)
        album.append(message)
    return [ordered(group) for group in groups]


def ordered(album: Sequence[Message]) -> list[Message]:
    """Return the messages of an album by number and each once, so that it is the same however it was delivered."""
    distinct = {message.message_id: message for message in album}
    return [distinct[number] for number in sorted(distinct)]
