"""Replies shown while they grow: part 0 is sent once and edited until delivery gives it its final text.

Owned by the delivery worker of an account, so that no edit of a preview can overtake the final text. A preview is
best effort: when one fails, the reply simply arrives whole. Its row makes the final text an edit of the same message,
also after a restart.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Set
from typing import cast

from msgspec import Struct

from homarus.channels.contract import Ambiguous, Channel, EditingChannel, OutboundPart, Receipt
from homarus.clock import Clock
from homarus.errors import HomarusError
from homarus.ids import Address
from homarus.pipeline.outbox import SILENT, part_key
from homarus.storage import outbound
from homarus.storage.database import Database
from homarus.storage.records import OutboundMessage

log = logging.getLogger("homarus.previews")
INTERVAL = 1.0
"""Seconds between two edits of a message; Telegram and others begin to refuse faster ones."""
FIRST_CHARS = 24
TIMEOUT = 10.0
MAX_OPEN = 64


class _Preview(Struct):
    address: Address
    text: str
    reply_to: str | None
    next_at: float
    shown: str = ""
    part: OutboundMessage | None = None
    is_broken: bool = False


class Previews:
    """The growing replies of one channel account."""

    def __init__(self, database: Database, clock: Clock, channel: Channel) -> None:
        self._database = database
        self._clock = clock
        self._channel = cast("EditingChannel", channel)
        self._open: dict[str, _Preview] = {}
        self._blocked: Set[Address] = frozenset()

    def show(self, run_id: str, address: Address, text: str, reply_to: str | None = None) -> None:
        """Remember the text a run has said so far; too many open previews leave new ones out."""
        known = self._open.get(run_id)
        if known is not None:
            known.text = text
        elif len(self._open) < MAX_OPEN and len(text) >= FIRST_CHARS and not _may_be_silent(text):
            self._open[run_id] = _Preview(address, text, reply_to, self._clock.monotonic())

    def drop(self, run_id: str | None) -> None:
        """Forget a run: its final text is being delivered, or it has none."""
        if run_id is not None:
            self._open.pop(run_id, None)

    def pause(self) -> float | None:
        """Return the seconds until the next preview is due, None when none waits."""
        waiting = [item.next_at for item in self._open.values() if self._is_waiting(item)]
        return max(0.0, min(waiting) - self._clock.monotonic()) if waiting else None

    async def flush(self, blocked: Set[Address]) -> None:
        """Show every preview that is due, except in chats where parts of earlier replies still wait."""
        now = self._clock.monotonic()
        self._blocked = blocked
        for run_id, item in list(self._open.items()):
            if self._is_waiting(item) and item.next_at <= now:
                await self._show(run_id, item)

    def _is_waiting(self, item: _Preview) -> bool:
        return item.text != item.shown and not item.is_broken and item.address not in self._blocked

    async def _show(self, run_id: str, item: _Preview) -> None:
        text = item.text
        try:
            async with asyncio.timeout(TIMEOUT):
                await self._write(run_id, item, text)
        except (HomarusError, Ambiguous, TimeoutError) as error:
            log.debug("no preview for run %s: %s", run_id, error)
            item.is_broken = True
        item.shown = text
        item.next_at = self._clock.monotonic() + INTERVAL

    async def _write(self, run_id: str, item: _Preview, text: str) -> None:
        if item.part is None:
            item.part, is_new = await self._database.write(outbound.open_preview, self._row(run_id, item, text))
            if is_new:
                receipt = await self._send(item.part, text)
                item.part = await self._database.write(outbound.note_preview, item.part, receipt.platform_id)
                return
        if item.part.state != "preview" or item.part.platform_id is None:
            item.is_broken = True
            return
        await self._channel.edit(_outgoing(item.part, text), item.part.platform_id)

    async def _send(self, part: OutboundMessage, text: str) -> Receipt:
        try:
            return await self._channel.send(_outgoing(part, text))
        except HomarusError:
            await self._database.write(outbound.fail_preview, part)
            raise

    def _row(self, run_id: str, item: _Preview, text: str) -> OutboundMessage:
        now = self._clock.now_ms()
        return OutboundMessage(
            id=self._clock.uuid(),
            dedupe_key=part_key(run_id, item.address, 0),
            run_id=run_id,
            address=item.address,
            part_index=0,
            part_count=1,
            text=text,
            state="preview",
            attempts=1,
            created_at=now,
            next_at=now,
            reply_to=item.reply_to,
        )


def _outgoing(part: OutboundMessage, text: str) -> OutboundPart:
    return OutboundPart(id=part.id, address=part.address, text=text, reply_to=part.reply_to)


def _may_be_silent(text: str) -> bool:
    return SILENT.startswith(text.strip().upper()[: len(SILENT)])
