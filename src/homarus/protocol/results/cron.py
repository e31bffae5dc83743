"""Results about jobs."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from homarus.protocol.results.shared import Object


class JobState(TypedDict, total=False):
    """How a job stands. Times in milliseconds."""

    nextRunAtMs: int
    runningAtMs: int
    lastRunAtMs: int
    lastRunStatus: str
    lastStatus: str
    lastError: str
    lastErrorReason: str
    lastDurationMs: int
    consecutiveErrors: int
    consecutiveSkipped: int
    lastDelivered: bool
    lastDeliveryStatus: str
    lastDeliveryError: str
    lastFailureAlertAtMs: int
    scheduleErrorCount: int


class Schedule(TypedDict):
    """When a job runs: at a time, every so many milliseconds, or by a cron expression."""

    kind: Literal["at", "every", "cron"]
    at: NotRequired[str]
    everyMs: NotRequired[int]
    anchorMs: NotRequired[int]
    expr: NotRequired[str]
    tz: NotRequired[str]
    staggerMs: NotRequired[int]


class DeliveryPreview(TypedDict):
    """Where the answer of a job goes, in words."""

    label: str
    detail: str


class Job(TypedDict):
    """A job with how it stands."""

    id: str
    agentId: NotRequired[str]
    sessionKey: NotRequired[str]
    name: str
    description: NotRequired[str]
    enabled: bool
    deleteAfterRun: NotRequired[bool]
    createdAtMs: int
    updatedAtMs: int
    schedule: Schedule
    sessionTarget: str
    wakeMode: str
    payload: Object
    delivery: NotRequired[Object]
    failureAlert: NotRequired[Object | bool]
    state: JobState
    effectiveAgentId: NotRequired[str]
    configRevision: NotRequired[str]
    nextRunAtMs: NotRequired[int]
    lastRunAtMs: NotRequired[int]
    lastRunStatus: NotRequired[str]
    lastRunError: NotRequired[str]
    lastDelivered: NotRequired[bool]
    lastDeliveryStatus: NotRequired[str]
    lastDeliveryError: NotRequired[str]
    deliveryPreview: NotRequired[DeliveryPreview]


class CompactJob(TypedDict):
    """A job as a list shows it that asked for compact rows."""

    id: str
    name: str
    agentId: NotRequired[str]
    description: NotRequired[str]
    updatedAtMs: int
    enabled: bool
    schedule: Schedule
    effectiveAgentId: str
    scheduleKind: str
    nextRunAt: str | None
    nextRunAtMs: int | None
    lastRunAt: str | None
    lastRunAtMs: int | None
    lastRunStatus: str | None
    lastRunError: str | None


class JobPage(TypedDict):
    """One page of jobs."""

    jobs: list[Job | CompactJob]
    total: int
    offset: int
    limit: int
    hasMore: bool
    nextOffset: int | None
    snapshotRevision: NotRequired[str]
    deliveryPreviews: NotRequired[dict[str, DeliveryPreview]]


class JobRemoved(TypedDict):
    """Whether there was such a job."""

    ok: bool
    removed: bool


class JobStarted(TypedDict):
    """Whether a job runs now; `reason` says why it does not."""

    ok: bool
    enqueued: NotRequired[bool]
    ran: NotRequired[bool]
    reason: NotRequired[str]
    runId: NotRequired[str]
    processInstanceId: NotRequired[str]


class JobRun(TypedDict):
    """One run of a job. Times in milliseconds."""

    ts: int
    jobId: str
    jobName: NotRequired[str]
    action: str
    status: NotRequired[str]
    error: NotRequired[str]
    summary: NotRequired[str]
    delivered: NotRequired[bool]
    deliveryStatus: NotRequired[str]
    deliveryError: NotRequired[str]
    sessionId: NotRequired[str]
    sessionKey: NotRequired[str]
    runId: NotRequired[str]
    runAtMs: NotRequired[int]
    durationMs: NotRequired[int]
    nextRunAtMs: NotRequired[int]
    model: NotRequired[str]
    provider: NotRequired[str]
    usage: NotRequired[Object]


class JobRuns(TypedDict):
    """One page of runs of jobs."""

    entries: list[JobRun]
    total: int
    offset: int
    limit: int
    hasMore: bool
    nextOffset: int | None


class CronStatus(TypedDict):
    """Whether jobs run, how many there are and when the next one does."""

    enabled: bool
    triggersEnabled: NotRequired[bool]
    storePath: str
    storage: NotRequired[str]
    sqlitePath: NotRequired[str]
    jobs: int
    nextWakeAtMs: int | None
