"""The bound on what waits for a busy session: what is too much is shortened, or dropped with a word to its chat."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from homarus.clock import Clock
from homarus.errors import StorageError
from homarus.meter import Meter
from homarus.pipeline.lanes import Lanes
from homarus.pipeline.session_rules import DropPolicy, SessionRules
from homarus.storage import inbound, outbound
from homarus.storage.database import Connection, Database
from homarus.storage.records import InboundMessage, OutboundMessage, single_part

log = logging.getLogger("homarus.backlog")
SHORTENED_PER_PLACE = 10
"""Messages kept by their beginnings for each place in the queue; beyond that the oldest are dropped."""
MAX_SUBMITTED = 200
"""Messages of authenticated surfaces that may wait in one session."""
TOLD: dict[DropPolicy, str] = {
    "old": "(More than {cap} messages are waiting here. I am leaving out the oldest of them.)",
    "new": "(More than {cap} messages are waiting here. I am leaving out new ones until I have caught up.)",
    "summarize": "(Far more than {cap} messages are waiting here. I am leaving out the oldest of them.)",
}


class Backlog:
    """Lets messages into the lanes while there is room; one that was accepted ends in a named state either way."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        lanes: Lanes,
        rules: SessionRules,
        meter: Meter,
        on_parts: Callable[[str, str], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._lanes = lanes
        self._rules = rules
        self._meter = meter
        self._on_parts = on_parts

    async def offer(self, message: InboundMessage) -> None:
        """Queue a message of a channel. Raises StorageError when one that has to go could not be noted as dropped."""
        key = message.session_key or ""
        cap, policy = self._rules.queue_bound()
        if self._lanes.depth_of(key) < cap:
            self._lanes.offer(message)
            return
        if policy == "new":
            try:
                await self._drop(key, (message,), cap, policy)
            except StorageError:
                self._lanes.offer(message)
                raise
            return
        most = cap * SHORTENED_PER_PLACE
        gone = self._lanes.take_oldest(key) if policy == "old" else self._lanes.shorten_oldest(key, most)
        self._lanes.offer(message)
        with self._lanes.held(key, gone):
            await self._drop(key, gone, cap, policy)

    def is_full(self, session_key: str) -> bool:
        """Tell whether so much waits in a session that authenticated surfaces must not add to it."""
        return len(self._lanes.waiting(session_key)) >= MAX_SUBMITTED

    async def _drop(self, key: str, gone: Sequence[InboundMessage], cap: int, policy: DropPolicy) -> None:
        if not gone:
            return
        notice = None if self._lanes.was_told(key) else self._notice(gone[0], TOLD[policy].format(cap=cap))
        now = self._clock.now_ms()
        await self._database.write(_drop, [message.id for message in gone], now, _reason(cap, policy), notice)
        self._lanes.note_told(key)
        address = gone[0].address
        log.warning("%d message(s) of %s dropped: %d wait already", len(gone), address, cap)
        self._meter.received.add(address.channel, "overflow", by=len(gone))
        self._on_parts(address.channel, address.account)

    def _notice(self, first: InboundMessage, text: str) -> OutboundMessage:
        return single_part(self._clock.uuid(), f"overflow:{first.id}", first.address, text, self._clock.now_ms())


def _drop(connection: Connection, ids: Sequence[str], now: int, reason: str, notice: OutboundMessage | None) -> None:
    inbound.move_inbound(connection, ids, "dropped", now, reason=reason)
    if notice is not None:
        outbound.insert_parts(connection, [notice])


def _reason(cap: int, policy: DropPolicy) -> str:
    return f"queue full: messages.queue.cap is {cap}, messages.queue.drop is {policy}"
