from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from homarus.errors import AuthFailed, Transient
from homarus.gateway.supervisor import RestartPolicy, Supervisor
from homarus.testing.manual_clock import ManualClock

POLICY = RestartPolicy(first_pause=1.0, max_pause=4.0, steady=60.0, budget=2, window=100.0, rest=500.0)
FIRST = 1.0 * (1 + 0.3 * 0.5)


class Work:
    """Fails as often as told, then goes on."""

    def __init__(self, *failures: BaseException | None) -> None:
        self._failures = list(failures)
        self.begun = 0
        self.news = asyncio.Event()

    async def run(self) -> None:
        self.begun += 1
        self.news.set()
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None:
            raise failure
        await asyncio.Event().wait()

    async def begins(self, number: int) -> None:
        while self.begun < number:
            self.news.clear()
            await self.news.wait()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def supervisor(clock: ManualClock) -> AsyncIterator[Supervisor]:
    made = Supervisor(clock)
    yield made
    await made.stop()


async def pass_pause(clock: ManualClock, seconds: float) -> None:
    await clock.sleeping(seconds)
    clock.advance(seconds)


async def test_a_lost_connection_is_tried_again_with_growing_pauses(clock: ManualClock, supervisor: Supervisor) -> None:
    work = Work(Transient("gone"), Transient("gone"), Transient("gone"), Transient("gone"))
    entry = supervisor.start("irc", work.run, POLICY)
    for pause in (1.0, 2.0, 4.0, 4.0):
        await pass_pause(clock, pause * 1.15)
    await work.begins(5)
    assert (entry.state, entry.restarts, entry.error) == ("running", 4, "gone")


async def test_the_other_side_says_when_to_come_again_within_reason(clock: ManualClock, supervisor: Supervisor) -> None:
    work = Work(Transient("slow down", retry_after=33.0), Transient("never", retry_after=1e9))
    supervisor.start("irc", work.run, POLICY)
    await pass_pause(clock, 33.0)
    await pass_pause(clock, 3600.0)
    await work.begins(3)


async def test_what_ran_for_a_while_waits_shorter_than_what_never_ran(
    clock: ManualClock, supervisor: Supervisor
) -> None:
    policy = RestartPolicy(first_pause=1.0, max_pause=64.0, recovery=10.0, steady=60.0)
    lines: asyncio.Queue[float] = asyncio.Queue()

    async def work() -> None:
        clock.advance(await lines.get())
        raise Transient("gone")

    supervisor.start("telegram", work, policy)
    for ran, pause in ((0, 1), (0, 2), (0, 4), (0, 8), (20, 4), (20, 2), (10, 2), (0, 4), (60, 1)):
        lines.put_nowait(ran)
        await pass_pause(clock, pause * 1.15)


async def test_a_pause_that_was_asked_for_does_not_lengthen_the_next(
    clock: ManualClock, supervisor: Supervisor
) -> None:
    work = Work(*(Transient("slow down", retry_after=3.0) for _ in range(5)), Transient("gone"))
    supervisor.start("telegram", work.run, POLICY)
    for _ in range(5):
        await pass_pause(clock, 3.0)
    await pass_pause(clock, FIRST)
    await work.begins(7)


async def test_one_task_fails_alone(supervisor: Supervisor) -> None:
    good, bad = Work(), Work(AuthFailed("wrong password"))
    supervisor.start("good", good.run, POLICY)
    supervisor.start("bad", bad.run, POLICY)
    await good.begins(1)
    await bad.begins(1)
    await asyncio.sleep(0)
    assert {entry.name: entry.state for entry in supervisor.tasks()} == {"good": "running", "bad": "given up"}


async def test_too_many_bugs_open_the_breaker_and_one_try_after_the_rest(
    clock: ManualClock, supervisor: Supervisor
) -> None:
    work = Work(*(ValueError("bug") for _ in range(4)))
    entry = supervisor.start("feed", work.run, POLICY)
    await pass_pause(clock, FIRST)
    await pass_pause(clock, 2 * FIRST)
    await clock.sleeping(POLICY.rest)
    assert (entry.state, work.begun) == ("resting", 3)
    clock.advance(POLICY.rest)
    await clock.sleeping(POLICY.rest)
    assert (entry.state, work.begun) == ("resting", 4)
    clock.advance(POLICY.rest)
    await work.begins(5)
    assert entry.state == "running"


async def test_a_task_that_was_steady_after_a_rest_has_its_budget_again(
    clock: ManualClock, supervisor: Supervisor
) -> None:
    steady = asyncio.Event()
    failures = iter(["bug"] * 3)

    async def work() -> None:
        if next(failures, None):
            raise ValueError("bug")
        await steady.wait()
        steady.clear()
        raise ValueError("a new bug")

    entry = supervisor.start("feed", work, POLICY)
    await pass_pause(clock, FIRST)
    await pass_pause(clock, 2 * FIRST)
    await pass_pause(clock, POLICY.rest)
    while entry.state != "running":
        await asyncio.sleep(0)
    clock.advance(POLICY.steady)
    steady.set()
    await clock.sleeping(FIRST)
    assert entry.state == "waiting"


async def test_a_task_that_cancels_itself_is_started_again(clock: ManualClock, supervisor: Supervisor) -> None:
    work = Work(asyncio.CancelledError())
    entry = supervisor.start("feed", work.run, POLICY)
    await pass_pause(clock, FIRST)
    await work.begins(2)
    assert entry.restarts == 1


async def test_work_that_returns_has_ended(supervisor: Supervisor) -> None:
    async def work() -> None:
        await asyncio.sleep(0)

    entry = supervisor.start("once", work)
    assert entry.task is not None
    await entry.task
    assert entry.state == "ended"


async def test_a_stopped_task_is_gone_and_its_name_is_free(supervisor: Supervisor) -> None:
    work = Work()
    supervisor.start("irc", work.run)
    await work.begins(1)
    with pytest.raises(ValueError, match="supervised already"):
        supervisor.start("irc", work.run)
    await supervisor.stop("irc")
    await supervisor.stop("irc")
    assert supervisor.tasks() == ()
    assert supervisor.start("irc", work.run).task is not None
