"""`cron.*` over a connection, with a scheduler that runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace
from tests.automation.world import FakePost
from tests.gateway.fake_services import TOKEN, make_services
from tests.gateway.raw_client import RawClient, connected

from homarus.automation.scheduler import Scheduler
from homarus.automation.service import Jobs
from homarus.config.schema import Config
from homarus.gateway.server import GatewayServer
from homarus.gateway.settings import AuthSettings, GatewaySettings
from homarus.pipeline.accounts import Accounts
from homarus.pipeline.outbox import Outbox

EVERY = {"kind": "every", "everyMs": 3_600_000}
TURN = {"kind": "agentTurn", "message": "look"}
JOB: dict[str, Any] = {"name": "job", "schedule": EVERY, "payload": TURN, "delivery": {"mode": "none"}}


class Scheduled(Struct):
    """A gateway with a scheduler."""

    url: str


@asynccontextmanager
async def opened(folder: Path) -> AsyncGenerator[Scheduled]:
    services, runs = make_services(folder)
    database, clock, config = services.database, services.clock, Config()
    post = FakePost(Outbox(Accounts(), clock))
    scheduler = Scheduler(database, clock, runs, post, lambda: config, lambda: UTC)
    jobs = Jobs(database, clock, scheduler, lambda: config)
    server = GatewayServer(replace(services, jobs=jobs), GatewaySettings(auth=AuthSettings(token=TOKEN)))
    await server.start(port=0)
    task = asyncio.create_task(scheduler.run())
    yield Scheduled(f"ws://127.0.0.1:{server.port}")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await server.stop()
    await database.close()


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[RawClient]:
    async with opened(tmp_path) as gateway, connected(gateway.url) as made:
        yield made


async def ok(client: RawClient, method: str, params: object) -> dict[str, Any]:
    answer = await client.call(method, params)
    assert answer["ok"], answer
    return answer["payload"]


async def test_a_job_is_added_run_logged_and_removed_and_everybody_hears_of_it(client: RawClient) -> None:
    job = await ok(client, "cron.add", JOB)
    await client.event("cron", action="added", jobId=job["id"])
    assert (await ok(client, "cron.status", {}))["nextWakeAtMs"] == job["state"]["nextRunAtMs"]
    started = await ok(client, "cron.run", {"jobId": job["id"]})
    assert started["runId"].startswith(f"manual:{job['id']}:")
    finished = await client.event("cron", action="finished")
    assert (finished["status"], finished["deliveryStatus"], finished["delivered"]) == ("ok", "not-delivered", False)
    page = await ok(client, "cron.runs", {"id": job["id"], "statuses": ["ok"]})
    assert (page["total"], page["hasMore"], page["entries"][0]["summary"]) == (1, False, finished["summary"])
    assert (await ok(client, "cron.runs", {"status": "error"}))["entries"] == []
    assert await ok(client, "cron.remove", {"id": job["id"]}) == {"ok": True, "removed": True}
    await client.event("cron", action="removed", jobId=job["id"])


async def test_jobs_are_filtered_sorted_and_paged(client: RawClient) -> None:
    for name, extra in (("b", {}), ("a", {"enabled": False}), ("c", {"description": "weekly"})):
        await ok(client, "cron.add", {**JOB, **extra, "name": name})

    async def names(**params: object) -> list[str]:
        return [job["name"] for job in (await ok(client, "cron.list", params))["jobs"]]

    assert sorted(await names()) == ["b", "c"]
    assert await names(enabled="disabled") == ["a"]
    assert await names(includeDisabled=True, sortBy="name") == ["a", "b", "c"]
    assert await names(includeDisabled=True, sortBy="name", sortDir="desc", limit=1, offset=1) == ["b"]
    assert await names(query="WEEKLY") == ["c"]


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"name": "x"}, "INVALID_REQUEST", "invalid cron.add params: must have required property 'schedule'"),
        ({**JOB, "schedule": {"kind": "at", "at": "2001-01-01"}}, "INVALID_REQUEST", "schedule.at is in the past"),
        ({**JOB, "schedule": {"kind": "cron", "expr": "nope"}}, "UNAVAILABLE", "TypeError: CronPattern"),
        ({**JOB, "sessionTarget": "main"}, "UNAVAILABLE", "Error: main jobs need"),
        ({**JOB, "name": "\ud800"}, "INVALID_REQUEST", "invalid cron.add params: at /name"),
        ({**JOB, "schedule": {"kind": "every", "everyMs": 2**70}}, "INVALID_REQUEST", "invalid cron.add params"),
    ],
)
async def test_a_refusal_says_why(client: RawClient, params: dict[str, Any], code: str, message: str) -> None:
    answer = await client.call("cron.add", params)
    assert answer["ok"] is False
    assert answer["error"]["code"] == code
    assert answer["error"]["message"].startswith(message), answer["error"]


async def test_an_unknown_job_is_named(client: RawClient) -> None:
    answer = await client.call("cron.run", {"id": "ghost"})
    assert answer["error"]["message"].startswith("Error: unknown cron job id: ghost")
    assert await ok(client, "cron.remove", {"id": "ghost"}) == {"ok": True, "removed": False}
