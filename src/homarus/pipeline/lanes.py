"""Per-session order: one run at a time in a session, a global limit over all, queued messages collected.

The queue holds what is journalled already; nothing is lost when the process ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager

from msgspec import Struct, field
from msgspec.structs import replace

from homarus.clock import Clock
from homarus.storage.records import InboundMessage

log = logging.getLogger("homarus.lanes")
Batch = tuple[InboundMessage, ...]
LINE = 160
"""Characters that are kept of a message that is too many."""
SHORTENED = "shortened"


class _Lane(Struct):
    waiting: deque[InboundMessage] = field(default_factory=deque["InboundMessage"])
    running: Batch = ()
    task: asyncio.Task[None] | None = None
    last_offer: float = 0.0
    is_told: bool = False
    holders: int = 0
    freed: asyncio.Event = field(default_factory=asyncio.Event)


class Lanes:
    """Starts batches of messages. `work` runs one batch to its end; its failures are logged and end only that batch."""

    def __init__(
        self,
        clock: Clock,
        work: Callable[[Batch], Awaitable[None]],
        limit: Callable[[], int],
        debounce: Callable[[str], float],
        collects: Callable[[str], bool] = lambda _channel: True,
    ) -> None:
        self._clock = clock
        self._work = work
        self._limit = limit
        self._debounce = debounce
        self._collects = collects
        self._lanes: dict[str, _Lane] = {}
        self._running = 0
        self._slot_freed = asyncio.Event()
        self._is_stopping = False

    def offer(self, message: InboundMessage) -> bool:
        """Queue a journalled message; returns True when its session was busy."""
        key = message.session_key or ""
        lane = self._lanes.setdefault(key, _Lane())
        lane.waiting.append(message)
        lane.last_offer = self._clock.monotonic()
        return not self._start(key, lane)

    def depth_of(self, key: str) -> int:
        """Return how many whole messages of channels wait in a session."""
        lane = self._lanes.get(key)
        return 0 if lane is None else sum(_is_whole(message) for message in lane.waiting)

    def take_oldest(self, key: str) -> Batch:
        """Remove and return the message of a channel that has waited longest in a session."""
        lane = self._lanes[key]
        index = next((i for i, message in enumerate(lane.waiting) if message.run_id is None), None)
        if index is None:
            return ()
        message = lane.waiting[index]
        del lane.waiting[index]
        return (message,)

    def shorten_oldest(self, key: str, most: int) -> Batch:
        """Keep only the beginning of the whole message that has waited longest; with more than `most` kept so, remove
        and return the first of them."""
        lane = self._lanes[key]
        index = next((i for i, message in enumerate(lane.waiting) if _is_whole(message)), None)
        if index is not None:
            lane.waiting[index] = _shortened(lane.waiting[index])
        return self.take_oldest(key) if sum(map(is_shortened, lane.waiting)) > most else ()

    def was_told(self, key: str) -> bool:
        """Tell whether the chat of a session heard that not everything is taken; forgotten when it has caught up."""
        lane = self._lanes.get(key)
        return lane is not None and lane.is_told

    def note_told(self, key: str) -> None:
        """Remember that a chat was told."""
        if key in self._lanes:
            self._lanes[key].is_told = True

    def holds(self, message: InboundMessage) -> bool:
        """Tell whether a message waits here or is being worked on."""
        lane = self._lanes.get(message.session_key or "")
        return lane is not None and any(message.id == held.id for held in (*lane.running, *lane.waiting))

    def take_waiting(self, key: str, accepts: Callable[[InboundMessage], bool]) -> Batch:
        """Remove and return the waiting messages of a session that `accepts` lets through."""
        lane = self._lanes.get(key)
        if lane is None:
            return ()
        taken = tuple(message for message in lane.waiting if accepts(message))
        lane.waiting = deque(message for message in lane.waiting if not accepts(message))
        return taken

    def setting(self, key: str) -> object:
        """Return what shapes the turn that a session is running; None for nothing special."""
        lane = self._lanes.get(key)
        return setting_of(lane.running[0]) if lane is not None and lane.running else None

    def put_back(self, key: str, batch: Batch) -> None:
        """Undo `take_waiting`: the messages wait again, in front of what has come since."""
        lane = self._lanes.setdefault(key, _Lane())
        lane.waiting.extendleft(reversed(batch))
        self._start(key, lane)

    @contextmanager
    def held(self, key: str, taken: Batch) -> Generator[None]:
        """Begin nothing in a session while the end of messages taken from it is being stored.

        When that fails they wait again where they were: nothing behind them has overtaken them.
        """
        lane = self._lanes.setdefault(key, _Lane())
        lane.holders += 1
        try:
            yield
        except BaseException:
            if taken:
                self.put_back(key, taken)
            raise
        finally:
            lane.holders -= 1
            lane.freed.set()
            self._forget(key, lane)

    def waiting(self, key: str | None = None) -> Batch:
        """Return what waits, in one session or in all."""
        lanes = self._lanes.values() if key is None else [self._lanes[key]] if key in self._lanes else []
        return tuple(message for lane in lanes for message in lane.waiting)

    @property
    def running(self) -> int:
        """Return how many batches hold one of the places for runs."""
        return self._running

    def depth(self) -> int:
        """Return how many messages wait in all lanes."""
        return sum(len(lane.waiting) for lane in self._lanes.values())

    def count(self) -> int:
        """Return how many sessions have something running or waiting."""
        return len(self._lanes)

    async def finish(self, seconds: float) -> None:
        """Begin nothing new and wait for what runs, for at most `seconds`; what waits stays journalled."""
        self._is_stopping = True
        self._slot_freed.set()
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None and lane.running]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    async def stop(self) -> None:
        """Cancel every lane and wait for their ends; what they were doing stays journalled."""
        self._is_stopping = True
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, key: str, lane: _Lane) -> bool:
        """Begin to work on a lane; False when that goes on already."""
        if lane.task is not None:
            return False
        if not self._is_stopping:
            lane.task = asyncio.get_running_loop().create_task(self._drain(key, lane), name=f"lane {key}")
        return True

    async def _drain(self, key: str, lane: _Lane) -> None:
        is_first = True
        try:
            while lane.waiting and not self._is_stopping:
                if not is_first:
                    await self._settle(lane)
                await self._run_next(lane)
                is_first = False
        finally:
            lane.task = None
            self._forget(key, lane)

    def _forget(self, key: str, lane: _Lane) -> None:
        if not (lane.waiting or lane.holders or lane.task):
            self._lanes.pop(key, None)

    async def _settle(self, lane: _Lane) -> None:
        """Wait until nothing new has come for the debounce time, so that a burst becomes one turn."""
        while lane.waiting and (wait := self._debounce(lane.waiting[-1].address.channel)) > 0:
            quiet = self._clock.monotonic() - lane.last_offer
            if quiet >= wait:
                return
            await self._clock.sleep(wait - quiet)

    async def _run_next(self, lane: _Lane) -> None:
        await self._take_slot()
        try:
            while lane.holders:
                lane.freed.clear()
                await lane.freed.wait()
            batch = () if self._is_stopping else next_batch(lane.waiting, self._collects)
            if batch:
                lane.running = batch
                await self._work(batch)
        except Exception:
            log.exception("a batch failed")
        finally:
            lane.running = ()
            self._running -= 1
            self._slot_freed.set()

    async def _take_slot(self) -> None:
        while self._running >= max(1, self._limit()):
            self._slot_freed.clear()
            await self._slot_freed.wait()
        self._running += 1


def next_batch(waiting: deque[InboundMessage], collects: Callable[[str], bool] = lambda _channel: True) -> Batch:
    """Remove and return what the next run answers.

    Messages of which only the beginnings are kept go with what follows them. Messages that carry the same run's id (an
    authenticated surface's one, or all that an interrupted run had collected) run together; messages of a channel that
    follow each other from the same chat are collected into one where the queue mode `collects`.
    """
    if not waiting:
        return ()
    batch = [waiting.popleft()]
    may_collect = batch[0].run_id is not None or collects(batch[0].address.channel)
    while waiting and (may_collect or is_shortened(batch[-1])) and _is_collected(batch[0], waiting[0]):
        batch.append(waiting.popleft())
    return tuple(batch)


def _is_collected(first: InboundMessage, following: InboundMessage) -> bool:
    if first.run_id is not None:
        return following.run_id == first.run_id
    is_from_there = following.run_id is None and following.address == first.address
    return is_from_there and setting_of(following) == setting_of(first)


def is_shortened(message: InboundMessage) -> bool:
    """Tell whether only the beginning of a waiting message is kept, because too many wait."""
    return SHORTENED in message.payload


def _is_whole(message: InboundMessage) -> bool:
    return message.run_id is None and not is_shortened(message)


def _shortened(message: InboundMessage) -> InboundMessage:
    """Return a waiting message with the beginning of its text in one line, and without pictures and quotes."""
    line = " ".join(message.text[: 4 * LINE].split())
    payload = {name: value for name, value in message.payload.items() if name == "origin"}
    return replace(message, text=line[:LINE], payload={**payload, SHORTENED: True}, trail="")


def setting_of(message: InboundMessage) -> object:
    """Return what shapes the turn of a message (prompt, skills, tools): others must not share it."""
    return message.payload.get("origin")
