"""One run of a job: a turn in its session, or a text for the main session."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from homarus.agent.usage import usage_json
from homarus.automation.contract import Post
from homarus.automation.ending import wait_for_end
from homarus.automation.job import Job
from homarus.automation.ledger import Follow
from homarus.automation.routes import Routes
from homarus.automation.system_events import SystemEvents
from homarus.clock import Clock
from homarus.errors import UserError
from homarus.ids import Address, AgentId, RunId
from homarus.pipeline.contract import Requester, RunOutcome, Runs, Submission
from homarus.pipeline.outbox import is_silent
from homarus.sessions.keys import SessionKey
from homarus.storage import inbound
from homarus.storage.database import Database
from homarus.storage.jobs import JobRun

if TYPE_CHECKING:
    from homarus.protocol.cron import AgentTurn

MAX_SUMMARY = 2000
TURN_SECONDS = 3600.0
EVENT_SECONDS = 600.0
NO_LIMIT_SECONDS = 7 * 86_400.0
"""What a limit of 0 means: no turn is let run for ever."""
ARRIVAL_SECONDS = 60.0
ANNOUNCE = "Answer in plain text; the answer is delivered for you. If there is nothing to tell, answer only NO_REPLY."
REMIND = "A scheduled event has come due. Do what it asks, or pass it on in your own words."


class Order(Struct, frozen=True):
    """A turn to be run: what is said, and where the answer goes."""

    text: str
    seconds: float
    address: Address | None = None
    problem: str | None = None


class Executor:
    """Runs one due time of a job. Doing it again after a stop goes on with the same turn."""

    def __init__(
        self, database: Database, clock: Clock, runs: Runs, post: Post, routes: Routes, zone: Callable[[], tzinfo]
    ) -> None:
        self._database = database
        self._clock = clock
        self._runs = runs
        self._post = post
        self._routes = routes
        self._zone = zone
        self._events = SystemEvents(database, clock, zone)

    async def run(self, job: Job, run: JobRun) -> tuple[JobRun, Follow]:
        """Run to the end and return how it ended, with what is to be stored then. Raises StorageError."""
        try:
            if job.is_main and job.spec.wake_mode == "next-heartbeat":
                entry = await self._events.entry(job.session_key, job.text, run_id=run.id)
                ended = replace(run, state="ran", summary=job.text[:MAX_SUMMARY], session_id=entry.session_id)
                return self._closed(ended), Follow(entry)
            return self._closed(await self._turn(job, run, await self._order(job))), Follow()
        except UserError as error:
            return self._closed(replace(run, state="failed", error=error.message, delivery="unknown")), Follow()

    async def _event_order(self, agent: AgentId, text: str) -> Order:
        return Order(f"{self._events.line(text)}\n\n{REMIND}", EVENT_SECONDS, await self._routes.last(agent))

    async def _order(self, job: Job) -> Order:
        payload, delivery = job.spec.payload, job.spec.delivery
        if payload.kind == "systemEvent":
            return await self._event_order(job.row.agent_id, payload.text)
        wanted = payload.timeout_seconds
        seconds = TURN_SECONDS if wanted is None else wanted or NO_LIMIT_SECONDS
        text = f"[cron:{job.id} {job.row.name}] {payload.message}\n{self._time_line()}"
        if delivery is None or delivery.mode != "announce":
            return Order(text, seconds)
        text = f"{text}\n\n{ANNOUNCE}"
        try:
            place = (delivery.channel, delivery.to, delivery.account_id)
            return Order(text, seconds, await self._routes.find(job.row.agent_id, *place))
        except UserError as error:
            if not delivery.best_effort:
                raise
            return Order(text, seconds, problem=error.message)

    async def _turn(self, job: Job, run: JobRun, order: Order) -> JobRun:
        known = await self._database.read(inbound.select_by_run, run.id)
        if known:
            # Submitted before a stop: where its answer goes was settled then.
            channel = known[0].address.channel
            address = known[0].address if self._post.find(channel, known[0].address.account) else None
            order = replace(order, address=address)
        else:
            payload = job.spec.payload
            turn = payload if payload.kind == "agentTurn" else None
            await self._runs.submit(_submission(job.session_key, RunId(run.id), order, turn))
        outcome = await wait_for_end(self._runs, run.id)
        if outcome is None:
            return replace(run, state="failed", error="stopped before it began", delivery="not-delivered")
        return await self._judge(job, run, order, outcome)

    async def _judge(self, job: Job, run: JobRun, order: Order, outcome: RunOutcome) -> JobRun:
        error = None if outcome.state == "done" else outcome.error or f"the turn was {outcome.state}"
        delivery, problem = "not-requested" if job.is_main else "not-delivered", order.problem
        if order.address is not None and not error and not is_silent(outcome.text):
            arrival = await self._post.arrival(run.id, order.address, ARRIVAL_SECONDS)
            delivery, problem = arrival.status, arrival.error
        has_failed = error is not None or (delivery == "not-delivered" and problem and not _is_best_effort(job))
        return replace(
            run,
            state="failed" if has_failed else "ran",
            error=error or (problem if has_failed else None),
            summary=outcome.text[:MAX_SUMMARY] if not error else None,
            session_key=outcome.session_key,
            session_id=outcome.session_id,
            delivery=delivery,
            delivery_error=problem,
            model=outcome.model,
            usage=usage_json(outcome.usage),
        )

    def _closed(self, run: JobRun) -> JobRun:
        return replace(run, ended_at=self._clock.now_ms())

    def _time_line(self) -> str:
        moment = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)
        local = moment.astimezone(self._zone())
        return f"Current time: {local:%A %Y-%m-%d %H:%M} ({self._zone()}) / {moment:%Y-%m-%d %H:%M} UTC"


def _submission(key: SessionKey, run_id: RunId, order: Order, turn: AgentTurn | None) -> Submission:
    return Submission(
        run_id=run_id,
        agent_id=key.agent_id,
        session_key=str(key),
        text=order.text,
        kind="agent",
        requester=Requester(),
        model=turn.model if turn else None,
        thinking=turn.thinking if turn else None,
        timeout=order.seconds,
        deliver_to=order.address,
        keeps_session=True,
        is_light=bool(turn and turn.light_context),
    )


def _is_best_effort(job: Job) -> bool:
    return job.spec.delivery is not None and bool(job.spec.delivery.best_effort)
