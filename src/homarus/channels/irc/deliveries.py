"""Which lines of which part the server has taken: the memory behind receipts and reconciliation."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from msgspec import Struct, field

from homarus.errors import HomarusError

_MOST_RECORDS = 512
_MOST_IDS = 1024


class Record(Struct):
    """What is known of a part over all attempts. `written` counts lines handed to a socket, `echoed` those that the
    server sent back, both from the first line on."""

    lines: tuple[str, ...]
    written: int = 0
    echoed: int = 0
    is_taken: bool = False
    platform_id: str | None = None


class Delivery(Struct, eq=False):
    """One attempt that is under way."""

    target: str
    record: Record
    token: str
    error: HomarusError | None = None
    is_lost: bool = False
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    def fail(self, error: HomarusError) -> None:
        """Settle the attempt with a refusal of the server."""
        self.error = self.error or error
        self.settled.set()

    def lose(self) -> None:
        """Settle the attempt as cut off."""
        self.is_lost = True
        self.settled.set()


class Deliveries:
    """All attempts of one account; outlives its connections, so that a second attempt knows the first."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, Record] = OrderedDict()
        self._open: dict[str, Delivery] = {}
        self._labels: dict[str, Delivery] = {}
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._count = 0

    def record(self, part_id: str) -> Record | None:
        """Return what is known of a part, None for one never sent or long forgotten."""
        return self._records.get(part_id)

    def begin(self, part_id: str, target: str, lines: tuple[str, ...]) -> Delivery:
        """Open an attempt. Lines that were echoed in an earlier one need not be sent again."""
        record = self._records.get(part_id)
        if record is None or record.lines != lines:
            record = Record(lines)
        self._records[part_id] = record
        self._records.move_to_end(part_id)
        while len(self._records) > _MOST_RECORDS:
            self._records.popitem(last=False)
        record.written = record.echoed
        self._count += 1
        delivery = Delivery(target, record, f"homarus-{self._count}")
        self._open[delivery.token] = delivery
        return delivery

    def label(self, delivery: Delivery) -> str:
        """Return a fresh label for the next line of an attempt."""
        self._count += 1
        name = f"h{self._count}"
        self._labels[name] = delivery
        return name

    def end(self, delivery: Delivery) -> None:
        """Forget an attempt that is settled or was given up."""
        self._open.pop(delivery.token, None)
        self._labels = {name: other for name, other in self._labels.items() if other is not delivery}

    def echo(self, target: str, text: str, label: str, msgid: str, fold: Callable[[str], str]) -> None:
        """Take note of one of our own lines that the server sent back."""
        if msgid:
            self._remember(msgid)
        delivery = self._labels.pop(label, None) or self._waiting_for(target, text, fold)
        if delivery is None:
            return
        record = delivery.record
        record.echoed = min(record.echoed + 1, len(record.lines))
        record.platform_id = record.platform_id or msgid or None

    def pong(self, token: str) -> bool:
        """Settle the attempt that ended with this PING: the server has worked through all its lines."""
        delivery = self._open.get(token)
        if delivery is None:
            return False
        delivery.record.is_taken = delivery.error is None
        delivery.settled.set()
        return True

    def refuse(self, label: str, targets: tuple[str, ...], error: HomarusError, fold: Callable[[str], str]) -> None:
        """Fail the attempt that a refusal names by label or by target."""
        delivery = self._labels.get(label)
        folded = {fold(target) for target in targets}
        for other in self._open.values():
            if delivery is None and fold(other.target) in folded:
                delivery = other
        if delivery is not None:
            delivery.fail(error)

    def lose_all(self) -> None:
        """Settle every open attempt as cut off: the connection has ended."""
        for delivery in self._open.values():
            delivery.lose()

    def is_mine(self, msgid: str) -> bool:
        """Return whether a message id is that of a line we sent."""
        return bool(msgid) and msgid in self._ids

    def _waiting_for(self, target: str, text: str, fold: Callable[[str], str]) -> Delivery | None:
        for delivery in self._open.values():
            record = delivery.record
            is_next = record.echoed < record.written and record.lines[record.echoed] == text
            if is_next and fold(delivery.target) == fold(target):
                return delivery
        return None

    def _remember(self, msgid: str) -> None:
        self._ids[msgid] = None
        while len(self._ids) > _MOST_IDS:
            self._ids.popitem(last=False)
