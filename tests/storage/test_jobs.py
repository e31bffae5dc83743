from __future__ import annotations

from msgspec.structs import replace
from tests.storage.conftest import NOW

from homarus.ids import AgentId
from homarus.storage import jobs
from homarus.storage.database import Database
from homarus.storage.jobs import JobRow, JobRun, JobRunFilter

JOB = JobRow("j1", AgentId("main"), "job", is_enabled=True, next_run=NOW, spec={"a": 1}, created_at=NOW, updated_at=NOW)


def run(number: int, **given: object) -> JobRun:
    made = JobRun(f"r{number}", "j1", "job", NOW + number, "ran", ended_at=NOW + number)
    return replace(made, **given)  # pyright: ignore[reportArgumentType]


async def test_a_due_time_of_a_job_exists_once(database: Database) -> None:
    assert await database.write(jobs.insert_run, run(1))
    assert not await database.write(jobs.insert_run, run(1, id="other"))
    assert await database.write(jobs.insert_run, run(1, id="third", job_id="j2"))


async def test_a_run_ends_once(database: Database) -> None:
    await database.write(jobs.insert_run, run(1, state="queued", ended_at=None))
    assert await database.write(jobs.start_run, "r1", NOW)
    assert not await database.write(jobs.start_run, "r1", NOW)
    assert await database.write(jobs.end_run, run(1, state="failed", error="no", usage={"input": 2}))
    assert not await database.write(jobs.end_run, run(1))
    found = await database.read(jobs.select_run, "r1")
    assert found is not None
    assert (found.state, found.error, found.usage) == ("failed", "no", {"input": 2})


async def test_jobs_come_in_the_order_in_which_they_are_due(database: Database) -> None:
    for name, due in (("late", NOW + 9), ("off", None), ("soon", NOW + 1)):
        await database.write(jobs.put_job, replace(JOB, id=name, next_run=due))
    assert [job.id for job in await database.read(jobs.select_jobs)] == ["soon", "late", "off"]
    assert [job.id for job in await database.read(jobs.select_due, NOW + 1)] == ["soon"]
    assert await database.read(jobs.next_due) == NOW + 1
    assert await database.read(jobs.next_due, NOW + 1) == NOW + 9
    assert await database.write(jobs.delete_job, "soon")
    assert not await database.write(jobs.delete_job, "soon")
    assert await database.read(jobs.count_jobs) == 2


async def test_the_run_log_is_paged_filtered_and_searched(database: Database) -> None:
    await database.write(jobs.insert_run, run(1, summary="Found 100% of it"))
    await database.write(jobs.insert_run, run(2, state="missed"))
    await database.write(jobs.insert_run, run(3, state="failed", delivery="unknown"))
    await database.write(jobs.insert_run, run(4, state="running", ended_at=None))

    async def ids(where: JobRunFilter) -> tuple[list[str], int]:
        found, total = await database.read(jobs.select_ended_runs, where)
        return [each.id for each in found], total

    assert await ids(JobRunFilter(limit=2)) == (["r3", "r2"], 3)
    assert await ids(JobRunFilter(limit=2, offset=2)) == (["r1"], 3)
    assert await ids(JobRunFilter(is_newest_first=False, job_id="j1")) == (["r1", "r2", "r3"], 3)
    assert await ids(JobRunFilter(states=("missed", "skipped"))) == (["r2"], 1)
    assert await ids(JobRunFilter(deliveries=("unknown",))) == (["r3"], 1)
    assert await ids(JobRunFilter(search="100% OF")) == (["r1"], 1)
    assert await ids(JobRunFilter(search="1000")) == ([], 0)


async def test_old_lines_of_the_log_are_forgotten_but_never_open_runs(database: Database) -> None:
    await database.write(jobs.insert_run, run(0, state="running", ended_at=None))
    for number in range(1, 6):
        await database.write(jobs.insert_run, run(number))
    await database.write(jobs.trim_runs, "j1", 2)
    found, total = await database.read(jobs.select_ended_runs, JobRunFilter())
    assert ([each.id for each in found], total) == (["r5", "r4"], 2)
    assert [each.id for each in await database.read(jobs.select_open_runs)] == ["r0"]
