"""The n-th durable action fails once, for every n of one conversation: nothing lost, nothing doubled, still running."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import event
from tests.crash.history import Story, open_history
from tests.crash.small_world import Surroundings, alive, check_replies, paying_model
from tests.pipeline.harness import FakeNetwork

from homarus.channels.contract import Ambiguous, OutboundPart, Receipt, Verdict
from homarus.config.load import load
from homarus.config.write import backup_of, load_or_last_good, set_value
from homarus.errors import ConfigError, Transient
from homarus.storage.sqlite import SqliteDatabase, driver_of

TOKENS = ["t1", "t2"]
MOST = 300
"""Actions after which a test is sure to have counted wrongly."""


class NthFailure:
    """Counts actions and fails the n-th."""

    def __init__(self, n: int) -> None:
        self._left = n

    @property
    def has_fired(self) -> bool:
        return self._left <= 0

    def is_now(self) -> bool:
        self._left -= 1
        return self._left == 0


def fail_commit(text: str) -> Callable[[SqliteDatabase, NthFailure], None]:
    def prepare(database: SqliteDatabase, failure: NthFailure) -> None:
        def on_commit(_connection: SqlConnection) -> None:
            if failure.is_now():
                raise sqlite3.OperationalError(text)

        event.listen(database.engine, "commit", on_commit)

    return prepare


def lose_answer(database: SqliteDatabase, failure: NthFailure) -> None:
    """Let the commit happen and its answer fail, as a lost connection to a database server does."""

    def on_commit(connection: SqlConnection) -> None:
        if failure.is_now():
            driver_of(connection).commit()
            raise sqlite3.OperationalError("disk I/O error")

    event.listen(database.engine, "commit", on_commit)


def fail_statement(database: SqliteDatabase, failure: NthFailure) -> None:
    def on_execute(*_details: object) -> None:
        if failure.is_now():
            raise sqlite3.OperationalError("disk I/O error")

    event.listen(database.engine, "before_cursor_execute", on_execute)


DATABASE_FAULTS = {
    "full": fail_commit("database or disk is full"),
    "io-error": fail_commit("disk I/O error"),
    "answer-lost": lose_answer,
    "statement": fail_statement,
}


async def converse(around: Surroundings, prepare: Callable[[SqliteDatabase], None] | None = None) -> None:
    async with alive(around, prepare) as here:
        for number, token in enumerate(TOKENS, start=1):
            await here.receive(f"please pay {token}", number)
            await here.rest(number)


async def check(around: Surroundings, *, states: frozenset[str] = frozenset({"delivered"})) -> None:
    """Fail unless both messages ended well, exactly once, and a restart finds nothing left to do."""
    check_replies(around.network, TOKENS)
    payments = around.payments()
    assert all(count == 1 for count in payments.values()), payments
    async with open_history(None, around.root) as history:
        stories = await history.stories()
        assert len(stories) == len(TOKENS)
        for story in stories:
            assert story.message.state in states, story.message.trail
            check_transcript(story)
    sent = len(around.network.sent)
    async with alive(around) as again:
        assert again.taken_up == 0
    assert len(around.network.sent) == sent


def check_transcript(story: Story) -> None:
    types = [entry.type for entry in story.entries]
    assert types.count("user") == 1
    finals = [entry for entry in story.entries if entry.type == "assistant" and not entry.payload.get("tool_calls")]
    assert len(finals) == 1
    assert story.entries[-1] is finals[0]
    calls = len([entry for entry in story.entries if entry.type == "assistant"]) - 1
    assert types.count("tool_result") == calls


@pytest.mark.timeout(120)
@pytest.mark.parametrize("fault", DATABASE_FAULTS)
async def test_a_database_action_that_fails_once_costs_nothing(fault: str, quick_path: Path) -> None:
    for n in range(1, MOST):
        failure = NthFailure(n)
        around = Surroundings(quick_path / str(n), paying_model())
        await converse(around, lambda database, failure=failure: DATABASE_FAULTS[fault](database, failure))
        await check(around)
        if not failure.has_fired:
            assert n > 10
            return
    pytest.fail(f"more than {MOST} actions")


class FaultyNetwork(FakeNetwork):
    """Fails the n-th send; `arrives` tells whether the part is on the network all the same."""

    def __init__(self, failure: NthFailure, error: Exception, verdict: Verdict, *, arrives: bool) -> None:
        super().__init__(verdict=verdict)
        self._failure = failure
        self._error = error
        self._arrives = arrives

    async def send(self, part: OutboundPart) -> Receipt:
        if not self._failure.is_now():
            return await super().send(part)
        if self._arrives:
            await super().send(part)
        raise self._error


SEND_FAULTS = {
    "refused": (Transient("try later", retry_after=1.0), Verdict.NOT_SENT, False),
    "lost": (Ambiguous("connection lost"), Verdict.UNKNOWN, False),
    "lost-but-sent": (Ambiguous("connection lost"), Verdict.UNKNOWN, True),
    "found-sent": (Ambiguous("connection lost"), Verdict.SENT, True),
    "found-unsent": (TimeoutError(), Verdict.NOT_SENT, False),
}


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("fault", SEND_FAULTS)
async def test_a_send_that_fails_once_is_made_good(fault: str, n: int, quick_path: Path) -> None:
    error, verdict, arrives = SEND_FAULTS[fault]
    failure = NthFailure(n)
    network = FaultyNetwork(failure, error, verdict, arrives=arrives)
    around = Surroundings(quick_path / "home", paying_model(), network=network)
    await converse(around)
    await check(around)
    assert failure.has_fired
    is_doubled = fault == "lost-but-sent"
    assert len(network.sent) == len(TOKENS) + is_doubled


@pytest.mark.parametrize("action", ["fsync", "replace"])
def test_a_configuration_write_that_fails_once_leaves_the_old_or_the_new_text(
    action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(os, action)
    for n in range(1, MOST):
        path = tmp_path / str(n) / "homarus.json"
        set_value(path, "gateway.port", 4001, {})
        failure = NthFailure(n)

        def act(*arguments: object, failure: NthFailure = failure) -> object:
            if failure.is_now():
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(os, action, act)
            try:
                set_value(path, "gateway.port", 4002, {})
            except ConfigError as error:
                assert "cannot be written" in error.message
        assert load(path, {}).config.gateway.port in {4001, 4002}
        assert {item.name for item in path.parent.iterdir()} <= {path.name, backup_of(path).name}
        set_value(path, "gateway.port", 4003, {})
        assert load_or_last_good(path, {}).config.gateway.port == 4003
        if not failure.has_fired:
            assert n > 1
            return
    pytest.fail(f"more than {MOST} actions")
