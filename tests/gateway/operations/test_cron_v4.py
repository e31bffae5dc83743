from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.raw_client import RawClient, connected
from tests.gateway.test_cron import EVERY, JOB, opened


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[RawClient]:
    async with opened(tmp_path) as gateway, connected(gateway.url, minProtocol=4, maxProtocol=4) as made:
        yield made


async def names(client: RawClient, **params: object) -> list[str]:
    answer = (await client.call("cron.list", {"enabled": "all", **params}))["payload"]
    return [job["name"] for job in answer["jobs"]]


async def test_a_job_is_read_by_either_name_of_its_id(client: RawClient) -> None:
    added = (await client.call("cron.add", JOB))["payload"]
    assert added["nextRunAtMs"] == added["state"]["nextRunAtMs"]
    assert added["deliveryPreview"] == {"label": "not requested", "detail": "not requested"}
    for name in ("id", "jobId"):
        found = (await client.call("cron.get", {name: added["id"]}))["payload"]
        assert (found["name"], found["configRevision"]) == ("job", added["configRevision"])


async def test_an_unknown_job_is_named_in_the_error(client: RawClient) -> None:
    calls: dict[str, dict[str, Any]] = {"cron.get": {}, "cron.run": {}, "cron.update": {"patch": {"name": "x"}}}
    for method, params in calls.items():
        error = (await client.call(method, {"id": "ghost", **params}))["error"]
        assert error["details"] == {"code": "CRON_JOB_NOT_FOUND", "jobId": "ghost"}, method


async def test_lists_are_cut_to_what_is_asked_for(client: RawClient) -> None:
    await client.call("cron.add", JOB)
    daily = {"kind": "cron", "expr": "0 9 * * *"}
    await client.call("cron.add", {**JOB, "name": "once", "schedule": daily, "sessionKey": "agent:main:work"})
    assert sorted(await names(client)) == ["job", "once"]
    assert await names(client, scheduleKind="cron") == ["once"]
    assert await names(client, lastRunStatus="ok") == []
    assert len(await names(client, lastRunStatus="unknown", trigger="unconditional")) == 2
    assert await names(client, trigger="conditional") == []
    assert await names(client, sessionKey="work", sessionAgentId="main") == ["once"]
    assert await names(client, agentId="ghost") == []


async def test_a_compact_list_says_when_and_how_without_the_jobs_content(client: RawClient) -> None:
    await client.call("cron.add", JOB)
    before = (await client.call("cron.list", {"compact": True, "includeDeliveryPreviews": True}))["payload"]
    [job] = before["jobs"]
    assert (job["scheduleKind"], job["effectiveAgentId"], job["lastRunStatus"]) == ("every", "main", None)
    assert job["nextRunAt"].endswith("Z")
    assert "payload" not in job
    assert list(before["deliveryPreviews"]) == [job["id"]]
    await client.call("cron.update", {"id": job["id"], "patch": {"name": "other"}})
    after = (await client.call("cron.list", {"compact": True}))["payload"]
    assert after["snapshotRevision"] != before["snapshotRevision"]


async def test_a_job_that_is_off_does_not_run_on_that_condition(client: RawClient) -> None:
    job = (await client.call("cron.add", {**JOB, "enabled": False}))["payload"]
    answer = (await client.call("cron.run", {"id": job["id"], "mode": "if-enabled"}))["payload"]
    assert answer == {"ok": True, "ran": False, "reason": "disabled"}
    forced = (await client.call("cron.run", {"id": job["id"], "mode": "force"}))["payload"]
    assert (forced["enqueued"], bool(forced["processInstanceId"])) == (True, True)


async def test_events_carry_the_job(client: RawClient) -> None:
    job = (await client.call("cron.add", {**JOB, "schedule": EVERY}))["payload"]
    assert (await client.event("cron", action="added"))["job"]["name"] == "job"
    await client.call("cron.run", {"id": job["id"], "mode": "force"})
    assert (await client.event("cron", action="started"))["job"]["state"]["runningAtMs"] > 0
    assert (await client.event("cron", action="finished"))["job"]["state"]["lastRunStatus"] == "ok"
    await client.call("cron.remove", {"id": job["id"]})
    assert (await client.event("cron", action="removed"))["job"]["id"] == job["id"]
