from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace
from tests.automation.world import MINUTE, Breaking, World, world
from tests.gateway.fake_clock import FakeClock
from tests.gateway.fake_runs import FakeRuns

from homarus.automation.contract import Arrival
from homarus.automation.ledger import Follow
from homarus.errors import StorageError
from homarus.ids import Address
from homarus.pipeline.contract import Requester
from homarus.sessions.keys import parse_key
from homarus.sessions.store import Sessions, new_session
from homarus.storage.database import Connection
from homarus.storage.jobs import put_job, select_job
from homarus.storage.outbound import select_parts
from homarus.storage.sessions import ensure_session

DAY = 86_400


def in_a_minute(clock: FakeClock) -> dict[str, object]:
    return {"kind": "at", "at": str(clock.now_ms() + MINUTE)}


async def ended(made: World, count: int) -> None:
    async def is_there() -> bool:
        return len(await made.log()) >= count

    await made.until(is_there)
    await made.settle()


async def test_a_job_runs_when_it_is_due_in_a_session_of_its_own(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        job_id = await made.add(name="look")
        await made.pass_time(59)
        assert await made.log() == []
        await made.pass_time(1)
        await ended(made, 1)

        (run,) = await made.log()
        (submission,) = made.runs.submissions
        assert (run.state, run.delivery, submission.run_id) == ("ran", "not-delivered", run.id)
        assert submission.session_key == f"agent:main:cron:{job_id}"
        assert submission.text.startswith(f"[cron:{job_id} look] do it\nCurrent time: ")
        assert made.actions() == ["added", "started", "finished"]
        job = await made.state(job_id)
        assert job["state"] == {
            "nextRunAtMs": made.clock.now_ms() + MINUTE,
            "lastRunAtMs": made.clock.now_ms(),
            "lastRunStatus": "ok",
            "lastStatus": "ok",
            "lastDurationMs": 0,
            "lastDelivered": False,
            "lastDeliveryStatus": "not-delivered",
            "consecutiveErrors": 0,
        }


async def test_without_jobs_the_scheduler_never_looks_at_the_clock(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        await made.settle()
        assert made.clock._sleepers == []
        assert not made.task.done()


async def test_a_new_job_wakes_a_scheduler_that_sleeps_longer(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        await made.add(name="slow", schedule={"kind": "every", "everyMs": DAY * 1000})
        await made.pass_time(1)
        await made.add(name="quick")
        await made.pass_time(60)
        await ended(made, 1)
        assert [run.job_name for run in await made.log()] == ["quick"]


async def test_each_isolated_run_begins_with_an_empty_transcript(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        job_id = await made.add()
        sessions, key = Sessions(made.database, made.clock), parse_key(f"cron:{job_id}")
        found: list[str] = []
        for number in (1, 2):
            await made.pass_time(60)
            await ended(made, number)
            session = await sessions.get(key)
            assert session is not None
            found.append(session.session_id)
        assert found[0] != found[1]


async def test_a_named_session_goes_on(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        await made.add(sessionTarget="session:diary")
        await made.pass_time(60)
        await ended(made, 1)
        assert made.runs.submissions[0].session_key == "agent:main:diary"


async def test_a_crash_between_claim_and_run_is_made_good_once(tmp_path: Path) -> None:
    clock = FakeClock()
    runs = Breaking(clock)
    async with world(tmp_path, clock=clock, runs=runs) as made:
        await made.add()
        await made.pass_time(60)
        with pytest.raises(StorageError):
            await made.task
        (claimed,) = await made.open()
        assert (claimed.state, runs.submissions) == ("running", [])
    runs.is_broken = False
    async with world(tmp_path, clock=clock, runs=runs) as made:
        await ended(made, 1)
        (run,) = await made.log()
        assert (run.id, run.state, run.planned_at) == (claimed.id, "ran", claimed.planned_at)
        assert [each.run_id for each in runs.submissions] == [claimed.id]
    async with world(tmp_path, clock=clock, runs=runs) as made:
        await made.settle()
        assert len(await made.log()) == len(runs.submissions) == 1


async def test_a_stop_during_a_run_lets_the_same_run_end_after_the_restart(tmp_path: Path) -> None:
    clock = FakeClock()
    runs = FakeRuns(clock, is_manual=True)
    async with world(tmp_path, clock=clock, runs=runs) as made:
        await made.add()
        await made.pass_time(60)
    async with world(tmp_path, clock=clock, runs=runs) as made:
        await made.settle()
        runs.finish(runs.submissions[0].run_id, text="done")
        await ended(made, 1)
        assert [(run.state, run.summary) for run in await made.log()] == [("ran", "done")]
        assert len(runs.submissions) == 1


async def test_the_end_of_a_run_is_stored_once(tmp_path: Path) -> None:
    async with world(tmp_path, is_manual=True) as made:
        await made.add()
        await made.pass_time(60)
        (run,) = await made.open()
        end = replace(run, state="ran", ended_at=made.clock.now_ms())
        assert await made.database.write(made.scheduler.ledger.end, end, Follow(), None) is not None
        assert await made.database.write(made.scheduler.ledger.end, end, Follow(), None) is None


async def test_after_downtime_a_job_runs_once_and_the_other_times_are_marked_missed(tmp_path: Path) -> None:
    clock = FakeClock()
    async with world(tmp_path, clock=clock) as made:
        await made.add()
        await made.settle()
    clock.advance(5 * 60)
    async with world(tmp_path, clock=clock, runs=made.runs) as made:
        await ended(made, 5)
        log = await made.log()
        assert sorted(run.state for run in log) == ["missed"] * 4 + ["ran"]
        assert len(made.runs.submissions) == 1
        assert max(run.planned_at for run in log if run.state == "missed") < next(
            run.planned_at for run in log if run.state == "ran"
        )
        assert len({run.planned_at for run in log}) == 5
        assert all("not running" in (run.error or "") for run in log if run.state == "missed")


async def test_a_one_time_job_missed_in_downtime_runs_at_the_next_start(tmp_path: Path) -> None:
    clock = FakeClock()
    async with world(tmp_path, clock=clock) as made:
        await made.add(schedule=in_a_minute(clock))
        await made.settle()
    clock.advance(DAY)
    async with world(tmp_path, clock=clock) as made:
        await ended(made, 1)
        assert [run.state for run in await made.log()] == ["ran"]
        assert await made.jobs.list() == []
        assert made.actions()[-1] == "removed"


async def test_a_time_that_comes_while_the_job_still_runs_is_skipped(tmp_path: Path) -> None:
    async with world(tmp_path, is_manual=True, config={"cron": {"maxConcurrentRuns": 4}}) as made:
        await made.add()
        await made.pass_time(60)
        await made.pass_time(60)
        made.runs.finish(made.runs.submissions[0].run_id)
        await ended(made, 2)
        assert sorted(run.state for run in await made.log()) == ["ran", "skipped"]
        assert len(made.runs.submissions) == 1


async def test_no_more_jobs_run_at_once_than_allowed_and_the_others_follow(tmp_path: Path) -> None:
    async with world(tmp_path, is_manual=True) as made:
        for name in ("a", "b"):
            await made.add(name=name, schedule=in_a_minute(made.clock))
        await made.pass_time(60)
        assert len(made.runs.submissions) == 1
        made.runs.finish(made.runs.submissions[0].run_id)
        await ended(made, 1)
        assert len(made.runs.submissions) == 2


async def test_a_one_time_job_that_fails_stays_switched_off_with_its_error(tmp_path: Path) -> None:
    async with world(tmp_path, is_manual=True) as made:
        job_id = await made.add(schedule=in_a_minute(made.clock))
        await made.pass_time(60)
        made.runs.finish(made.runs.submissions[0].run_id, "failed", error="no key")
        await ended(made, 1)
        job = await made.state(job_id)
        assert job["enabled"] is False
        assert (await made.log())[0].error == "no key"


async def test_a_recurring_job_that_fails_waits_longer_each_time(tmp_path: Path) -> None:
    async with world(tmp_path, is_manual=True) as made:
        job_id = await made.add(schedule={"kind": "every", "everyMs": 1000})
        pauses: list[int] = []
        for number in range(3):
            await made.pass_time(3600)
            made.runs.finish(made.runs.submissions[number].run_id, "failed", error="no key")
            await made.settle()
            state = cast("dict[str, object]", (await made.state(job_id))["state"])
            pauses.append(cast("int", state["nextRunAtMs"]) - made.clock.now_ms())
        assert pauses == [30_000, 60_000, 300_000]


async def test_a_run_stopped_by_hand_ends_as_failed(tmp_path: Path) -> None:
    async with world(tmp_path, is_manual=True) as made:
        await made.add()
        await made.pass_time(60)
        submission = made.runs.submissions[0]
        await made.runs.abort(submission.session_key, submission.run_id, "rpc", Requester(is_admin=True))
        await ended(made, 1)
        assert (await made.log())[0].error == "the turn was aborted"


async def test_an_answer_goes_to_the_named_chat(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        await made.add(delivery={"mode": "announce", "channel": "net", "to": "ann"})
        await made.pass_time(60)
        await ended(made, 1)
        assert made.runs.submissions[0].deliver_to == Address("net", "default", "ann")
        assert "NO_REPLY" in made.runs.submissions[0].text
        assert (await made.log())[0].delivery == "delivered"


async def test_an_answer_without_a_named_chat_goes_to_the_last_one(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        last = Address("net", "default", "bob", "7")
        session = replace(new_session(parse_key("main"), made.clock), address=last)
        await made.database.write(ensure_session, session)
        await made.add(delivery={"mode": "announce"})
        await made.pass_time(60)
        await ended(made, 1)
        assert made.runs.submissions[0].deliver_to == last


async def test_with_no_chat_to_answer_in_no_model_is_asked(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        await made.add(delivery={"mode": "announce"})
        await made.pass_time(60)
        await ended(made, 1)
        (run,) = await made.log()
        assert (run.state, run.delivery) == ("failed", "unknown")
        assert (run.error or "").startswith("Channel is required")
        assert made.runs.submissions == []


async def test_an_answer_the_platform_refused_is_a_failure(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        made.post.result = Arrival("not-delivered", "chat not found")
        await made.add(delivery={"mode": "announce", "channel": "net", "to": "ann"})
        await made.pass_time(60)
        await ended(made, 1)
        (run,) = await made.log()
        assert (run.state, run.error, run.delivery_error) == ("failed", "chat not found", "chat not found")


async def test_repeated_failures_are_told_once_per_cooldown(tmp_path: Path) -> None:
    alert: dict[str, object] = {"cron": {"failureAlert": {"enabled": True, "after": 2, "cooldownMs": 3_600_000}}}
    async with world(tmp_path, is_manual=True, config=alert) as made:
        await made.add(delivery={"mode": "none", "channel": "net", "to": "ann"})
        told: list[int] = []
        for number in range(3):
            await made.pass_time(600)
            run_id = made.runs.submissions[number].run_id
            made.runs.finish(run_id, "failed", error="no key")
            await made.settle()
            parts = await made.database.read(select_parts, f"cron-alert:{run_id}")
            told.append(len(parts))
            if parts:
                assert parts[0].text == 'Job "job" failed 2 times in a row: no key'
        assert told == [0, 1, 0]
        assert made.post.woken == [Address("net", "default", "ann")]


async def test_a_failure_destination_hears_of_each_failure(tmp_path: Path) -> None:
    async with world(tmp_path, is_manual=True) as made:
        place = {"mode": "none", "failureDestination": {"channel": "net", "to": "ops"}}
        await made.add(delivery=place)
        await made.pass_time(60)
        run_id = made.runs.submissions[0].run_id
        made.runs.finish(run_id, "failed", error="no key")
        await ended(made, 1)
        (part,) = await made.database.read(select_parts, f"cron-alert:{run_id}")
        assert (part.address.chat, part.text) == ("ops", 'Job "job" failed: no key')


async def test_an_event_for_the_next_turn_only_enters_the_main_session(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        await made.add(
            schedule=in_a_minute(made.clock),
            payload={"kind": "systemEvent", "text": "tea"},
            wakeMode="next-heartbeat",
            delivery=None,
        )
        await made.pass_time(60)
        await ended(made, 1)
        sessions = Sessions(made.database, made.clock)
        main = await sessions.get(parse_key("main"))
        assert main is not None
        (entry,) = await sessions.entries(main.session_id)
        assert entry.type == "user"
        assert str(entry.payload["text"]).startswith("System: [")
        assert str(entry.payload["text"]).endswith("tea")
        assert made.runs.submissions == []


async def test_an_event_for_now_starts_a_turn_in_the_main_session(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        await made.add(payload={"kind": "systemEvent", "text": "tea"}, delivery=None)
        await made.pass_time(60)
        await ended(made, 1)
        (submission,) = made.runs.submissions
        assert submission.session_key == "agent:main:main"
        assert "] tea\n" in submission.text
        assert (await made.log())[0].delivery == "not-requested"


async def test_a_scheduler_that_is_switched_off_runs_nothing(tmp_path: Path) -> None:
    async with world(tmp_path, config={"cron": {"enabled": False}}) as made:
        await made.add()
        await made.pass_time(600)
        assert await made.log() == []
        assert not made.jobs.is_enabled


async def test_a_job_of_an_unreadable_kind_is_switched_off_and_the_others_go_on(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        bad = await made.add(name="bad")
        await made.add(name="good")
        await made.database.write(_break, bad)
        await made.pass_time(60)
        await ended(made, 1)
        assert [run.job_name for run in await made.log()] == ["good"]
        assert (await made.state(bad))["enabled"] is False


def _break(connection: Connection, job_id: str) -> None:
    row = select_job(connection, job_id)
    assert row is not None
    put_job(connection, replace(row, spec={"schedule": "whenever"}))
