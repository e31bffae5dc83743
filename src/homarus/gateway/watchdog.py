"""Notices when the event loop stands still, and names what holds it up.

The loop leaves a sign of life at every beat; a thread looks one beat later. Only when the sign is late does it look at
the stack of the loop's thread. Beats are far apart while nothing runs, because an idle gateway should sleep; `wake`
brings them together as soon as work begins.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Final

from msgspec import Struct

from homarus.clock import Clock
from homarus.meter import SECONDS, Histogram

log = logging.getLogger("homarus.gateway.watchdog")
LATE: Final = 0.2
"""Seconds the loop may be late before it is looked at."""
IDLE_BEAT: Final = 15.0
BUSY_BEAT: Final = 0.1
HANGING: Final = 5.0
"""Seconds after which a loop that still stands is reported while it stands."""
QUIET: Final = 60.0
"""Seconds between two warnings."""
FRAMES: Final = 6


class Culprit(Struct, frozen=True):
    """What ran on the loop while it was late: a task's name and the top of its stack, innermost first."""

    task: str
    frames: tuple[str, ...]

    def __str__(self) -> str:
        """Return `task 'x' at a.py:1 in f < b.py:2 in g`."""
        return f"{self.task} at {' < '.join(self.frames) or 'an unknown place'}"


class Watchdog:
    """Watches the loop it is started on. `is_busy` says whether to look closely."""

    def __init__(self, clock: Clock, is_busy: Callable[[], bool]) -> None:
        self._clock = clock
        self._is_busy = is_busy
        self._poked = threading.Event()
        self._is_stopped = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._thread_id = 0
        self._due = 0.0
        self._interval = IDLE_BEAT
        self._seen: Culprit | None = None
        self._is_hang_told = False
        self._quiet_until = float("-inf")
        self._kept_quiet = 0
        self.lag = Histogram(SECONDS)
        self.stalls = 0
        self.last: Culprit | None = None

    def start(self) -> None:
        """Begin to watch the running loop; `stop` ends it."""
        self._loop = asyncio.get_running_loop()
        self._thread_id = threading.get_ident()
        self._schedule()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the beats and the thread."""
        if self._timer is not None:
            self._timer.cancel()
        self._is_stopped = True
        self._poked.set()
        if self._thread is not None:
            self._thread.join(timeout=1.0)
            self._thread = None

    def wake(self) -> None:
        """Look closely from now on, because work has begun; called by the loop, as often as it likes."""
        if self._interval == IDLE_BEAT and self._timer is not None:
            self._timer.cancel()
            self._schedule()
            self._poked.set()

    def beat(self) -> None:
        """Note that the loop goes on; called by the loop."""
        late = self._clock.monotonic() - self._due
        self.lag.observe(late)
        if late > LATE:
            self._report(late)
        self._seen, self._is_hang_told = None, False
        self._schedule()

    def look(self) -> float:
        """Look whether the beat is overdue and return seconds until the next look; called by the thread."""
        late = self._clock.monotonic() - self._due
        if late <= LATE:
            return max(0.01, LATE - late + 0.005)
        if self._seen is None:
            self._seen = self._find_culprit()
        if late > HANGING and not self._is_hang_told:
            self._is_hang_told = True
            log.error("the event loop stands still for %.0f s: %s", late, self._seen)
        return self._interval

    def _watch(self) -> None:
        while not self._is_stopped:
            self._poked.wait(self.look())
            self._poked.clear()

    def _schedule(self) -> None:
        if self._loop is None or self._is_stopped:
            return
        self._interval = BUSY_BEAT if self._is_busy() else IDLE_BEAT
        self._due = self._clock.monotonic() + self._interval
        self._timer = self._loop.call_later(self._interval, self.beat)

    def _report(self, late: float) -> None:
        self.stalls += 1
        self.last = self._seen
        now = self._clock.monotonic()
        if now < self._quiet_until:
            self._kept_quiet += 1
            return
        more = f" ({self._kept_quiet} more since the last warning)" if self._kept_quiet else ""
        self._quiet_until, self._kept_quiet = now + QUIET, 0
        what = self._seen or "something that was over before it could be seen"
        log.warning("the event loop stood still for %.0f ms: %s%s", late * 1000, what, more)

    def _find_culprit(self) -> Culprit:
        frame = sys._current_frames().get(self._thread_id)  # noqa: SLF001 - the documented way to another thread's stack
        task = asyncio.current_task(self._loop)
        name = f"task {task.get_name()!r}" if task is not None else "a callback"
        return Culprit(name, top_frames(frame))


def top_frames(frame: FrameType | None) -> tuple[str, ...]:
    """Return the innermost FRAMES places of a stack as `file.py:12 in name`."""
    places: list[str] = []
    for each, line in traceback.walk_stack(frame) if frame is not None else ():
        path = Path(each.f_code.co_filename)
        places.append(f"{path.parent.name}/{path.name}:{line} in {each.f_code.co_qualname}")
        if len(places) == FRAMES:
            break
    return tuple(places)
