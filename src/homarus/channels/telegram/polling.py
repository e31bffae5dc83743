"""Receiving by long poll. Telegram keeps updates until a later request names a higher offset: that is the receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from homarus.channels.telegram.bot import BATCH, Bot
from homarus.channels.telegram.intake import Intake, parse_update
from homarus.channels.telegram.objects import Message
from homarus.clock import Clock
from homarus.errors import Transient

LEAST_WAIT = 1.0
"""Seconds between empty answers, so that a server which does not hold requests is not asked in a circle."""


class Poller:
    """Asks for updates and confirms them once they are committed; kept over reconnects for its offset.

    The offset is sent until one request with it succeeded and then left out: Telegram gives the earliest unconfirmed
    update anyway, and after a week of silence its numbers start again at random, below an offset that was kept.
    """

    def __init__(self, bot: Bot, clock: Clock, *, album_wait: float) -> None:
        self._bot = bot
        self._clock = clock
        self._album_wait = album_wait
        self._offset: int | None = None

    async def run(self, intake: Intake) -> None:
        """Receive until cancelled or a request fails. Raises Transient and AuthFailed."""
        while True:
            asked_at = self._clock.monotonic()
            updates = await self._bot.get_updates(self._offset)
            self._offset = None
            if not updates and self._clock.monotonic() - asked_at < LEAST_WAIT:
                await self._clock.sleep(LEAST_WAIT)
            updates = await self._with_whole_album(updates)
            await intake.take(_messages(updates))
            if updates:
                self._offset = _last_id(updates) + 1

    async def _with_whole_album(self, updates: list[Mapping[str, object]]) -> list[Mapping[str, object]]:
        """Return the updates again, with the rest of an album that the batch may end in. Nothing is confirmed here."""
        messages = _messages(updates[-1:])
        if not messages or messages[0].media_group_id is None or len(updates) >= BATCH:
            return updates
        await self._clock.sleep(self._album_wait)
        return await self._bot.peek_updates(None) or updates


def _messages(updates: Sequence[Mapping[str, object]]) -> list[Message]:
    found = (parse_update(raw) for raw in updates)
    return [message for message in found if message is not None]


def _last_id(updates: Sequence[Mapping[str, object]]) -> int:
    ids = [number for raw in updates if isinstance(number := raw.get("update_id"), int)]
    if not ids:
        raise Transient("the Bot API server gave updates without numbers")
    return max(ids)
