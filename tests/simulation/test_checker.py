"""The simulator is worth something only if it sees what is wrong: every broken pipeline is caught."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Connection, select
from tests.simulation.broken import BROKEN

from homarus.models.contract import AssistantMessage, Text, ToolCall, ToolResultMessage, UserMessage
from homarus.pipeline import lanes, run_journal
from homarus.storage import outbound
from homarus.testing.simulation.disk import Disk
from homarus.testing.simulation.model import problems
from homarus.testing.simulation.process import Wiring
from homarus.testing.simulation.world import simulate

MOST_SEEDS = 150
EXPECTED = {
    "acknowledges before the commit": "lost|out of order",
    "acknowledges what was not stored": "lost|stuck",
    "forgets the dedupe of messages": "accepted",
    "sends again without a notice": "without a notice|answered",
    "takes an interrupted part for sent": "not shown",
    "forgets the dedupe of parts": "answered",
    "reports receipts for nothing": "not shown",
    "repeats payments": "paid 2 times",
    "does not recover": "stuck",
}
USER = UserMessage((Text("hi"),))
CALL = AssistantMessage("", (ToolCall("a", "read", "{}"),))
RESULT = ToolResultMessage("a", "read", "done")


def first_violations(wiring: Wiring | None = None) -> tuple[str, ...]:
    disk = Disk()
    try:
        for seed in range(MOST_SEEDS):
            if found := simulate(seed, disk, wiring).violations:
                return found
        return ()
    finally:
        disk.close()


@pytest.mark.parametrize("name", BROKEN)
def test_a_pipeline_that_is_put_together_wrong_is_caught(name: str) -> None:
    found = first_violations(BROKEN[name])
    assert any(re.search(EXPECTED[name], line) for line in found), found


def select_newest(connection: Connection, _channel: str, _account: str, _now: int, limit: int) -> list[object]:
    rows = select(outbound.outbound).where(outbound.outbound.c.state.in_(outbound.WAITING))
    newest = connection.execute(rows.order_by(outbound.outbound.c.seq.desc()).limit(limit))
    return [outbound._part(row) for row in newest]


def test_a_delivery_that_sends_later_parts_first_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "select_heads", select_newest)
    assert any("out of order" in line for line in first_violations())


def test_messages_of_two_chats_in_one_run_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def collect_all(first: object, following: object) -> bool:
        return True

    monkeypatch.setattr(lanes, "_is_collected", collect_all)
    assert first_violations() != ()


def test_a_run_that_ends_without_its_parts_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def insert_nothing(*_args: object) -> None:
        return None

    monkeypatch.setattr(run_journal.outbound, "insert_parts", insert_nothing)
    assert any(re.search("stuck|nothing was sent", line) for line in first_violations())


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ((), "does not begin"),
        ((CALL, RESULT), "does not begin"),
        ((USER, RESULT), "without its call"),
        ((USER, CALL, USER), "calls without results"),
        ((USER, CALL), "calls without results"),
        ((USER, AssistantMessage("hello")), "nothing was asked"),
    ],
)
def test_a_request_that_providers_would_refuse_is_caught(messages: tuple[object, ...], words: str) -> None:
    assert any(words in line for line in problems(messages))  # pyright: ignore[reportArgumentType]


def test_a_valid_request_is_let_through() -> None:
    assert problems((USER, CALL, RESULT)) == []
