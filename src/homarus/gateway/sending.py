"""Texts sent out by hand or by a program: stored like every reply, then delivered by the same worker."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from homarus.errors import Permanent, Transient, UserError
from homarus.gateway.channel_host import ChannelHost, Hosted
from homarus.ids import Address
from homarus.pipeline.accounts import WEBCHAT
from homarus.pipeline.outbox import Outbox
from homarus.storage import outbound
from homarus.storage.database import Database
from homarus.storage.records import OutboundMessage

WAIT: Final = 30.0
"""Seconds to wait for the platform; what is not sent by then stays queued."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A text that the platform took. `message_id` is its id of the last part, None where it gives none."""

    address: Address
    message_id: str | None


class Sender:
    """Implements homarus.gateway.services.TextSender."""

    def __init__(self, database: Database, outbox: Outbox, host: ChannelHost) -> None:
        self._database = database
        self._outbox = outbox
        self._host = host

    async def send(self, channel: str, account: str | None, chat: str, thread: str | None, text: str, key: str) -> Sent:
        """Send a text once per `key` and return when the platform took it.

        Raises UserError when there is no such account, Permanent when the platform refused it, Transient when it is
        not sent yet; then it stays queued.
        """
        hosted = self._find(channel, account)
        address = Address(channel, hosted.account.account, chat, thread)
        run_id = f"send:{key}"
        await self._database.write(outbound.insert_parts, self._outbox.parts(run_id, address, text))
        hosted.delivery.wake()
        parts = await self._settled(hosted, run_id)
        dead = next((part for part in parts if part.state == "dead"), None)
        if dead is not None:
            raise Permanent(f"{channel} did not take it: {dead.error}", fix="check who it goes to")
        return Sent(address, parts[-1].platform_id if parts else None)

    def _find(self, channel: str, account: str | None) -> Hosted:
        found = self._host.find(channel, account)
        if found is not None and channel != WEBCHAT:
            return found
        which = f"the account {account!r} of the channel {channel!r}" if account else f"the channel {channel!r}"
        raise UserError(f"nothing can be sent over {which}", fix="see `homarus channels status` for what is connected")

    async def _settled(self, hosted: Hosted, run_id: str) -> list[OutboundMessage]:
        parts: list[OutboundMessage] = []
        try:
            async with asyncio.timeout(WAIT):
                while True:
                    news = hosted.delivery.news
                    parts = await self._database.read(outbound.select_parts, run_id)
                    if all(part.state in {"sent", "dead"} for part in parts):
                        return parts
                    await news.wait()
        except TimeoutError:
            why = next((part.error for part in parts if part.error), None) or "the channel is not connected"
            raise Transient(f"not sent yet ({why}); it stays queued", fix="homarus channels status") from None
