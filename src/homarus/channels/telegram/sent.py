"""What is known of the parts that were sent, so that a part goes out once and an interrupted one can be told."""

from __future__ import annotations

from collections import OrderedDict

from msgspec import Struct

from homarus.channels.contract import Receipt, Verdict

_MOST = 2048


class _Record(Struct, frozen=True):
    text: str
    verdict: Verdict
    platform_id: str | None = None


class SentParts:
    """The last 2048 parts by id. Telegram has no idempotency key and shows a bot no history: this memory is all."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def receipt(self, part_id: str, text: str) -> Receipt | None:
        """Return the receipt of a part that was taken with this text."""
        record = self._records.get(part_id)
        if record is None or record.verdict is not Verdict.SENT or record.text != text:
            return None
        return Receipt(record.platform_id)

    def begin(self, part_id: str, text: str) -> None:
        """Note that a part is about to be sent: from here its outcome is open."""
        self._note(part_id, _Record(text, Verdict.UNKNOWN))

    def refused(self, part_id: str, text: str) -> None:
        """Note that a part certainly did not arrive."""
        self._note(part_id, _Record(text, Verdict.NOT_SENT))

    def taken(self, part_id: str, text: str, platform_id: str | None) -> None:
        """Note that a part arrived."""
        self._note(part_id, _Record(text, Verdict.SENT, platform_id))

    def verdict(self, part_id: str) -> Verdict:
        """Return what is known of a part; unknown after a restart."""
        record = self._records.get(part_id)
        return Verdict.UNKNOWN if record is None else record.verdict

    def _note(self, part_id: str, record: _Record) -> None:
        self._records[part_id] = record
        self._records.move_to_end(part_id)
        while len(self._records) > _MOST:
            self._records.popitem(last=False)
