"""The simulation of one seed: chaos for a while, then calm until everything has settled, then the verdict."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from msgspec import Struct, field

from homarus.config.schema import Config
from homarus.storage import inbound, outbound
from homarus.storage.database import Connection
from homarus.testing.simulation.checker import History, read_journal, violations
from homarus.testing.simulation.clock import SimulatedClock
from homarus.testing.simulation.disk import Disk
from homarus.testing.simulation.faults import Faults
from homarus.testing.simulation.life import Life
from homarus.testing.simulation.loop import Timeline, VirtualLoop
from homarus.testing.simulation.network import Platform
from homarus.testing.simulation.people import write_script
from homarus.testing.simulation.process import Evidence, Process, Wiring

CHAOS_SECONDS = 300.0
CALM_SECONDS = 1_200.0
"""Longer than the longest pause of the delivery and a run that reaches its time limit: by then all has settled."""
MODES = ("collect", "followup", "steer", "interrupt")
MAX_LIVES = 60
LOOK_SECONDS = 1.0
CANCEL_ROUNDS = 20


class Result(Struct, frozen=True):
    """What one seed did. `seconds` are virtual; `events` counts everything the trace has a line for."""

    seed: int
    violations: tuple[str, ...]
    faults: Counter[str]
    trace: tuple[str, ...]
    events: int
    messages: int
    shown: int
    lives: int
    kills: int
    seconds: float


class _Trace(Struct):
    timeline: Timeline
    is_kept: bool
    lines: list[str] = field(default_factory=list[str])
    count: int = 0

    def note(self, line: str) -> None:
        self.count += 1
        if self.is_kept:
            self.lines.append(f"{self.timeline.now:10.3f}  {line}")


class _LogWatch(logging.Handler):
    """An unexpected exception ends in the log; here that is a violation."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._complain = complain

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._complain(f"logged: {record.getMessage()} {error!r}")


