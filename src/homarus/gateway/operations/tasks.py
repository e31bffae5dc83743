"""Background work as tasks: the runs of the scheduler's jobs, those that go on first."""

from __future__ import annotations

from typing import Final

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Get, operation
from homarus.gateway.operations.target import default_agent, read_key
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.protocol.session_views import TaskParams, TasksListParams
from homarus.storage.database import Connection
from homarus.storage.jobs import JobRun, JobRunFilter, select_ended_runs, select_open_runs, select_run

DEFAULT_LIMIT: Final = 100
_STATUS: Final = {"queued": "queued", "running": "running", "ran": "completed", "failed": "failed"}


@operation("tasks.list", scope=Scope.READ, rest=Get("/api/tasks"))
async def list_tasks(call: Call, params: TasksListParams) -> JsonObject:
    """List runs of jobs: those that wait or go on, then those that ended, the newest first."""
    limit = params.limit or DEFAULT_LIMIT
    if params.agent_id is not None and params.agent_id.strip().lower() != default_agent(call).id:
        return {"tasks": []}
    runs = await call.services.database.read(_runs, limit)
    wanted = [params.status] if isinstance(params.status, str) else params.status
    key = str(read_key(call, params.session_key)) if params.session_key is not None else None
    tasks = [_task(run) for run in runs if key in (None, run.session_key)]
    return {"tasks": [task for task in tasks if not wanted or task["status"] in wanted][:limit]}


@operation("tasks.get", scope=Scope.READ, rest=Get("/api/tasks/{taskId}"))
async def get_task(call: Call, params: TaskParams) -> JsonObject:
    """Return one task."""
    run = await call.services.database.read(select_run, params.task_id)
    if run is None:
        raise invalid(f"unknown task id: {params.task_id[:100]}")
    return {"task": _task(run)}


def _runs(connection: Connection, limit: int) -> list[JobRun]:
    return [*select_open_runs(connection), *select_ended_runs(connection, JobRunFilter(limit=limit))[0]]


def _task(run: JobRun) -> JsonObject:
    task: JsonObject = {
        "id": run.id,
        "taskId": run.id,
        "kind": "cron",
        "runtime": "cron",
        "status": _STATUS.get(run.state, "cancelled"),
        "title": run.job_name,
        "sourceId": run.job_id,
        "runId": run.id,
        "sessionKey": run.session_key,
        "createdAt": run.planned_at,
        "updatedAt": run.ended_at or run.started_at or run.planned_at,
        "startedAt": run.started_at,
        "endedAt": run.ended_at,
        "terminalSummary": run.summary,
        "error": run.error,
    }
    return {name: value for name, value in task.items() if value is not None}
