"""Sending a text or files that no run wrote: into the outbox once per key, and watched until the platform has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

from homarus.clock import Clock
from homarus.errors import UserError
from homarus.ids import Address
from homarus.manner import ORDINARY, Manner
from homarus.pipeline.accounts import Accounts
from homarus.pipeline.attachments import Attached
from homarus.pipeline.outbox import Outbox, in_manner
from homarus.storage import entries, outbound
from homarus.storage.database import Connection, Database
from homarus.storage.records import Entry, OutboundMessage


class Sending(Struct, frozen=True):
    """How it stands: `queued` is on its way or waits for its channel, `dead` was given up.

    `message_id` is the platform's id of the last part, our own id of a part where the platform gives none.
    """

    state: Literal["sent", "queued", "dead"]
    message_id: str
    detail: str | None = None


class DirectSend:
    """Implements homarus.gateway.services.Sender.

    `on_parts` is told that an account has parts to send. `news` gives the event that is set when the state of a part of
    an account was stored next, None for an account that does not run.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        accounts: Accounts,
        on_parts: Callable[[str, str], None],
        news: Callable[[str, str], asyncio.Event | None],
    ) -> None:
        self._database = database
        self._outbox = Outbox(accounts, clock)
        self._on_parts = on_parts
        self._news = news

    async def send(
        self,
        key: str,
        address: Address,
        text: str,
        mirror: Entry | None,
        *,
        within: float,
        files: Sequence[Attached] = (),
        reply_to: str | None = None,
        manner: Manner = ORDINARY,
    ) -> Sending:
        """Commit the parts, and the transcript entry `mirror` with them, then wait for delivery `within` seconds.

        `reply_to` is the platform's id of the message the first part answers; buttons of `manner` stand under the last.

        The same `key` again sends nothing and answers how the first one stands. Raises UserError for a text that has
        no parts or a key that was used for another chat, StorageError.
        """
        run_id = f"send:{key}"
        parts = in_manner(self._outbox.parts(run_id, address, text, reply_to, files), manner)
        if not parts:
            raise UserError("there is nothing to send in this text", fix="write something other than NO_REPLY")
        stored = await self._database.write(_store, run_id, parts, mirror)
        if stored[0].address != address:
            raise UserError(
                f"this idempotency key was used to send to {stored[0].address}", fix="use a new key for each message"
            )
        self._on_parts(address.channel, address.account)
        return await self._watch(run_id, address, within)

    async def _watch(self, run_id: str, address: Address, within: float) -> Sending:
        found = Sending("queued", "")
        try:
            async with asyncio.timeout(within):
                while True:
                    # Taken before looking, so that nothing stored after the look is missed.
                    news = self._news(address.channel, address.account)
                    found = _judge(await self._database.read(outbound.select_parts, run_id))
                    if found.state != "queued" or news is None:
                        return found
                    await news.wait()
        except TimeoutError:
            return found


def _store(
    connection: Connection, run_id: str, parts: list[OutboundMessage], mirror: Entry | None
) -> list[OutboundMessage]:
    known = outbound.select_parts(connection, run_id)
    if known:
        return known
    outbound.insert_parts(connection, parts)
    if mirror is not None:
        entries.insert_entry(connection, mirror)
    return parts


def _judge(parts: list[OutboundMessage]) -> Sending:
    dead = next((part for part in parts if part.state == "dead"), None)
    if dead is not None:
        return Sending("dead", dead.id, dead.error)
    waiting = next((part for part in parts if part.state != "sent"), None)
    if waiting is not None:
        return Sending("queued", waiting.id, waiting.error)
    return Sending("sent", parts[-1].platform_id or parts[-1].id)
