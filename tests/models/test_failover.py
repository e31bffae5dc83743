from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.models.scripted import REQUEST, FastClock, ScriptedModel, abandon, done, events_of, failed

from homarus.models.contract import Failed, FailureKind, ModelEvent, ModelInfo, ModelRequest, TextDelta
from homarus.models.cooldown import Cooldowns
from homarus.models.failover import FailoverModel

FINAL = {FailureKind.CONTEXT_OVERFLOW, FailureKind.BAD_REQUEST}


def chain(clock: FastClock, *models: ScriptedModel, within: float = 150.0) -> FailoverModel:
    return FailoverModel(models, Cooldowns(clock), clock, within=within)


@pytest.mark.parametrize("kind", sorted(set(FailureKind) - FINAL))
async def test_the_fallback_answers_when_the_primary_fails(kind: FailureKind) -> None:
    model = chain(FastClock(), ScriptedModel([failed(kind)], "a"), ScriptedModel([done("b")], "b"))
    assert await events_of(model) == done("b")
    assert model.info.id == "a"


@pytest.mark.parametrize("kind", sorted(FINAL))
async def test_a_request_no_model_could_answer_is_not_passed_on(kind: FailureKind) -> None:
    fallback = ScriptedModel([done("b")], "b")
    assert await events_of(chain(FastClock(), ScriptedModel([failed(kind)], "a"), fallback)) == failed(kind)
    assert fallback.calls == 0


async def test_nothing_is_said_twice() -> None:
    cut: list[ModelEvent] = [TextDelta("par"), Failed(FailureKind.CONNECTION, "cut", "par")]
    fallback = ScriptedModel([done("b")], "b")
    assert await events_of(chain(FastClock(), ScriptedModel([cut], "a"), fallback)) == cut
    assert fallback.calls == 0


async def test_when_all_fail_the_first_failure_is_shown() -> None:
    models = (ScriptedModel([failed(FailureKind.AUTH)], "a"), ScriptedModel([failed(FailureKind.OVERLOADED)], "b"))
    assert await events_of(chain(FastClock(), *models)) == failed(FailureKind.AUTH)


async def test_a_failure_of_a_fallback_says_whose_it_is() -> None:
    final = ScriptedModel([failed(FailureKind.BAD_REQUEST)], "b")
    [shown] = await events_of(chain(FastClock(), ScriptedModel([failed(FailureKind.AUTH)], "a"), final))
    assert isinstance(shown, Failed)
    assert shown.ref == final.info.ref


async def test_a_failed_model_is_left_alone_then_probed_then_trusted_again() -> None:
    clock = FastClock()
    primary = ScriptedModel([failed(FailureKind.OVERLOADED), failed(FailureKind.OVERLOADED), done("a")], "a")
    model = chain(clock, primary, ScriptedModel([done("b")], "b"))
    for pause, calls in ((0.0, 1), (29.0, 1), (1.0, 2), (59.0, 2), (1.0, 3), (0.0, 4)):
        clock.time += pause
        await events_of(model)
        assert primary.calls == calls


async def test_one_probe_at_a_time() -> None:
    clock = FastClock()
    cooldowns = Cooldowns(clock)
    cooldowns.fail("p/a", Failed(FailureKind.TIMEOUT, ""))
    clock.time += 30
    assert [cooldowns.admit("p/a"), cooldowns.admit("p/a")] == [True, False]
    cooldowns.release("p/a")
    assert cooldowns.admit("p/a")


async def test_when_all_are_left_alone_the_one_ready_first_is_asked() -> None:
    clock = FastClock()
    first = ScriptedModel([failed(FailureKind.RATE_LIMIT, 200.0)], "a")
    second = ScriptedModel([failed(FailureKind.OVERLOADED), done("b")], "b")
    model = chain(clock, first, second)
    await events_of(model)
    assert await events_of(model) == done("b")
    assert first.calls == 1


async def test_a_cooldown_is_bounded_whatever_a_provider_asks_for() -> None:
    clock = FastClock()
    cooldowns = Cooldowns(clock)
    cooldowns.fail("p/a", Failed(FailureKind.RATE_LIMIT, "", retry_after=86400.0))
    assert cooldowns.ends_at("p/a") == clock.time + 300.0


async def test_no_model_is_tried_after_the_deadline() -> None:
    clock = FastClock()
    slow = ScriptedModel([failed(FailureKind.TIMEOUT)], "a", clock=clock, takes=200.0)
    fallback = ScriptedModel([done("b")], "b")
    assert await events_of(chain(clock, slow, fallback)) == failed(FailureKind.TIMEOUT)
    assert fallback.calls == 0


class HangingModel:
    """Never says anything."""

    @property
    def info(self) -> ModelInfo:
        return ModelInfo("p", "hang", "hang", 1, 1)

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        await asyncio.Event().wait()
        yield TextDelta("never")


async def test_a_hanging_model_is_cut_at_the_deadline() -> None:
    clock = FastClock()
    model = FailoverModel((HangingModel(),), Cooldowns(clock), clock, within=0.01)
    last = (await events_of(model))[-1]
    assert isinstance(last, Failed)
    assert last.kind is FailureKind.TIMEOUT


async def test_an_abandoned_probe_frees_its_place() -> None:
    clock = FastClock()
    cooldowns = Cooldowns(clock)
    cooldowns.fail("p/a", Failed(FailureKind.TIMEOUT, ""))
    clock.time += 30
    stream = FailoverModel((ScriptedModel([done("x")], "a"),), cooldowns, clock).stream(REQUEST)
    await abandon(stream)
    assert cooldowns.admit("p/a")
