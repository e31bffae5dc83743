from __future__ import annotations

import asyncio

from homarus.channels.sdk.rate import TokenBucket
from homarus.testing.manual_clock import ManualClock


async def test_a_burst_goes_at_once_and_the_rest_at_the_pace() -> None:
    clock = ManualClock()
    bucket = TokenBucket(clock, burst=2, interval=3.0)
    await bucket.acquire()
    await bucket.acquire()
    assert not bucket.try_acquire()
    clock.advance(3.0)
    assert bucket.try_acquire()
    assert not bucket.try_acquire()


async def test_waiters_pass_in_order_and_nobody_overtakes_them() -> None:
    clock = ManualClock()
    bucket = TokenBucket(clock, burst=1, interval=2.0)
    passed: list[int] = []

    async def wait(number: int) -> None:
        await bucket.acquire()
        passed.append(number)

    await bucket.acquire()
    async with asyncio.TaskGroup() as tasks:
        for number in range(3):
            tasks.create_task(wait(number))
        for count in range(3):
            await clock.sleeping(2.0)
            assert len(passed) == count
            assert not bucket.try_acquire()
            clock.advance(2.0)
    assert passed == [0, 1, 2]


async def test_tokens_do_not_pile_up_beyond_the_burst() -> None:
    clock = ManualClock()
    bucket = TokenBucket(clock, burst=2, interval=1.0)
    clock.advance(100.0)
    assert [bucket.try_acquire() for _ in range(3)] == [True, True, False]
