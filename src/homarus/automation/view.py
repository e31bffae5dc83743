"""Jobs and runs as clients see them (reference protocol 02 and 03)."""

from __future__ import annotations

from homarus.storage.jobs import JobRow, JobRun

STATUS = {"ran": "ok", "failed": "error", "skipped": "skipped", "missed": "skipped"}
STATES = {"ok": ("ran",), "error": ("failed",), "skipped": ("skipped", "missed")}
_USAGE = {
    "input_tokens": "input",
    "output_tokens": "output",
    "total_tokens": "totalTokens",
    "cache_read_tokens": "cacheRead",
    "cache_write_tokens": "cacheWrite",
}


def job_view(row: JobRow, running_at: int | None = None) -> dict[str, object]:
    """Return a job with its state."""
    state: dict[str, object] = {}
    if row.next_run is not None:
        state["nextRunAtMs"] = row.next_run
    if running_at is not None:
        state["runningAtMs"] = running_at
    spec = {name: value for name, value in row.spec.items() if name not in {"name", "enabled"}}
    return {
        "id": row.id,
        "name": row.name,
        "enabled": row.is_enabled,
        "createdAtMs": row.created_at,
        "updatedAtMs": row.updated_at,
        **spec,
        "state": {**state, **row.state},
    }


def run_view(run: JobRun) -> dict[str, object]:
    """Return a line of the run log."""
    return {"ts": run.ended_at, "jobName": run.job_name, **_outcome(run), "action": "finished"}


def finished_event(run: JobRun, job: JobRow | None) -> dict[str, object]:
    """Return the event that tells how a run ended, with its job as long as there is one."""
    event: dict[str, object] = {**_outcome(run), "action": "finished"}
    if job is not None:
        event["job"] = job_view(job)
        if job.next_run is not None:
            event["nextRunAtMs"] = job.next_run
    return event


def _outcome(run: JobRun) -> dict[str, object]:
    provider, _, model = (run.model or "").partition("/")
    began = run.started_at or run.ended_at or run.planned_at
    found: dict[str, object | None] = {
        "jobId": run.job_id,
        "status": STATUS.get(run.state),
        "error": run.error,
        "summary": run.summary,
        "delivered": run.delivery == "delivered" if run.delivery else None,
        "deliveryStatus": run.delivery,
        "deliveryError": run.delivery_error,
        "sessionId": run.session_id,
        "sessionKey": run.session_key,
        "runAtMs": began,
        "durationMs": max(0, (run.ended_at or began) - began),
        "model": model or None,
        "provider": provider or None,
    }
    if run.usage:
        found["usage"] = {name: run.usage[key] for name, key in _USAGE.items() if key in run.usage}
    return {name: value for name, value in found.items() if value is not None}
