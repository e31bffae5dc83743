"""Jobs as rows for clients of version 4 (v4-differences §9.2); version 3 passes over what it does not know."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, cast

from homarus.protocol.frames import JsonObject, encode

_OF_STATE: Final = (
    "nextRunAtMs",
    "lastRunAtMs",
    "lastRunStatus",
    "lastDelivered",
    "lastDeliveryStatus",
    "lastDeliveryError",
)
_OF_COMPACT: Final = ("id", "name", "agentId", "description", "updatedAtMs", "enabled", "schedule", "effectiveAgentId")
_NO_CONFIG: Final = frozenset({"state", "createdAtMs", "updatedAtMs"})


def full_row(job: JsonObject, default_agent: str) -> JsonObject:
    """Return a job with what its state says told again beside it."""
    state = _state(job)
    row = {**job, "effectiveAgentId": job.get("agentId") or default_agent, "configRevision": _revision_of(job)}
    row |= {name: state[name] for name in _OF_STATE if name in state}
    if "lastError" in state:
        row["lastRunError"] = state["lastError"]
    return row


def compact_row(job: JsonObject, default_agent: str) -> JsonObject:
    """Return what a list of jobs needs of one."""
    full = full_row(job, default_agent)
    schedule = cast("JsonObject", full["schedule"])
    due, last = full.get("nextRunAtMs"), full.get("lastRunAtMs")
    return {
        **{name: full[name] for name in _OF_COMPACT if name in full},
        "scheduleKind": schedule["kind"],
        "nextRunAt": _iso(due),
        "nextRunAtMs": due,
        "lastRunAt": _iso(last),
        "lastRunAtMs": last,
        "lastRunStatus": full.get("lastRunStatus"),
        "lastRunError": full.get("lastRunError"),
    }


def delivery_preview(job: JsonObject) -> JsonObject:
    """Return in words where a job's answer goes."""
    delivery = cast("JsonObject", job.get("delivery") or {})
    mode = delivery.get("mode") or "none"
    if mode == "none":
        return {"label": "not requested", "detail": "not requested"}
    where = [str(delivery[name]) for name in ("channel", "to") if delivery.get(name)]
    label = f"{mode} -> {' '.join(where) or 'last'}"
    return {"label": label, "detail": label}


def snapshot_revision(jobs: Iterable[JsonObject]) -> str:
    """Return what changes when any of the jobs does."""
    return _digest(list(jobs))


def last_status(job: JsonObject) -> str:
    """Return how a job's last run ended, `unknown` when it never ran."""
    return str(_state(job).get("lastRunStatus") or "unknown")


def _state(job: JsonObject) -> JsonObject:
    return cast("JsonObject", job["state"])


def _revision_of(job: JsonObject) -> str:
    return _digest({name: value for name, value in job.items() if name not in _NO_CONFIG})


def _digest(value: object) -> str:
    return f"sha256:{hashlib.sha256(encode(value).encode('utf-8', 'backslashreplace')).hexdigest()}"


def _iso(milliseconds: object) -> str | None:
    if not isinstance(milliseconds, (int, float)):
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
