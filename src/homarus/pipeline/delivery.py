"""Sending parts: one worker per channel account, in order per chat, with retries, pacing and receipts.

An attempt is committed before the platform is called, so a restart knows which parts were in flight. Those are
reconciled with the channel; where nobody can tell, the part is sent once more with a visible notice: nothing is lost,
and nothing is said twice without saying so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import cast

from msgspec.structs import replace

from homarus.channels.contract import (
    Ambiguous,
    Attachment,
    Channel,
    ConnectionState,
    EditingChannel,
    MediaChannel,
    OutboundPart,
    Receipt,
    Verdict,
)
from homarus.channels.sdk.rate import TokenBucket
from homarus.clock import Clock
from homarus.errors import AuthFailed, HomarusError, Permanent, StorageError, Transient
from homarus.failpoints import Failpoint, hit
from homarus.log_context import logging_as
from homarus.meter import Meter
from homarus.pipeline.attachments import KeptFiles
from homarus.pipeline.contract import RunInfo
from homarus.pipeline.outbox import NOTICE
from homarus.pipeline.previews import Previews
from homarus.storage import inbound, outbound
from homarus.storage.database import Connection, Database
from homarus.storage.records import OutboundMessage, StoredFile, single_part

log = logging.getLogger("homarus.delivery")
MAX_ATTEMPTS = 8  # of those that failed without the platform naming a time to try again
FIRST_BACKOFF = 2.0
MAX_BACKOFF = 300.0
NOTED_ATTEMPTS = 20  # of each part, on the story of the message; a platform may name a time without end
SEND_TIMEOUT = 120.0
BATCH = 200


class _PreviewGone(Exception):
    """The message that was to get its final text cannot be changed any more."""


class Delivery:
    """The worker of one channel account. `run` is supervised; `wake` tells it that parts were stored.

    `news` is set when the state of a part has been stored, and then replaced by a new one.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        channel: Channel,
        name: tuple[str, str],
        pace: TokenBucket,
        meter: Meter | None = None,
        files: KeptFiles | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._channel = channel
        self._name = name
        self._pace = pace
        self._wake = asyncio.Event()
        self._meter = meter or Meter()
        self._files = files
        self._is_closing = False
        self._resting = asyncio.Event()
        self.news = asyncio.Event()
        self._previews = Previews(database, clock, channel)
        self.last_sent_at: int | None = None

    def wake(self) -> None:
        """Look for parts now."""
        self._resting.clear()
        self._wake.set()

    def close(self) -> None:
        """Begin no further part; `run` returns when the one on its way is settled."""
        self._is_closing = True
        self._wake.set()

    async def rest(self) -> None:
        """Wait until everything that can be sent now was sent."""
        await self._resting.wait()

    def show(self, run: RunInfo, text: str | None) -> None:
        """Show what a run has said so far; None when it has ended."""
        if text is None or run.address is None:
            self._previews.drop(run.run_id)
            return
        self._previews.show(run.run_id, run.address, text, run.reply_to)
        self._wake.set()

    async def run(self) -> None:
        """Send what waits until closed or cancelled. Raises StorageError when the journal cannot be used."""
        with logging_as(channel=self._name[0], account=self._name[1]):
            await self._run()

    async def _run(self) -> None:
        await self._settle_interrupted()
        while not self._is_closing:
            self._wake.clear()
            if self._channel.state is not ConnectionState.CONNECTED:
                self._resting.set()
                await self._until_woken(self._channel.until_connected())
                continue
            now = self._clock.now_ms()
            heads = await self._database.read(outbound.select_heads, *self._name, now, BATCH)
            due = [part for part in heads if _due_at(part, now) <= now]
            if due:
                self._resting.clear()
                await self._send_all(due)
                continue
            await self._previews.flush({part.address for part in heads})
            if not self._wake.is_set():
                self._resting.set()
            await self._sleep(heads)

    async def _send_all(self, due: list[OutboundMessage]) -> None:
        for part in due:
            if self._is_closing:
                return
            self._previews.drop(part.run_id)
            await self._send(part)

    async def _sleep(self, heads: list[OutboundMessage]) -> None:
        """Wait for new parts or for the next retry."""
        now = self._clock.now_ms()
        pauses = [max(0.0, (_due_at(part, now) - now) / 1000) for part in heads]
        preview = self._previews.pause()
        if preview is not None:
            pauses.append(max(preview, 0.05))
        if not pauses:
            await self._wake.wait()
            return
        await self._until_woken(self._clock.sleep(min(pauses)))

    async def _until_woken(self, other: Coroutine[None, None, None]) -> None:
        """Wait until woken, or until `other` has ended."""
        woken = asyncio.ensure_future(self._wake.wait())
        ended = asyncio.ensure_future(other)
        try:
            await asyncio.wait((woken, ended), return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                ended.result()
        finally:
            woken.cancel()
            ended.cancel()

    async def _settle_interrupted(self) -> None:
        for part in await self._database.read(outbound.select_interrupted, *self._name):
            # Changing a message twice is harmless, so an interrupted edit is simply made again.
            is_edit = part.platform_id is not None
            verdict = Verdict.NOT_SENT if is_edit else await self._channel.reconcile(_outgoing(part))
            if verdict is Verdict.SENT:
                await self._record(part, "sent", error=None)
            else:
                state = "pending" if verdict is Verdict.NOT_SENT else "ambiguous"
                await self._record(part, state, error="interrupted", next_at=self._clock.now_ms())

    async def _send(self, part: OutboundMessage) -> None:
        await self._pace.acquire()
        hit(Failpoint.OUTBOX_BEFORE_ATTEMPT)
        if _is_lost_preview(part):
            part = await self._renamed(part, NOTICE + part.text)
        await self._database.write(outbound.begin_attempt, part.id, self._clock.now_ms())
        hit(Failpoint.OUTBOX_AFTER_ATTEMPT_COMMIT)
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                receipt = await self._transmit(part)
        except _PreviewGone:
            await self._renamed(part, part.text)
            return
        except (HomarusError, Ambiguous, TimeoutError) as error:
            await self._note_failure(part, error)
            return
        hit(Failpoint.OUTBOX_AFTER_SEND)
        self.last_sent_at = self._clock.now_ms()
        self._meter.parts.add(self._name[0], "sent")
        self._meter.stages["delivery"].observe((self.last_sent_at - part.created_at) / 1000)
        await self._note_sent(part, receipt)
        hit(Failpoint.OUTBOX_AFTER_RECEIPT)

    async def _renamed(self, part: OutboundMessage, text: str) -> OutboundMessage:
        """Store a part as a new message that waits, and return it: a platform that drops repetitions knows the old."""
        fresh = replace(part, id=self._clock.uuid(), text=text, state="pending", platform_id=None)
        await self._database.write(outbound.rename_part, part.id, fresh.id, text)
        return fresh

    async def _transmit(self, part: OutboundMessage) -> Receipt:
        """Send a part, or give the message that previewed it its final text."""
        if part.media is not None:
            return await self._transmit_file(part, part.media)
        if part.platform_id is None:
            return await self._channel.send(_outgoing(part))
        if not part.text:
            await cast("EditingChannel", self._channel).delete(part.address, part.platform_id)
            return Receipt(part.platform_id)
        try:
            return await cast("EditingChannel", self._channel).edit(_outgoing(part), part.platform_id)
        except Permanent as error:
            log.info("part %s is sent anew, its preview cannot be changed: %s", part.id, error.message)
            raise _PreviewGone from error

    async def _transmit_file(self, part: OutboundMessage, file: StoredFile) -> Receipt:
        content = await self._files.read(file.id) if self._files is not None else None
        if content is None:
            raise Permanent(f"the file {file.name} is no longer kept here")
        if not hasattr(self._channel, "send_media"):
            raise Permanent(f"{self._name[0]} carries no files")
        channel = cast("MediaChannel", self._channel)
        return await channel.send_media(_outgoing(part), Attachment(file.mime, file.name, content, size=len(content)))

    async def _note_sent(self, part: OutboundMessage, receipt: Receipt) -> None:
        """Store the receipt, trying until it is stored: a part that went out must not go out again."""
        pause = 0.2
        while True:
            try:
                await self._record(part, "sent", platform_id=receipt.platform_id, error=None)
            except StorageError as error:
                log.warning("receipt of part %s not stored yet: %s", part.id, error.message)
                await self._clock.sleep(pause)
                pause = min(pause * 2, 30.0)
            else:
                return

    async def _note_failure(self, part: OutboundMessage, error: Exception) -> None:
        attempts = part.attempts + 1
        now = self._clock.now_ms()
        text = str(error) or type(error).__name__
        hint = error.retry_after if isinstance(error, Transient) else None
        is_dead = isinstance(error, Permanent) or (attempts >= MAX_ATTEMPTS and hint is None)
        self._meter.parts.add(self._name[0], "dead" if is_dead else "retried")
        if is_dead:
            log.warning("part %s for %s is dead after %d attempts: %s", part.id, part.address, attempts, text)
            await self._record(part, "dead", error=text, notice=self._lost_file(part, text, now))
            return
        wait = hint if hint is not None else min(MAX_BACKOFF, FIRST_BACKOFF * 2 ** (attempts - 1))
        wait += self._clock.jitter() * wait * 0.2
        is_unclear = isinstance(error, Ambiguous | TimeoutError) and part.platform_id is None
        state = await self._reconciled(part) if is_unclear else part.state
        log.info("part %s for %s: attempt %d failed (%s), next in %.1f s", part.id, part.address, attempts, text, wait)
        if isinstance(error, AuthFailed):
            wait = MAX_BACKOFF
        await self._record(part, state, error=text, next_at=now + int(wait * 1000))

    def _lost_file(self, part: OutboundMessage, error: str, now: int) -> OutboundMessage | None:
        """Return the message that tells a chat of a file it will not get; None for a part that is none."""
        if part.media is None:
            return None
        text = f"(The file {part.media.name} could not be sent: {error[:200]})"
        return single_part(self._clock.uuid(), f"{part.dedupe_key}:lost", part.address, text, now)

    async def _reconciled(self, part: OutboundMessage) -> str:
        verdict = await self._channel.reconcile(_outgoing(part))
        return {Verdict.SENT: "sent", Verdict.NOT_SENT: "pending", Verdict.UNKNOWN: "ambiguous"}[verdict]

    async def _record(
        self,
        part: OutboundMessage,
        state: str,
        *,
        error: str | None,
        platform_id: str | None = None,
        next_at: int | None = None,
        notice: OutboundMessage | None = None,
    ) -> None:
        now = self._clock.now_ms()
        await self._database.write(
            _record, part, state, now, platform_id=platform_id, error=error, next_at=next_at, notice=notice
        )
        news, self.news = self.news, asyncio.Event()
        news.set()


def _record(
    connection: Connection,
    part: OutboundMessage,
    state: str,
    now: int,
    *,
    platform_id: str | None,
    error: str | None,
    next_at: int | None,
    notice: OutboundMessage | None,
) -> None:
    if notice is not None:
        outbound.insert_parts(connection, [notice])
    outbound.end_attempt(connection, part.id, state, now, platform_id=platform_id, error=error, next_at=next_at)
    if part.run_id is None:
        return
    if error is not None and state != "dead" and part.attempts < NOTED_ATTEMPTS:
        inbound.note_run(connection, part.run_id, now, "attempt", _attempt(part, state, now, error, next_at))
    if state == "dead" and part.text.startswith(NOTICE):
        # People may have seen the beginning of the next part, too, at the end of a preview that is lost.
        outbound.mark_next(connection, part, NOTICE)
    if state in {"sent", "dead"}:
        inbound.settle_replied(connection, part.run_id, now)


def _attempt(part: OutboundMessage, state: str, now: int, error: str, next_at: int | None) -> str:
    """Return what is told of an attempt that failed, or that a stop interrupted."""
    is_over = part.state == "sending"
    which = f"{part.attempts if is_over else part.attempts + 1} to send part {part.part_index + 1}"
    unclear = ", it may have arrived all the same" if state == "ambiguous" else ""
    again = f"; again in {(next_at - now) / 1000:.1f} s" if next_at is not None and next_at > now else ""
    return f"{which} failed: {error}{unclear}{again}"


def _is_lost_preview(part: OutboundMessage) -> bool:
    """Tell whether a part is to say as a whole what a preview, which may have arrived, began to say.

    It is another message then: under the same id a platform that drops repetitions would drop it.
    """
    return part.state == "ambiguous" and part.attempts == 0 and part.platform_id is None


def _outgoing(part: OutboundMessage) -> OutboundPart:
    is_again = part.state == "ambiguous" and part.platform_id is None and not part.text.startswith(NOTICE)
    text = NOTICE + part.text if is_again else part.text
    outgoing = OutboundPart(
        id=part.id,
        address=part.address,
        text=text,
        index=part.part_index,
        count=part.part_count,
        attempt=part.attempts + 1,
    )
    return replace(outgoing, reply_to=part.reply_to, manner=part.manner)


def _due_at(part: OutboundMessage, now: int) -> int:
    """Return when a part may go. A note from the future is from before the clock was set back: such a part may go."""
    return now if part.updated_at > now else part.next_at
