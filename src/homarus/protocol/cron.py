"""Jobs of the scheduler: what a job consists of, and the parameters of `cron.*` and `wake`."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import Field, model_validator

from homarus.protocol.base import NonEmpty, Params

Name = Annotated[str, MinLen(1), MaxLen(200)]
Prompt = Annotated[str, MinLen(1), MaxLen(100_000)]
Place = Annotated[str, MinLen(1), MaxLen(512)]
Millis = Annotated[int, Ge(0), Le(10**15)]
JobId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^/\\]+$")]
Target = Annotated[str, Field(max_length=600, pattern=r"^(main|isolated|current|session:.+)$")]
WakeMode = Literal["next-heartbeat", "now"]
RunStatus = Literal["ok", "error", "skipped"]
DeliveryStatus = Literal["delivered", "not-delivered", "unknown", "not-requested"]
Offset = Annotated[int, Ge(0), Le(1_000_000)]
PageSize = Annotated[int, Ge(1), Le(200)]


class AtSchedule(Params):
    """Once, at an ISO time; without a zone it is UTC."""

    kind: Literal["at"]
    at: Annotated[str, MinLen(1), MaxLen(64)]


class EverySchedule(Params):
    """Again and again, counted from `anchor_ms`."""

    kind: Literal["every"]
    every_ms: Annotated[int, Ge(1), Le(10**13)]
    anchor_ms: Millis | None = None


class CronSchedule(Params):
    """By a cron expression in a time zone, shifted by up to `stagger_ms`."""

    kind: Literal["cron"]
    expr: Annotated[str, MinLen(1), MaxLen(256)]
    tz: Annotated[str, MinLen(1), MaxLen(64)] | None = None
    stagger_ms: Annotated[int, Ge(0), Le(24 * 3_600_000)] | None = None


Schedule = Annotated[AtSchedule | EverySchedule | CronSchedule, Field(discriminator="kind")]


class SystemEvent(Params):
    """A text for the main session."""

    kind: Literal["systemEvent"]
    text: Prompt


class AgentTurn(Params):
    """A turn of an agent. `timeout_seconds` 0 means no limit of its own."""

    kind: Literal["agentTurn"]
    message: Prompt
    model: NonEmpty | None = None
    fallbacks: list[str] | None = None
    thinking: NonEmpty | None = None
    timeout_seconds: Annotated[int, Ge(0), Le(7 * 86_400)] | None = None
    allow_unsafe_external_content: bool | None = None
    light_context: bool | None = None
    tools_allow: list[str] | None = None


Payload = Annotated[SystemEvent | AgentTurn, Field(discriminator="kind")]


class FailureDestination(Params):
    """Where a failure is told."""

    channel: Place | None = None
    to: str | None = None
    account_id: str | None = None
    mode: Literal["announce", "webhook"] | None = None


class Delivery(Params):
    """Where the answer goes. Without a channel, or with `last`, to the chat the main session answered last."""

    mode: Literal["none", "announce", "webhook"]
    channel: Place | None = None
    to: Place | None = None
    account_id: Place | None = None
    best_effort: bool | None = None
    failure_destination: FailureDestination | None = None


class FailureAlert(Params):
    """When to tell about failures in a row."""

    after: Annotated[int, Ge(1)] | None = None
    channel: Place | None = None
    to: str | None = None
    cooldown_ms: Millis | None = None
    mode: Literal["announce", "webhook"] | None = None
    account_id: str | None = None


class JobSpec(Params):
    """A job as its owner wrote it."""

    name: Name
    agent_id: NonEmpty | None = None
    session_key: NonEmpty | None = None
    description: Annotated[str, MaxLen(2000)] | None = None
    enabled: bool = True
    delete_after_run: bool | None = None
    schedule: Schedule
    session_target: Target
    wake_mode: WakeMode
    payload: Payload
    delivery: Delivery | None = None
    failure_alert: Literal[False] | FailureAlert | None = None


class CronAddParams(JobSpec):
    """`cron.add`. What follows from the rest of the job may be left out."""

    @model_validator(mode="before")
    @classmethod
    def complete(cls, value: object) -> object:
        """Fill in kinds, target, name and the other defaults."""
        if not isinstance(value, dict):
            return value
        given = dict(cast("dict[str, object]", value))
        inner = given.get("job")
        given = dict(cast("dict[str, object]", inner)) if isinstance(inner, dict) else given
        return _with_defaults(given)


class PayloadPatch(Params):
    """What changes of a payload; with another `kind` it is replaced."""

    kind: Literal["systemEvent", "agentTurn"]
    text: Prompt | None = None
    message: Prompt | None = None
    model: NonEmpty | None = None
    fallbacks: list[str] | None = None
    thinking: NonEmpty | None = None
    timeout_seconds: Annotated[int, Ge(0), Le(7 * 86_400)] | None = None
    allow_unsafe_external_content: bool | None = None
    light_context: bool | None = None
    tools_allow: list[str] | None = None


class DeliveryPatch(Params):
    """What changes of a delivery."""

    mode: Literal["none", "announce", "webhook"] | None = None
    channel: Place | None = None
    to: Place | None = None
    account_id: Place | None = None
    best_effort: bool | None = None
    failure_destination: FailureDestination | None = None


class JobPatch(Params):
    """What changes of a job; null takes `agent_id` and `session_key` away."""

    name: Name | None = None
    agent_id: NonEmpty | None = None
    session_key: NonEmpty | None = None
    description: Annotated[str, MaxLen(2000)] | None = None
    enabled: bool | None = None
    delete_after_run: bool | None = None
    schedule: Schedule | None = None
    session_target: Target | None = None
    wake_mode: WakeMode | None = None
    payload: PayloadPatch | None = None
    delivery: DeliveryPatch | None = None
    failure_alert: Literal[False] | FailureAlert | None = None

    @model_validator(mode="before")
    @classmethod
    def complete(cls, value: object) -> object:
        """Fill in the kind of a schedule."""
        if not isinstance(value, dict):
            return value
        given = dict(cast("dict[str, object]", value))
        _name_kinds(given)
        return given


class _JobParams(Params):
    """Names a job by `id` or `job_id`."""

    id: JobId

    @model_validator(mode="before")
    @classmethod
    def rename(cls, value: object) -> object:
        """Take `jobId` for `id`."""
        if not isinstance(value, dict):
            return value
        given = dict(cast("dict[str, object]", value))
        if "jobId" in given and "id" not in given:
            given["id"] = given.pop("jobId")
        return given


class CronUpdateParams(_JobParams):
    """`cron.update`."""

    patch: JobPatch


class CronRemoveParams(_JobParams):
    """`cron.remove`."""


class CronRunParams(_JobParams):
    """`cron.run`."""

    mode: Literal["due", "force", "if-enabled"] | None = None


class CronGetParams(_JobParams):
    """`cron.get`."""


class CronListParams(Params):
    """`cron.list`."""

    session_key: NonEmpty | None = None
    session_agent_id: NonEmpty | None = None
    schedule_kind: Literal["all", "at", "every", "cron", "on-exit", "stream"] | None = None
    last_run_status: Literal["all", "ok", "error", "skipped", "unknown"] | None = None
    trigger: Literal["all", "conditional", "unconditional"] | None = None
    agent_id: NonEmpty | None = None
    compact: bool | None = None
    include_delivery_previews: bool | None = None

    include_disabled: bool | None = None
    limit: PageSize | None = None
    offset: Offset | None = None
    query: Annotated[str, MaxLen(256)] | None = None
    enabled: Literal["all", "enabled", "disabled"] | None = None
    sort_by: Literal["nextRunAtMs", "updatedAtMs", "name"] | None = None
    sort_dir: Literal["asc", "desc"] | None = None


class CronRunsParams(Params):
    """`cron.runs`."""

    scope: Literal["job", "all"] | None = None
    id: JobId | None = None
    job_id: JobId | None = None
    limit: PageSize | None = None
    offset: Offset | None = None
    statuses: Annotated[list[RunStatus], MinLen(1), MaxLen(3)] | None = None
    status: Literal["all", "ok", "error", "skipped"] | None = None
    delivery_statuses: Annotated[list[DeliveryStatus], MinLen(1), MaxLen(4)] | None = None
    delivery_status: DeliveryStatus | None = None
    query: Annotated[str, MaxLen(256)] | None = None
    sort_dir: Literal["asc", "desc"] | None = None


class WakeParams(Params):
    """`wake`."""

    mode: WakeMode
    text: Prompt


def _with_defaults(given: dict[str, object]) -> dict[str, object]:
    _name_kinds(given)
    given.setdefault("wakeMode", "now")
    payload, schedule = _object(given.get("payload")), _object(given.get("schedule"))
    if payload:
        given.setdefault("sessionTarget", "main" if payload.get("kind") == "systemEvent" else "isolated")
        first = str(payload.get("text") or payload.get("message") or "").strip().partition("\n")[0]
        given.setdefault("name", first[:60] or "Job")
    if schedule.get("kind") == "at":
        given.setdefault("deleteAfterRun", True)
    if payload.get("kind") == "agentTurn" and given.get("sessionTarget") != "main":
        given.setdefault("delivery", {"mode": "announce"})
    return given


def _name_kinds(given: dict[str, object]) -> None:
    schedule, payload = _object(given.get("schedule")), _object(given.get("payload"))
    if schedule and "kind" not in schedule:
        kinds = (("at", "at"), ("everyMs", "every"), ("expr", "cron"))
        kind = next((kind for key, kind in kinds if key in schedule), None)
        given["schedule"] = schedule if kind is None else {"kind": kind, **schedule}
    if payload and "kind" not in payload:
        given["payload"] = {"kind": "agentTurn" if "message" in payload else "systemEvent", **payload}


def _object(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
