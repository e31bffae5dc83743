from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.automation.world import MINUTE, world

from homarus.automation.schedule import AtRefused
from homarus.automation.service import Refused, UnknownJob
from homarus.errors import UserError
from homarus.protocol.cron import CronAddParams, JobPatch
from homarus.storage.jobs import JobRunFilter


def patch(**given: object) -> JobPatch:
    return JobPatch.model_validate(given)


async def test_what_follows_from_a_job_is_filled_in(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        spec = CronAddParams.model_validate(
            {"schedule": {"at": "2099-01-01"}, "payload": {"message": "First line\nsecond"}}
        )
        with pytest.raises(AtRefused, match="too far"):
            await made.jobs.add(spec)
        soon = str(made.clock.now_ms() + MINUTE)
        job = await made.jobs.add(
            CronAddParams.model_validate({"schedule": {"at": soon}, "payload": {"message": "First line\nsecond"}})
        )
        assert job["name"] == "First line"
        assert (job["sessionTarget"], job["wakeMode"], job["deleteAfterRun"]) == ("isolated", "now", True)
        assert job["delivery"] == {"mode": "announce"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sessionTarget": "main"}, "main jobs need"),
        ({"sessionTarget": "isolated", "payload": {"kind": "systemEvent", "text": "x"}}, "main jobs need"),
        ({"agentId": "nobody"}, "unknown agent id"),
        ({"sessionTarget": "session:a/b"}, "no slash"),
        ({"delivery": {"mode": "webhook", "to": "https://example.org"}}, "not available yet"),
        ({"delivery": {"mode": "announce", "to": "ann"}}, "needs delivery.channel"),
        ({"delivery": {"mode": "announce", "channel": "net"}}, "needs delivery.to"),
        ({"payload": {"kind": "agentTurn", "message": "x", "toolsAllow": ["read"]}}, "toolsAllow"),
        ({"schedule": {"kind": "cron", "expr": "nope"}}, "CronPattern"),
        ({"schedule": {"kind": "cron", "expr": "0 9 * * *", "tz": "Mars/Base"}}, "time zone"),
    ],
)
async def test_a_job_that_breaks_a_rule_is_refused(tmp_path: Path, given: dict[str, object], message: str) -> None:
    async with world(tmp_path) as made:
        with pytest.raises(Refused, match=message):
            await made.add(**given)
        assert await made.jobs.list() == []


@pytest.mark.parametrize(
    "given",
    [
        {"name": ""},
        {"schedule": {"kind": "every", "everyMs": 0}},
        {"sessionTarget": "elsewhere"},
        {"payload": {"kind": "agentTurn", "message": ""}},
        {"surprise": 1},
    ],
)
async def test_a_malformed_job_is_refused(tmp_path: Path, given: dict[str, object]) -> None:
    async with world(tmp_path) as made:
        with pytest.raises(ValidationError):
            await made.add(**given)


async def test_the_calling_session_can_be_the_target(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        job_id = await made.add(sessionTarget="current", sessionKey="agent:main:net:direct:ann")
        assert (await made.state(job_id))["sessionTarget"] == "session:agent:main:net:direct:ann"


async def test_a_change_keeps_what_it_does_not_name(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        job_id = await made.add(description="why")
        before = await made.state(job_id)
        after = await made.jobs.update(job_id, patch(name="new", payload={"kind": "agentTurn", "model": "a/b"}))
        assert after["payload"] == {"kind": "agentTurn", "message": "do it", "model": "a/b"}
        assert (after["name"], after["description"], after["schedule"]) == ("new", "why", before["schedule"])
        assert after["state"] == before["state"]


async def test_switching_off_takes_the_next_time_away_and_on_brings_it_back(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        job_id = await made.add()
        off = await made.jobs.update(job_id, patch(enabled=False))
        assert (off["enabled"], off["state"]) == (False, {})
        await made.pass_time(600)
        assert await made.log() == []
        on = await made.jobs.update(job_id, patch(enabled=True))
        assert on["state"] == {"nextRunAtMs": made.clock.now_ms() + MINUTE}


async def test_a_renamed_job_that_was_switched_off_by_its_end_stays_off(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        soon = {"kind": "at", "at": str(made.clock.now_ms() + MINUTE)}
        job_id = await made.add(schedule=soon, deleteAfterRun=False)
        await made.pass_time(60)
        assert (await made.jobs.update(job_id, patch(name="over")))["enabled"] is False


async def test_a_change_into_an_impossible_job_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        job_id = await made.add()
        before = await made.state(job_id)
        with pytest.raises(Refused, match="text"):
            await made.jobs.update(job_id, patch(payload={"kind": "systemEvent"}))
        with pytest.raises(Refused, match="main jobs need"):
            await made.jobs.update(job_id, patch(sessionTarget="main"))
        assert await made.state(job_id) == before


async def test_an_unknown_job_is_named(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        with pytest.raises(UnknownJob, match="ghost"):
            await made.jobs.run("ghost", is_forced=True)
        with pytest.raises(UserError, match="ghost"):
            await made.jobs.update("ghost", patch(name="x"))
        assert not await made.jobs.remove("ghost")


async def test_a_job_can_be_run_by_hand_even_when_it_is_off(tmp_path: Path) -> None:
    async with world(tmp_path, is_manual=True) as made:
        job_id = await made.add(enabled=False)
        started = await made.jobs.run(job_id, is_forced=True)
        assert (started.run_id or "").startswith(f"manual:{job_id}:")
        await made.settle()
        assert (await made.jobs.run(job_id, is_forced=True)).reason == "already-running"
        assert (await made.state(job_id))["state"] == {"runningAtMs": made.clock.now_ms()}
        made.runs.finish(made.runs.submissions[0].run_id)
        await made.settle()
        assert [(run.state, run.is_manual) for run in await made.log()] == [("ran", True)]


async def test_without_force_only_a_due_job_runs(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        job_id = await made.add()
        assert (await made.jobs.run(job_id, is_forced=False)).reason == "not-due"


async def test_a_job_removed_while_it_runs_ends_and_leaves_its_log(tmp_path: Path) -> None:
    async with world(tmp_path, is_manual=True) as made:
        job_id = await made.add()
        await made.pass_time(60)
        assert await made.jobs.remove(job_id)
        made.runs.finish(made.runs.submissions[0].run_id, text="late")
        await made.settle()
        entries, total = await made.jobs.runs(JobRunFilter(job_id=job_id))
        assert (total, entries[0]["summary"], entries[0]["status"]) == (1, "late", "ok")


async def test_the_run_log_keeps_as_many_lines_as_configured(tmp_path: Path) -> None:
    async with world(tmp_path, config={"cron": {"runLog": {"keepLines": 3}}}) as made:
        await made.add()
        for _ in range(5):
            await made.pass_time(60)
        assert len(await made.log()) == 3
