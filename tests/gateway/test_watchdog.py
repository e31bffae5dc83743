from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from homarus.clock import SystemClock
from homarus.gateway.watchdog import BUSY_BEAT, HANGING, IDLE_BEAT, LATE, QUIET, Watchdog, top_frames
from homarus.testing.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def watchdog(clock: ManualClock) -> Watchdog:
    return Watchdog(clock, lambda: False)


def test_the_thread_sleeps_until_a_beat_could_be_late(clock: ManualClock, watchdog: Watchdog) -> None:
    watchdog._due = clock.monotonic() + IDLE_BEAT
    assert watchdog.look() == pytest.approx(IDLE_BEAT + LATE, abs=0.01)
    assert watchdog._seen is None


def test_a_stall_is_counted_and_told_once_in_a_while(
    clock: ManualClock, watchdog: Watchdog, caplog: pytest.LogCaptureFixture
) -> None:
    def stall(seconds: float) -> None:
        watchdog._due = clock.monotonic()
        clock.advance(seconds)
        watchdog.beat()

    with caplog.at_level(logging.WARNING):
        stall(0.5)
        stall(0.4)
        clock.advance(QUIET)
        stall(0.3)
    assert watchdog.stalls == 3
    assert watchdog.lag.count == 3
    first, second = (record.getMessage() for record in caplog.records)
    assert "500 ms" in first
    assert "300 ms" in second
    assert "1 more" in second


def test_a_beat_in_time_says_nothing(clock: ManualClock, watchdog: Watchdog, caplog: pytest.LogCaptureFixture) -> None:
    watchdog._due = clock.monotonic()
    clock.advance(LATE)
    watchdog.beat()
    assert (watchdog.stalls, caplog.records) == (0, [])


async def test_a_loop_that_hangs_is_told_while_it_hangs(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    watchdog = Watchdog(clock, lambda: True)
    watchdog.start()
    watchdog.stop()
    clock.advance(HANGING + BUSY_BEAT + 1)
    assert watchdog.look() == BUSY_BEAT
    assert watchdog.look() == BUSY_BEAT
    hung = [record for record in caplog.records if "stands still" in record.getMessage()]
    assert len(hung) == 1
    assert "test_a_loop_that_hangs" in hung[0].getMessage()


async def test_the_task_that_blocks_the_loop_is_named_with_its_place() -> None:
    seen, told = threading.Event(), asyncio.Event()

    class Told(Watchdog):
        """Lets go of the loop once it has seen who holds it."""

        def look(self) -> float:
            pause = super().look()
            if self._seen is not None:
                seen.set()
            return pause

        def _report(self, late: float) -> None:
            super()._report(late)
            told.set()

    watchdog = Told(SystemClock(), lambda: True)
    watchdog.start()

    async def hold_up_everybody() -> None:
        assert seen.wait(20)

    await asyncio.create_task(hold_up_everybody(), name="the culprit")
    await told.wait()
    watchdog.stop()
    assert watchdog.last is not None
    assert "'the culprit'" in watchdog.last.task
    assert any("hold_up_everybody" in frame for frame in watchdog.last.frames)
    assert "task 'the culprit' at" in str(watchdog.last)


async def test_work_brings_the_beats_together_at_once() -> None:
    is_busy = False
    watchdog = Watchdog(ManualClock(), lambda: is_busy)
    watchdog.start()
    try:
        assert watchdog._interval == IDLE_BEAT
        is_busy = True
        watchdog.wake()
        assert watchdog._interval == BUSY_BEAT
    finally:
        watchdog.stop()


def test_frames_of_nothing_are_none() -> None:
    assert top_frames(None) == ()
