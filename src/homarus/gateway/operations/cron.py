"""Jobs of the scheduler."""

from __future__ import annotations

from typing import cast

from homarus.automation.schedule import AtRefused
from homarus.automation.service import Jobs, UnknownJob, View
from homarus.automation.view import STATES
from homarus.errors import ProtocolError, UserError
from homarus.gateway.cron_rows import compact_row, delivery_preview, full_row, last_status, snapshot_revision
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Delete, Get, Post, operation
from homarus.gateway.operations.target import default_agent, read_key
from homarus.protocol.base import NoParams
from homarus.protocol.cron import (
    CronAddParams,
    CronGetParams,
    CronListParams,
    CronRemoveParams,
    CronRunParams,
    CronRunsParams,
    CronUpdateParams,
)
from homarus.protocol.errors import invalid, unavailable
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.storage.jobs import JobRunFilter

RUNS_PAGE = 50
MAX_PAGE = 200
_TRIGGER = "unconditional"
"""Every job runs by its time alone; none looks at a condition first."""


@operation("cron.status", scope=Scope.READ, rest=Get("/api/cron/status"))
async def status(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001
    """Tell whether the scheduler is on, how many jobs it has and when the next one is due."""
    desk = _jobs(call)
    count, due = await desk.status()
    store = str(call.services.state_dir / "homarus.db")
    stored: JsonObject = {"storePath": store, "storage": "sqlite", "sqlitePath": store}
    return {"enabled": desk.is_enabled, "triggersEnabled": False, **stored, "jobs": count, "nextWakeAtMs": due}


@operation("cron.list", scope=Scope.READ, rest=Get("/api/cron"))
async def list_jobs(call: Call, params: CronListParams) -> JsonObject:
    """List jobs, the next one to run first; those that are switched off only when asked for."""
    found = [job for job in await _jobs(call).list() if _is_wanted(call, job, params)]
    key = params.sort_by or "nextRunAtMs"
    found.sort(key=lambda job: _rank(job, key), reverse=params.sort_dir == "desc")
    offset = min(params.offset or 0, len(found))
    limit = params.limit or min(max(len(found), 1), MAX_PAGE)
    page = found[offset : offset + limit]
    build, default = compact_row if params.compact else full_row, default_agent(call).id
    answer: JsonObject = {"jobs": [build(job, default) for job in page], **_page(offset, limit, len(found))}
    answer["snapshotRevision"] = snapshot_revision(found)
    if params.include_delivery_previews:
        answer["deliveryPreviews"] = {str(job["id"]): delivery_preview(job) for job in page}
    return answer


@operation("cron.get", scope=Scope.READ, rest=Get("/api/cron/{id}"))
async def get_job(call: Call, params: CronGetParams) -> JsonObject:
    """Return one job."""
    return await _find(call, params.id)


@operation("cron.add", scope=Scope.ADMIN, rest=Post("/api/cron"))
async def add_job(call: Call, params: CronAddParams) -> View:
    """Add a job."""
    try:
        job = await _jobs(call).add(params)
    except UserError as error:
        raise _refusal(error) from error
    return {**full_row(job, default_agent(call).id), "deliveryPreview": delivery_preview(job)}


@operation("cron.update", scope=Scope.ADMIN, rest=Post("/api/cron/{id}"))
async def update_job(call: Call, params: CronUpdateParams) -> View:
    """Change a job."""
    try:
        job = await _jobs(call).update(params.id, params.patch)
    except UnknownJob as error:
        raise _unknown(params.id) if call.caller.is_v4 else _refusal(error) from error
    except UserError as error:
        raise _refusal(error) from error
    return {**full_row(job, default_agent(call).id), "deliveryPreview": delivery_preview(job)}


@operation("cron.remove", scope=Scope.ADMIN, rest=Delete("/api/cron/{id}"))
async def remove_job(call: Call, params: CronRemoveParams) -> JsonObject:
    """Remove a job; its run log stays."""
    return {"ok": True, "removed": await _jobs(call).remove(params.id)}


@operation("cron.run", scope=Scope.ADMIN, rest=Post("/api/cron/{id}/run"))
async def run_job(call: Call, params: CronRunParams) -> JsonObject:
    """Run a job now, also one that is switched off; with mode `due` only when its time has come."""
    if params.mode == "if-enabled" and not (await _find(call, params.id))["enabled"]:
        return {"ok": True, "ran": False, "reason": "disabled"}
    try:
        started = await _jobs(call).run(params.id, is_forced=params.mode != "due")
    except UnknownJob as error:
        raise _unknown(params.id) if call.caller.is_v4 else _refusal(error) from error
    except UserError as error:
        raise _refusal(error) from error
    if started.run_id is None:
        return {"ok": True, "ran": False, "reason": started.reason}
    return {"ok": True, "enqueued": True, "runId": started.run_id, "processInstanceId": call.core.instance_id}


@operation("cron.runs", scope=Scope.READ, rest=Get("/api/cron/runs"))
async def list_runs(call: Call, params: CronRunsParams) -> JsonObject:
    """List what became of due times, newest first."""
    job_id = params.id or params.job_id
    if params.scope == "job" and job_id is None:
        raise invalid("invalid cron.runs params: id is required with scope job")
    statuses = params.statuses or ([params.status] if params.status and params.status != "all" else None)
    deliveries = params.delivery_statuses or ([params.delivery_status] if params.delivery_status else None)
    where = JobRunFilter(
        limit=params.limit or RUNS_PAGE,
        offset=params.offset or 0,
        job_id=None if params.scope == "all" else job_id,
        states=tuple(state for each in statuses for state in STATES[each]) if statuses else None,
        deliveries=tuple(deliveries) if deliveries else None,
        search=params.query,
        is_newest_first=params.sort_dir != "asc",
    )
    found, total = await _jobs(call).runs(where)
    return {"entries": found, **_page(where.offset, where.limit, total)}


def _jobs(call: Call) -> Jobs:
    if call.services.jobs is None:
        raise unavailable("this gateway has no scheduler")
    return call.services.jobs


def _refusal(error: UserError) -> Exception:
    """Return the refusal clients know: an impossible time is their fault, a broken rule answers UNAVAILABLE."""
    text = f"{error.message} ({error.fix})" if error.fix else error.message
    if isinstance(error, AtRefused):
        return invalid(text)
    kind = "TypeError" if text.startswith("CronPattern") else "Error"
    return unavailable(f"{kind}: {text}")


async def _find(call: Call, job_id: str) -> JsonObject:
    found = next((job for job in await _jobs(call).list() if job["id"] == job_id), None)
    if found is None:
        raise _unknown(job_id)
    return full_row(found, default_agent(call).id)


def _unknown(job_id: str) -> ProtocolError:
    details: JsonObject = {"code": "CRON_JOB_NOT_FOUND", "jobId": job_id}
    return invalid(f"unknown cron job id: {job_id}", details)


def _is_wanted(call: Call, job: View, params: CronListParams) -> bool:
    wanted = params.enabled or ("all" if params.include_disabled else "enabled")
    if wanted != "all" and job["enabled"] is not (wanted == "enabled"):
        return False
    if params.agent_id is not None and (job.get("agentId") or default_agent(call).id) != params.agent_id:
        return False
    if params.session_key is not None and not _is_of_session(call, job, params):
        return False
    kind = cast("JsonObject", job["schedule"])["kind"]
    asked = ((params.schedule_kind, kind), (params.last_run_status, last_status(job)), (params.trigger, _TRIGGER))
    if any(value not in (None, "all", found) for value, found in asked):
        return False
    query = (params.query or "").strip().lower()
    texts = (job["name"], job["id"], job.get("description"), job.get("agentId"), job.get("payload"))
    return not query or any(query in str(text).lower() for text in texts if text)


def _is_of_session(call: Call, job: View, params: CronListParams) -> bool:
    given = job.get("sessionKey")
    wanted = read_key(call, params.session_key or "", params.session_agent_id)
    return isinstance(given, str) and str(read_key(call, given)) == str(wanted)


def _rank(job: View, key: str) -> tuple[bool, int, str]:
    """Order by a field; jobs without it come last."""
    if key == "name":
        return False, 0, str(job["name"]).lower()
    value = cast("JsonObject", job["state"]).get(key) if key == "nextRunAtMs" else job.get(key)
    return value is None, value if isinstance(value, int) else 0, str(job["id"])


def _page(offset: int, limit: int, total: int) -> JsonObject:
    end = offset + limit
    has_more = end < total
    return {
        "total": total,
        "offset": offset,
        "limit": limit,
        "hasMore": has_more,
        "nextOffset": end if has_more else None,
    }
