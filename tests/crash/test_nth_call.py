"""The n-th durable action fails once, for every n of one conversation: nothing lost, nothing doubled, still running."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import sqlite3
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from tests.crash.faulty_driver import FAULTS, faultless_again, faulty_driver
from tests.crash.history import Story, open_history
from tests.crash.script import STEPS, check_request, tools_since_user
from tests.crash.small_world import LeapingClock, Surroundings, alive, check_replies, paying_model
from tests.pipeline.harness import FakeNetwork, direct, group

from homarus.channels.contract import Ambiguous, OutboundPart, Receipt, Verdict
from homarus.config.load import load
from homarus.config.schema import Config
from homarus.config.write import backup_of, load_or_last_good, set_value
from homarus.errors import ConfigError, Transient
from homarus.models.catalogue import Catalogue
from homarus.models.configured import settings_from_config, timeouts_from_config
from homarus.models.contract import Model
from homarus.models.http import HttpClient
from homarus.pipeline.outbox import NOTICE
from homarus.testing.model_server import Cut, JsonObject, ModelServer, Raw, Refuse, Reply, Say, last_user_text

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


def fail_commit(text: str) -> Callable[[NthFailure], None]:
    def put(failure: NthFailure) -> None:
        def on_commit(_commit: Callable[[], None]) -> None:
            if failure.is_now():
                raise sqlite3.OperationalError(text)

        FAULTS.on_commit = on_commit

    return put


def lose_answer(failure: NthFailure) -> None:
    """Let the commit happen and its answer fail, as a lost connection to a database server does."""

    def on_commit(commit: Callable[[], None]) -> None:
        if failure.is_now():
            commit()
            raise sqlite3.OperationalError("disk I/O error")

    FAULTS.on_commit = on_commit


def fail_statement(failure: NthFailure) -> None:
    def on_statement() -> None:
        if failure.is_now():
            raise sqlite3.OperationalError("disk I/O error")

    FAULTS.on_statement = on_statement


DATABASE_FAULTS = {
    "full": fail_commit("database or disk is full"),
    "io-error": fail_commit("disk I/O error"),
    "answer-lost": lose_answer,
    "statement": fail_statement,
}


async def converse(around: Surroundings, put_fault: Callable[[], None] = lambda: None) -> None:
    with faultless_again():
        async with alive(around) as here:
            put_fault()
            for number, token in enumerate(TOKENS, start=1):
                await here.receive(direct(f"please pay {token}", number))
                await here.rest(number)


async def check(around: Surroundings) -> None:
    """Fail unless both messages ended well, exactly once, and a restart finds nothing left to do."""
    check_replies(around.network, TOKENS)
    payments = around.payments()
    assert all(count == 1 for count in payments.values()), payments
    async with open_history(None, around.root) as history:
        stories = await history.stories()
        assert len(stories) == len(TOKENS)
        for story in stories:
            assert story.message.state == "delivered", story.message.trail
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


@pytest.fixture
def driver() -> Iterator[None]:
    with faulty_driver():
        yield


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize("fault", DATABASE_FAULTS)
async def test_a_database_action_that_fails_once_costs_nothing(fault: str, quick_path: Path) -> None:
    for n in range(1, MOST):
        failure = NthFailure(n)
        around = Surroundings(quick_path / str(n), paying_model())
        await converse(around, partial(DATABASE_FAULTS[fault], failure))
        await check(around)
        if not failure.has_fired:
            assert n > 10
            return
    pytest.fail(f"more than {MOST} actions")


async def burst(around: Surroundings, put_fault: Callable[[], None]) -> None:
    """Let messages of two chats come at the same time."""
    with faultless_again():
        async with alive(around) as here:
            put_fault()
            async with asyncio.TaskGroup() as tasks:
                for number in (1, 2, 3):
                    tasks.create_task(here.receive(direct(f"please pay t{number}", number)))
                tasks.create_task(here.receive(group("please pay g1", 1, is_mentioned=True)))
            await here.rest(4)


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize("fault", DATABASE_FAULTS)
async def test_a_database_action_that_fails_once_in_a_burst_costs_nothing(fault: str, quick_path: Path) -> None:
    for n in range(1, MOST):
        failure = NthFailure(n)
        around = Surroundings(quick_path / str(n), paying_model())
        await burst(around, partial(DATABASE_FAULTS[fault], failure))
        await check_burst(around)
        if not failure.has_fired:
            assert n > 10
            return
    pytest.fail(f"more than {MOST} actions")


async def check_burst(around: Surroundings) -> None:
    """Fail unless every message is in exactly one run that ended, and every part of a run was shown once."""
    assert all(count == 1 for count in around.payments().values())
    plain = Counter(part.id for part in around.network.sent if not part.text.startswith(NOTICE))
    assert all(count == 1 for count in plain.values()), around.network.sent
    shown = {part.id for part in around.network.sent}
    async with open_history(None, around.root) as history:
        stories = await history.stories()
    assert len(stories) == 4
    for story in stories:
        assert story.message.state == "delivered", story.message.trail
        assert [part.state for part in story.parts] == ["sent"]
        assert {part.id for part in story.parts} <= shown
        check_transcript(story)


MODEL_FAULTS: dict[str, Reply] = {
    "500": Refuse(500),
    "429": Refuse(429, headers={"Retry-After": "1"}),
    "401": Refuse(401, code="invalid_api_key"),
    "garbage": Raw(b"data: {no json\n\n"),
    "no-stream": Raw(b"<html>busy</html>", content_type="text/html"),
    "cut": Cut("half an ans"),
    "cut-at-once": Cut(""),
}


@pytest.mark.parametrize("n", range(1, 2 * STEPS + 1))
@pytest.mark.parametrize("fault", MODEL_FAULTS)
async def test_a_call_of_the_model_that_fails_once_is_made_good_or_told(fault: str, n: int, quick_path: Path) -> None:
    failure = NthFailure(n)

    def reply(body: JsonObject) -> Reply:
        check_request(body)
        return MODEL_FAULTS[fault] if failure.is_now() else pay_and_answer(body)

    async with ModelServer(answer=reply) as server, real_model(server) as model:
        around = Surroundings(quick_path, model)
        await converse(around)
        assert failure.has_fired
        assert all(count == 1 for count in around.payments().values())
        async with open_history(None, quick_path) as history:
            stories = await history.stories()
    states = [story.message.state for story in stories]
    assert set(states) <= {"delivered", "failed"}
    assert states.count("failed") <= 1
    texts = [part.text for part in around.network.sent]
    assert len(texts) == len(TOKENS)
    for story, token, text in zip(stories, TOKENS, texts, strict=True):
        check_transcript(story)
        if story.message.state == "delivered":
            assert text == f"answer to {token}"
        else:
            assert story.message.reason.startswith("user told: ")
            assert text.startswith("I could not finish this: ")


def pay_and_answer(body: JsonObject) -> Reply:
    token = last_user_text(body).split()[-1]
    done = tools_since_user(body)
    calls = (("pay", json.dumps(token)), ("read", "{}"))
    return Say(calls=(calls[done],)) if done < len(calls) else Say(f"answer to {token}")


@asynccontextmanager
async def real_model(server: ModelServer) -> AsyncGenerator[Model]:
    """Return the model of a server as a gateway would reach it, retries and all."""
    provider = {"baseUrl": server.base_url, "apiKey": "none", "api": "openai-completions",
                "models": [{"id": "mock", "name": "Mock"}]}  # fmt: skip
    config = Config.model_validate({"models": {"providers": {"mock": provider}}})
    http = HttpClient(timeouts_from_config(config))
    try:
        yield Catalogue(settings_from_config(config, {}), http, LeapingClock()).resolve("mock/mock")
    finally:
        await http.close()


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
            with suppress(ConfigError):  # in the last round nothing fails
                set_value(path, "gateway.port", 4002, {})
        assert load(path, {}).config.gateway.port in {4001, 4002}
        assert {item.name for item in path.parent.iterdir()} <= {path.name, backup_of(path).name}
        set_value(path, "gateway.port", 4003, {})
        assert load_or_last_good(path, {}).config.gateway.port == 4003
        if not failure.has_fired:
            assert n > 1
            return
    pytest.fail(f"more than {MOST} actions")
