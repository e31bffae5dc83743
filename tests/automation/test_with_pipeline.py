"""The scheduler on a real pipeline: what is said arrives in the chat once, over a stop as well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path

from tests.automation.world import FakePost
from tests.pipeline.harness import FakeNetwork, World, world

from homarus.automation.scheduler import Scheduler
from homarus.automation.service import Jobs
from homarus.pipeline.outbox import Outbox
from homarus.protocol.cron import CronAddParams
from homarus.storage.inbound import select_by_run
from homarus.storage.jobs import JobRun, JobRunFilter, select_ended_runs
from homarus.testing.scripted_model import ScriptedModel, say

JOB = CronAddParams.model_validate(
    {
        "name": "news",
        "schedule": {"kind": "every", "everyMs": 86_400_000},
        "payload": {"kind": "agentTurn", "message": "what is new?"},
        "delivery": {"mode": "announce", "channel": "net", "to": "ann"},
    }
)


@asynccontextmanager
async def scheduled(here: World) -> AsyncGenerator[Jobs]:
    """Run a scheduler on a pipeline."""
    parts = here.parts
    post = FakePost(Outbox(parts.accounts, parts.clock))
    scheduler = Scheduler(parts.database, parts.clock, here.pipeline, post, parts.config, lambda: UTC)
    task = asyncio.create_task(scheduler.run())
    try:
        yield Jobs(parts.database, parts.clock, scheduler, parts.config)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def log(here: World, count: int) -> list[JobRun]:
    """Wait for so many ended runs; the test's own timeout bounds it."""
    while True:
        found, _ = await here.parts.database.read(select_ended_runs, JobRunFilter())
        if len(found) >= count:
            return found
        await asyncio.sleep(0.005)


async def test_the_answer_of_a_job_arrives_in_the_chat_and_in_the_log(tmp_path: Path) -> None:
    async with world(tmp_path, ScriptedModel([say("nothing new")])) as here, scheduled(here) as jobs:
        job = await jobs.add(JOB)
        await jobs.run(str(job["id"]), is_forced=True)
        (run,) = await log(here, 1)
        await here.until_settled()
        assert (run.state, run.summary, run.delivery) == ("ran", "nothing new", "delivered")
        assert [(part.address.chat, part.text) for part in here.network.sent] == [("ann", "nothing new")]
        assert run.session_key == f"agent:main:cron:{job['id']}"
        assert (await here.pipeline.outcome(run.id)) is not None


async def test_a_stop_in_the_middle_of_a_turn_says_the_answer_once(tmp_path: Path) -> None:
    network = FakeNetwork()
    never = ScriptedModel([say("lost")], gate=asyncio.Event())
    async with world(tmp_path, never, network=network) as here, scheduled(here) as jobs:
        job = await jobs.add(JOB)
        await jobs.run(str(job["id"]), is_forced=True)
        await here.until(lambda rows: any(message.state == "running" for message in rows))
    async with world(tmp_path, ScriptedModel([say("after all")]), network=network) as here, scheduled(here):
        (run,) = await log(here, 1)
        await here.until_settled()
        assert (run.state, run.summary) == ("ran", "after all")
        assert [part.text for part in network.sent] == ["after all"]
        assert len(await here.parts.database.read(select_by_run, run.id)) == 1


async def test_a_job_that_has_nothing_to_tell_sends_nothing(tmp_path: Path) -> None:
    async with world(tmp_path, ScriptedModel([say("NO_REPLY")])) as here, scheduled(here) as jobs:
        job = await jobs.add(JOB)
        await jobs.run(str(job["id"]), is_forced=True)
        (run,) = await log(here, 1)
        assert (run.state, run.delivery, here.network.sent) == ("ran", "not-delivered", [])