class Simulation:
    """Runs one seed on a disk that is erased first."""

    def __init__(self, seed: int, disk: Disk, wiring: Wiring | None = None, *, keeps_trace: bool = False) -> None:
        self._seed = seed
        self._wiring = wiring or Wiring()
        self._timeline = Timeline()
        self._random = Random(seed)  # noqa: S311 - the same numbers every time are the point
        self._trace = _Trace(self._timeline, keeps_trace)
        self._faults = Faults(Random(seed ^ 0x5EED))  # noqa: S311
        self._clock = SimulatedClock(self._timeline, self._random)
        self._script = write_script(self._random, CHAOS_SECONDS * 0.9)
        self._platform = Platform(list(self._script), self._random, self._faults)
        self._evidence = Evidence()
        self._config = _config(self._random)
        self._disk = disk
        self._lives = self._kills = 0

    def run(self) -> Result:
        """Simulate to the end and judge."""
        self._disk.erase()
        watch = _LogWatch(self._complain)
        logger = logging.getLogger("homarus")
        level, propagates = logger.level, logger.propagate
        logger.addHandler(watch)
        logger.setLevel(logging.ERROR)
        logger.propagate = False
        try:
            while not self._is_over and self._lives < MAX_LIVES:
                self._live()
        finally:
            logger.removeHandler(watch)
            logger.setLevel(level)
            logger.propagate = propagates
        return self._judge()

    @property
    def _is_over(self) -> bool:
        return self._timeline.now >= CHAOS_SECONDS + CALM_SECONDS or (self._is_calm and self._is_settled())

    @property
    def _is_calm(self) -> bool:
        return self._timeline.now >= CHAOS_SECONDS

    def _is_settled(self) -> bool:
        return self._platform.is_quiet and self._disk.look(_count_open) == 0

    def _live(self) -> None:
        """One life of the process, and the time until somebody starts it again."""
        self._lives += 1
        self._trace.note(f"== life {self._lives}")
        loop = VirtualLoop(self._timeline)
        loop.set_exception_handler(self._on_unhandled)
        asyncio.set_event_loop(None)
        life = Life(self._clock, self._random, self._faults, self._trace.note)
        process = Process(life, self._disk, self._platform, self._evidence, self._config, self._wiring)
        main = loop.create_task(self._guide(life, process), name="main")
        main.add_done_callback(lambda _task: loop.stop())
        loop.run_forever()
        if main.done() and not main.cancelled() and main.exception() is not None:
            self._complain(f"the simulation broke: {main.exception()!r}")
        life.is_over = True
        self._kills += life.was_killed
        _bury(loop)
        if not self._is_calm:
            self._timeline.advance(self._random.uniform(0.1, 15.0))

    async def _guide(self, life: Life, process: Process) -> None:
        """Run the process until something ends it."""
        if not await process.start():
            return
        while not self._is_over:
            await asyncio.sleep(LOOK_SECONDS)
            self._faults.is_active = not self._is_calm
            if self._disturb(life):
                break
            process.look()
        else:
            await asyncio.sleep(LOOK_SECONDS)
            for name in process.leaks():
                self._complain(f"left over: the task {name}")
        await process.stop()

    def _disturb(self, life: Life) -> bool:
        """Do something to the machine; True when the process is to stop in an orderly way."""
        hits = self._faults.hits
        for name, sign in (("clock back", 1.0), ("clock forward", -1.0)):
            if hits(name):
                seconds = self._random.choice((0.5, 5.0, 3_600.0, 86_400.0))
                self._trace.note(f"{name} by {seconds} s")
                self._clock.set_back(sign * seconds)
        if hits("pause"):
            self._trace.note("pause")
            self._timeline.pause(self._random.choice((0.5, 5.0, 120.0)))
        life.dies("kill at random")
        if hits("stop"):
            self._trace.note("== stop")
            return True
        return False

    def _judge(self) -> Result:
        self._disk.connection.rollback()
        messages, runs, parts, files = self._disk.look(read_journal)
        history = History(self._script, messages, runs, parts, files, self._platform.shown, self._evidence)
        found = tuple(violations(history))
        return Result(
            seed=self._seed,
            violations=found,
            faults=self._faults.counts,
            trace=tuple(self._trace.lines),
            events=self._trace.count,
            messages=len(messages),
            shown=len(self._platform.shown),
            lives=self._lives,
            kills=self._kills,
            seconds=self._timeline.now,
        )

    def _complain(self, what: str) -> None:
        self._trace.note(f"!! {what}")
        self._evidence.complaints.append(what)

    def _on_unhandled(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._complain(f"unhandled: {context.get('message')} {context.get('exception')!r}")


def simulate(seed: int, disk: Disk, wiring: Wiring | None = None, *, keeps_trace: bool = False) -> Result:
    """Simulate one seed; equal seeds give equal results."""
    return Simulation(seed, disk, wiring, keeps_trace=keeps_trace).run()


def _config(random: Random) -> Config:
    queue = {
        "debounceMs": random.choice((0, 0, 300, 2_000)),
        "mode": random.choice(MODES),
        "cap": random.choice((1, 2, 20)),
        "drop": random.choice(("old", "new", "summarize")),
    }
    return Config.model_validate(
        {
            "messages": {"queue": queue},
            "agents": {"defaults": {"maxConcurrent": random.choice((1, 2, 4))}},
            "session": {"dmScope": random.choice(("main", "per-channel-peer"))},
        }
    )


def _count_open(connection: Connection) -> int:
    states = inbound.count_states(connection)
    parts = outbound.count_parts(connection)
    waiting = sum(parts.get(state, 0) for state in ("pending", "sending", "ambiguous"))
    return waiting + sum(states.get(state, 0) for state in ("queued", "running", "replied"))


def _bury(loop: VirtualLoop) -> None:
    """Clear away what a dead process leaves in this one; nothing of it reaches the world any more."""
    loop.set_exception_handler(lambda _loop, _context: None)
    for _ in range(CANCEL_ROUNDS):
        tasks = asyncio.all_tasks(loop)
        if not tasks:
            break
        for task in tasks:
            task.cancel()
        loop.call_later(0.0, loop.stop)
        with contextlib.suppress(Exception):
            loop.run_forever()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
