"""What events carry, as typed dictionaries: for the reference pages (reference 03). Nothing is validated by them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NotRequired, TypedDict

Object = dict[str, object]


class Challenge(TypedDict):
    """The first frame on every connection: a device signs the nonce."""

    nonce: str
    ts: int


class Tick(TypedDict):
    """Every 30 seconds: the connection is alive."""

    ts: int


class PresenceList(TypedDict):
    """Who is connected, after somebody left or told of themselves."""

    presence: list[Object]


class Shutdown(TypedDict):
    """The gateway stops; the connection is closed with 1012 next."""

    reason: str
    restartExpectedMs: int | None


class HealthReport(TypedDict, total=False):
    """How the gateway and its channels stand, after every look at them: the result of `health`."""

    ok: bool
    ts: int
    durationMs: int
    channels: Object
    agents: list[Object]
    sessions: Object


class HeartbeatReport(TypedDict):
    """What an agent's heartbeat came to."""

    ts: int
    status: Literal["sent", "ok-empty", "ok-token", "skipped", "failed"]
    to: NotRequired[str]
    accountId: NotRequired[str]
    preview: NotRequired[str]
    durationMs: NotRequired[int]
    reason: NotRequired[str]
    channel: NotRequired[str]


class CronReport(TypedDict):
    """A job was changed, began or ended."""

    jobId: str
    action: Literal["added", "updated", "removed", "started", "finished"]
    nextRunAtMs: NotRequired[int]
    runAtMs: NotRequired[int]
    status: NotRequired[str]
    error: NotRequired[str]
    summary: NotRequired[str]
    sessionKey: NotRequired[str]
    durationMs: NotRequired[int]


class AgentStep(TypedDict):
    """One step of a run. `stream` says which kind, `data` holds it; `seq` counts from 1 per run."""

    runId: str
    seq: int
    stream: Literal["lifecycle", "assistant", "thinking", "tool", "item", "command_output", "compaction", "error"]
    ts: int
    data: Object
    sessionKey: NotRequired[str]


class ChatFailure(TypedDict):
    """Which model of which provider failed, and what the provider said of it."""

    provider: NotRequired[str]
    model: NotRequired[str]
    failoverReason: NotRequired[str]
    providerRuntimeFailureKind: NotRequired[str]
    providerErrorType: NotRequired[str]
    httpStatus: NotRequired[int]
    providerErrorMessagePreview: NotRequired[str]


class ChatStep(TypedDict):
    """The text of a run as it grows, and its end. `message` holds the whole text so far."""

    runId: str
    sessionKey: str
    seq: int
    state: Literal["delta", "final", "aborted", "error"]
    message: NotRequired[Object]
    deltaText: NotRequired[str]
    errorMessage: NotRequired[str]
    errorKind: NotRequired[Literal["refusal", "timeout", "rate_limit", "context_length", "unknown"]]
    errorDetail: NotRequired[ChatFailure]
    stopReason: NotRequired[str]


class SessionChange(TypedDict):
    """A session was made, changed, written to or deleted; the row of `sessions.list` comes along."""

    sessionKey: str
    ts: int
    reason: NotRequired[str]
    phase: NotRequired[Literal["start", "end", "error", "message"]]
    runId: NotRequired[str]
    messageId: NotRequired[str]
    messageSeq: NotRequired[int]
    session: NotRequired[Object]


class SessionMessage(TypedDict):
    """A message was added to a transcript, as it is stored."""

    sessionKey: str
    message: Object
    messageId: NotRequired[str]
    messageSeq: NotRequired[int]
    session: NotRequired[Object]


class SessionTool(TypedDict):
    """A tool call of a session goes on: an `agent` event of the stream `tool`, with the session."""

    runId: str
    seq: int
    stream: Literal["tool"]
    ts: int
    data: Object
    sessionKey: str
    session: NotRequired[Object]


class TalkMode(TypedDict):
    """Speaking was switched on or off."""

    enabled: bool
    phase: str | None
    ts: int


class WakeWords(TypedDict):
    """The words that wake a device up."""

    triggers: list[str]


class WakeRoutes(TypedDict):
    """Where what is said after a wake word goes; for nodes also right after they came in."""

    config: Object


class DeviceRequested(TypedDict):
    """A device waits to be let in."""

    requestId: str
    deviceId: str
    publicKey: str
    ts: int
    displayName: NotRequired[str]
    platform: NotRequired[str]
    role: NotRequired[str]
    scopes: NotRequired[list[str]]
    remoteIp: NotRequired[str]


class DeviceResolved(TypedDict):
    """Somebody decided about a device."""

    requestId: str
    deviceId: str
    decision: Literal["approved", "rejected"]
    ts: int


class NodeRequested(TypedDict):
    """A node waits to be let in."""

    requestId: str
    nodeId: str
    ts: int
    displayName: NotRequired[str]
    platform: NotRequired[str]
    caps: NotRequired[list[str]]
    commands: NotRequired[list[str]]


class NodeResolved(TypedDict):
    """Somebody decided about a node."""

    requestId: str
    nodeId: str
    decision: Literal["approved", "rejected"]
    ts: int


class NodeInvoke(TypedDict):
    """A node is asked to do something; it answers with `node.invoke.result`."""

    id: str
    nodeId: str
    command: str
    paramsJSON: str | None
    timeoutMs: NotRequired[int]
    idempotencyKey: NotRequired[str]


class ApprovalRequested(TypedDict):
    """Something waits for a decision of a person."""

    id: str
    request: Object
    createdAtMs: int
    expiresAtMs: int


class ApprovalResolved(TypedDict):
    """A person decided."""

    id: str
    decision: Literal["allow-once", "allow-always", "deny"]
    ts: int
    request: Object
    resolvedBy: NotRequired[str | None]


class UpdateAvailable(TypedDict):
    """A newer version is there, or null when there is none any more."""

    updateAvailable: Object | None


EVENT_PAYLOADS: Final[Mapping[str, type]] = MappingProxyType(
    {
        "connect.challenge": Challenge,
        "agent": AgentStep,
        "chat": ChatStep,
        "session.message": SessionMessage,
        "session.tool": SessionTool,
        "sessions.changed": SessionChange,
        "presence": PresenceList,
        "tick": Tick,
        "talk.mode": TalkMode,
        "shutdown": Shutdown,
        "health": HealthReport,
        "heartbeat": HeartbeatReport,
        "cron": CronReport,
        "node.pair.requested": NodeRequested,
        "node.pair.resolved": NodeResolved,
        "node.invoke.request": NodeInvoke,
        "device.pair.requested": DeviceRequested,
        "device.pair.resolved": DeviceResolved,
        "voicewake.changed": WakeWords,
        "voicewake.routing.changed": WakeRoutes,
        "exec.approval.requested": ApprovalRequested,
        "exec.approval.resolved": ApprovalResolved,
        "plugin.approval.requested": ApprovalRequested,
        "plugin.approval.resolved": ApprovalResolved,
        "update.available": UpdateAvailable,
    }
)
"""By the name of the event; the architecture tests compare it with the events there are."""
