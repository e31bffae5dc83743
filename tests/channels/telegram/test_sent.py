from __future__ import annotations

from homarus.channels.contract import Receipt, Verdict
from homarus.channels.telegram.sent import SentParts


def test_a_part_is_open_from_its_beginning_until_its_outcome_is_known() -> None:
    parts = SentParts()
    assert parts.verdict("p") is Verdict.UNKNOWN
    parts.begin("p", "x")
    assert parts.verdict("p") is Verdict.UNKNOWN
    parts.refused("p", "x")
    assert parts.verdict("p") is Verdict.NOT_SENT
    parts.taken("p", "x", "7")
    assert parts.verdict("p") is Verdict.SENT
    assert parts.receipt("p", "x") == Receipt("7")


def test_another_text_under_the_same_id_is_not_taken_for_sent() -> None:
    parts = SentParts()
    parts.taken("p", "x", "7")
    assert parts.receipt("p", "y") is None


def test_memory_is_bounded() -> None:
    parts = SentParts()
    for number in range(3000):
        parts.taken(str(number), "x", "7")
    assert parts.receipt("0", "x") is None
    assert parts.receipt("2999", "x") is not None
