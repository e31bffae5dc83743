"""The hearts of all agents: beating when it is time, or when something has come up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import tzinfo
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from homarus.automation.contract import Post
from homarus.automation.ending import wait_for_end
from homarus.automation.heartbeat import record
from homarus.automation.heartbeat.beat import INTERVAL, Judge, checklist_prompt, event_prompt, skipped
from homarus.automation.heartbeat.checklist import Checklist, read_checklist
from homarus.automation.heartbeat.record import Asked, Beaten, HeartbeatEvent, Pending
from homarus.automation.heartbeat.reply import RUN_PREFIX
from homarus.automation.heartbeat.rhythm import Rhythm, find_rhythm, read_rhythms
from homarus.automation.nap import nap
from homarus.automation.routes import Routes
from homarus.automation.system_events import SystemEvents
from homarus.clock import Clock
from homarus.config.schema import Config
from homarus.errors import HomarusError, StorageError
from homarus.ids import AgentId, RunId
from homarus.labels import OPERATOR, Label
from homarus.listeners import Listeners
from homarus.log_context import logging_as
from homarus.pipeline.contract import Requester, RunOutcome, Runs, Submission
from homarus.sessions.keys import SessionKey, parse_key
from homarus.sessions.store import new_session
from homarus.storage import sessions
from homarus.storage.database import Connection, Database
from homarus.storage.records import Session

log = logging.getLogger("homarus.heartbeat")
_Work = Coroutine[None, None, None]
TURN_SECONDS: Final = 600.0
LONGEST_SLEEP: Final = 1800.0
"""Seconds after which the wall clock is looked at again: a suspended machine does not count its sleep."""
MERGE_SECONDS: Final = 0.25
"""Events that come within this time share one turn (reference automation §2)."""
BUSY_SECONDS: Final = 600.0
"""How long a beat waits for a session that is busy before it is given up until the next."""


class Heartbeats:
    """Beats for agents. `run` is one supervised task; what must not be lost is in the database.

    `workspace` returns the folder of an agent.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        runs: Runs,
        post: Post,
        config: Callable[[], Config],
        zone: Callable[[], tzinfo],
        workspace: Callable[[AgentId], Path],
    ) -> None:
        self._database = database
        self._clock = clock
        self._runs = runs
        self._post = post
        self._config = config
        self._zone = zone
        self._workspace = workspace
        self.events = SystemEvents(database, clock, zone)
        self._judge = Judge(config, Routes(database, post), post)
        self._woken = asyncio.Event()
        self._listeners: Listeners[[HeartbeatEvent]] = Listeners()
        self._beating: set[str] = set()
        self.is_enabled = True
        """Whether hearts beat at all; a switch until the next start, the configuration is for good."""

    def listen(self, listener: Callable[[HeartbeatEvent], None]) -> Callable[[], None]:
        """Call `listener` with every event until the returned function is called; it must not raise."""
        return self._listeners.add(listener)

    def switch(self, *, is_enabled: bool) -> None:
        """Let hearts beat, or not."""
        self.is_enabled = is_enabled
        self._woken.set()

    def wake(self) -> None:
        """Look again at what is due: the configuration has changed."""
        self._woken.set()

    def rhythm(self, agent_id: str) -> Rhythm:
        """Return how an agent's heart beats; one that has none has an interval of 0."""
        return find_rhythm(self._config(), agent_id) or Rhythm(AgentId(agent_id), every=0.0, said="0m")

    async def last(self) -> HeartbeatEvent | None:
        """Return the last event, None when there was none."""
        return await self._database.read(record.read_last)

    async def tell(
        self, text: str, *, is_now: bool, key: SessionKey | None = None, label: Label = OPERATOR, reason: str = "wake"
    ) -> None:
        """Tell a session something, that of the default agent's heartbeat by default: with its next turn, or `now`.

        While hearts are switched off, everything waits for the next turn.
        """
        agent = key.agent_id if key is not None else AgentId(self._config().agents.default_id)
        place = key or self.rhythm(agent).key
        if not is_now or not self.is_enabled:
            await self.events.note(place, text, label)
            return
        wanted = Asked(agent, reason, [self.events.line(text, label)], label.as_json())
        await self._database.write(record.ask, str(place), wanted, self._clock.now_ms())
        self._woken.set()

    async def run(self) -> None:
        """Go on with beats that a stop interrupted, then beat when it is time, until cancelled. Raises StorageError."""
        self._beating.clear()
        try:
            async with asyncio.TaskGroup() as group:
                for agent, beaten in (await self._database.read(record.read_all)).items():
                    if beaten.pending is not None:
                        log.info("the heartbeat of %s goes on after a stop", agent)
                        self._start(group, agent, self._resume(agent, beaten.pending))
                while True:
                    self._woken.clear()
                    pause = await self._look(group) if self.is_enabled else None
                    await nap(self._clock, self._woken, pause)
        except* StorageError as failures:
            raise StorageError(f"heartbeats cannot go on: {failures.exceptions[0]}") from failures

    async def _look(self, group: asyncio.TaskGroup) -> float | None:
        """Begin what is due and return the seconds until the next beat, None when none is planned."""
        now = self._clock.now_ms()
        for key, asked in (await self._database.read(record.read_asked)).items():
            self._start(group, asked.agent_id, self._answer(key, asked.agent_id))
        known = await self._database.read(record.read_all)
        pauses: list[float] = []
        for rhythm in read_rhythms(self._config()):
            if rhythm.every <= 0 or rhythm.agent_id in self._beating:
                continue
            beaten = known.get(rhythm.agent_id, Beaten())
            last = beaten.last_at
            if last is None:
                # The first beat is one interval from now, over any number of restarts.
                last = now
                await self._database.write(record.put_beaten, rhythm.agent_id, replace(beaten, last_at=now), now)
            wait = last / 1000 + rhythm.every - now / 1000
            if wait <= 0:
                self._start(group, rhythm.agent_id, self._beat(rhythm))
            else:
                pauses.append(wait)
        return min((*pauses, LONGEST_SLEEP)) if pauses else None

    def _start(self, group: asyncio.TaskGroup, agent: str, work: _Work) -> None:
        """Begin a beat, one at a time for each agent; what waits is looked at again at its end."""
        if agent in self._beating:
            work.close()
            return
        self._beating.add(agent)
        group.create_task(self._guarded(agent, work), name=f"heartbeat of {agent}")

    async def _guarded(self, agent: str, work: _Work) -> None:
        with logging_as(run=None, session=None, channel=None):
            try:
                await work
            except StorageError:
                raise
            except (HomarusError, OSError) as error:
                await self._give_up(agent, str(error))
            except Exception as error:
                log.exception("the heartbeat of %s broke", agent)
                await self._give_up(agent, f"an internal error ({type(error).__name__}); see the log")
        self._beating.discard(agent)
        self._woken.set()

    async def _give_up(self, agent: str, error: str) -> None:
        now = self._clock.now_ms()
        log.warning("the heartbeat of %s failed: %s", agent, error)
        event: HeartbeatEvent = {"ts": now, "status": "failed", "reason": error[:200], "indicatorType": "error"}
        beaten = await self._database.read(record.read_beaten, agent)
        await self._skip(agent, replace(beaten, pending=None), event)

    async def _beat(self, rhythm: Rhythm) -> None:
        """Beat because it is time."""
        now = self._clock.now_ms()
        beaten = await self._database.read(record.read_beaten, rhythm.agent_id)
        if rhythm.hours is not None and not rhythm.hours.cover(now, self._zone()):
            await self._skip(rhythm.agent_id, beaten, skipped("quiet-hours", now))
            return
        checklist: Checklist = await asyncio.to_thread(read_checklist, self._workspace(rhythm.agent_id))
        due = checklist.due(now, beaten.done)
        nothing = (
            "empty-heartbeat-file" if checklist.is_empty else "no-tasks-due" if checklist.tasks and not due else ""
        )
        if nothing:
            await self._skip(rhythm.agent_id, beaten, skipped(nothing, now))
            return
        if not await self._is_free(rhythm.agent_id):
            await self._skip(rhythm.agent_id, beaten, skipped("requests-in-flight", now))
            return
        prompt, names = checklist_prompt(rhythm, checklist, due), [task.name for task in due]
        await self._ask(rhythm, self._pending(str(rhythm.key), INTERVAL, prompt, OPERATOR, names))

    async def _answer(self, key: str, agent: str) -> None:
        """Beat because something has come up."""
        await self._clock.sleep(MERGE_SECONDS)
        asked = (await self._database.read(record.read_asked)).get(key)
        if asked is not None:
            label = Label.from_json(asked.label)
            pending = self._pending(key, asked.reason, event_prompt(asked.lines), label)
            await self._ask(self.rhythm(agent), pending, asked)

    async def _is_free(self, agent: AgentId) -> bool:
        """Wait for the runs of an agent; False when they take too long for this beat."""
        for info in self._runs.active():
            if info.agent_id == agent and await self._runs.wait(info.run_id, BUSY_SECONDS) is None:
                return False
        return True

    def _pending(self, key: str, reason: str, prompt: str, label: Label, tasks: list[str] | None = None) -> Pending:
        run_id = f"{RUN_PREFIX}{self._clock.uuid()}"
        return Pending(run_id, key, reason, prompt, self._clock.now_ms(), label.as_json(), tasks or [])

    async def _ask(self, rhythm: Rhythm, pending: Pending, asked: Asked | None = None) -> None:
        """Store the beat, let its turn run, and store what came of it."""
        fresh = new_session(parse_key(pending.key, rhythm.agent_id), self._clock)
        pending = await self._database.write(_open, rhythm, pending, asked, fresh)
        await self._carry_out(rhythm, pending)

    async def _resume(self, agent: str, pending: Pending) -> None:
        await self._carry_out(self.rhythm(agent), pending)

    async def _carry_out(self, rhythm: Rhythm, pending: Pending) -> None:
        await self._runs.submit(_submission(rhythm, pending))
        outcome = await wait_for_end(self._runs, pending.run_id)
        await self._finish(rhythm, pending, outcome)

    async def _finish(self, rhythm: Rhythm, pending: Pending, outcome: RunOutcome | None) -> None:
        now, agent = self._clock.now_ms(), rhythm.agent_id
        beaten = await self._database.read(record.read_beaten, agent)
        verdict = await self._judge.judge(rhythm, pending, beaten, outcome, now)
        done = {**beaten.done, **dict.fromkeys(pending.tasks, pending.started_at)}
        beaten = replace(beaten, pending=None, done=done)
        if verdict.text:
            beaten = replace(beaten, told=verdict.text, told_at=now)
        forget = (outcome.session_id, outcome.ended_at or now) if outcome and verdict.is_forgotten else None
        args = (agent, pending, beaten, verdict.event, verdict.parts, forget, now)
        if await self._database.write(record.finish, *args):
            if verdict.address is not None:
                self._post.wake(verdict.address)
            self._listeners.tell(verdict.event)

    async def _skip(self, agent: str, beaten: Beaten, event: HeartbeatEvent) -> None:
        now = self._clock.now_ms()
        await self._database.write(record.skip, agent, replace(beaten, last_at=now), event, now)
        self._listeners.tell(event)


def _open(connection: Connection, rhythm: Rhythm, pending: Pending, asked: Asked | None, fresh: Session) -> Pending:
    """Note the beat and how its session looks; an isolated one begins with an empty transcript."""
    now = pending.started_at
    session = sessions.ensure_session(connection, fresh)
    if rhythm.is_isolated and pending.reason == INTERVAL and session.session_id != fresh.session_id:
        session = sessions.renew_session(connection, fresh.key, fresh.session_id, now)
    pending = replace(pending, before=sessions.read_activity(session))
    beaten = record.read_beaten(connection, rhythm.agent_id)
    record.begin(connection, rhythm.agent_id, replace(beaten, last_at=now, pending=pending), asked, now)
    return pending


def _submission(rhythm: Rhythm, pending: Pending) -> Submission:
    is_own = pending.reason == INTERVAL
    return Submission(
        run_id=RunId(pending.run_id),
        agent_id=rhythm.agent_id,
        session_key=pending.key,
        text=pending.prompt,
        kind="agent",
        requester=Requester(),
        model=rhythm.model if is_own else None,
        timeout=TURN_SECONDS,
        label=Label.from_json(pending.label),
        keeps_session=True,
        is_light=rhythm.is_light and is_own,
    )
