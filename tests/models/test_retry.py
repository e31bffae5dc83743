from __future__ import annotations

import logging

import pytest
from tests.models.scripted import REQUEST, FastClock, ScriptedModel, abandon, done, events_of, failed

from homarus.models.contract import RETRYABLE_KINDS, Failed, FailureKind, ModelEvent, TextDelta, ThinkingDelta
from homarus.models.retry import RetryPolicy, with_retries


@pytest.mark.parametrize("kind", sorted(RETRYABLE_KINDS))
async def test_a_passing_failure_is_tried_again_with_growing_pauses(kind: FailureKind) -> None:
    clock = FastClock()
    model = ScriptedModel([failed(kind), failed(kind), done("ok")])
    assert await events_of(with_retries(model, clock)) == done("ok")
    assert clock.slept == [1.0, 2.0]


@pytest.mark.parametrize("kind", sorted(set(FailureKind) - RETRYABLE_KINDS))
async def test_a_lasting_failure_is_not_tried_again(kind: FailureKind) -> None:
    model = ScriptedModel([failed(kind), done("ok")])
    assert await events_of(with_retries(model, FastClock())) == failed(kind)
    assert model.calls == 1


@pytest.mark.parametrize("first", [TextDelta("par"), ThinkingDelta("hm")])
async def test_nothing_is_tried_again_once_something_was_passed_on(first: ModelEvent) -> None:
    cut = Failed(FailureKind.CONNECTION, "cut", partial="par")
    model = ScriptedModel([[first, cut], done("ok")])
    assert await events_of(with_retries(model, FastClock())) == [first, cut]
    assert model.calls == 1


async def test_retries_are_counted() -> None:
    model = ScriptedModel([failed(FailureKind.OVERLOADED)])
    assert await events_of(with_retries(model, FastClock())) == failed(FailureKind.OVERLOADED)
    assert model.calls == 3


async def test_the_pause_a_provider_asks_for_is_kept_and_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "homarus.models")
    clock = FastClock()
    model = ScriptedModel([failed(FailureKind.RATE_LIMIT, 12.0), done("ok")])
    await events_of(with_retries(model, clock))
    assert clock.slept == [12.0]
    assert [message.partition(" is ")[2] for message in caplog.messages] == ["asked again in 12.0 s"]


async def test_a_pause_beyond_the_total_ends_at_once() -> None:
    clock = FastClock()
    model = ScriptedModel([failed(FailureKind.RATE_LIMIT, 20.0)])
    assert await events_of(with_retries(model, clock)) == failed(FailureKind.RATE_LIMIT, 20.0)
    assert clock.slept == [20.0]


async def test_no_retry_begins_after_a_long_call() -> None:
    clock = FastClock()
    model = ScriptedModel([failed(FailureKind.TIMEOUT)], clock=clock, takes=120.0)
    await events_of(with_retries(model, clock, RetryPolicy(start_within=60.0)))
    assert model.calls == 1


async def test_a_model_that_ends_without_a_result_has_failed() -> None:
    last = (await events_of(with_retries(ScriptedModel([[]]), FastClock())))[-1]
    assert isinstance(last, Failed)
    assert last.kind is FailureKind.GARBAGE


async def test_an_abandoned_stream_is_closed_down_to_the_model() -> None:
    model = ScriptedModel([done("ok")])
    stream = with_retries(model, FastClock()).stream(REQUEST)
    await abandon(stream)
    assert model.closed == 1
