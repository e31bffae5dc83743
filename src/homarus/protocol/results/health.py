"""Results about the gateway itself."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from homarus.protocol.results.shared import ChannelRow, Object


class Recent(TypedDict):
    """A session of late; `age` in milliseconds."""

    key: str
    updatedAt: int | None
    age: int | None


class StoreFacts(TypedDict):
    """How many sessions there are, and the last of them."""

    path: str
    count: int
    recent: list[Recent]


class Heartbeat(TypedDict):
    """When the heartbeat of an agent beats."""

    enabled: bool
    every: str
    everyMs: int | None
    waitingForRoute: NotRequired[bool]
    prompt: NotRequired[str]
    target: NotRequired[str]
    ackMaxChars: NotRequired[int]


class AgentHealth(TypedDict):
    """How an agent stands."""

    agentId: str
    name: NotRequired[str]
    isDefault: bool
    heartbeat: Heartbeat
    sessions: StoreFacts


class ChannelHealth(ChannelRow):
    """How a channel stands, and each of its accounts by name."""

    accounts: dict[str, ChannelRow]


class Health(TypedDict):
    """How everything stands; `durationMs` is what it took to find out, `needsRestart` keys that wait for a restart."""

    ok: bool
    ts: int
    durationMs: int
    channels: dict[str, ChannelHealth]
    channelOrder: list[str]
    channelLabels: dict[str, str]
    heartbeatSeconds: int
    defaultAgentId: str
    agents: list[AgentHealth]
    sessions: StoreFacts
    needsRestart: NotRequired[list[str]]


class SessionStatus(TypedDict):
    """A session of late, with how full its context is."""

    agentId: NotRequired[str]
    key: str
    kind: str
    sessionId: NotRequired[str]
    updatedAt: int | None
    systemSent: NotRequired[bool]
    abortedLastRun: NotRequired[bool]
    thinkingLevel: NotRequired[str]
    age: int | None
    inputTokens: NotRequired[int]
    outputTokens: NotRequired[int]
    totalTokens: int | None
    totalTokensFresh: bool
    remainingTokens: int | None
    percentUsed: int | None
    model: str | None
    contextTokens: int | None
    flags: list[str]


class AgentSessions(TypedDict):
    """The sessions of one agent."""

    agentId: str
    path: str
    count: int
    recent: list[SessionStatus]


class DefaultModel(TypedDict):
    """What sessions run with; null for those who may not know."""

    model: str | None
    contextTokens: int | None


class SessionsStatus(TypedDict):
    """All sessions."""

    paths: list[str]
    count: int
    defaults: DefaultModel
    recent: list[SessionStatus]
    byAgent: list[AgentSessions]


class BeatRow(TypedDict):
    """The heartbeat of one agent."""

    agentId: str
    enabled: bool
    every: str
    everyMs: int | None
    waitingForRoute: NotRequired[bool]


class BeatStatus(TypedDict):
    """The heartbeats of all agents."""

    defaultAgentId: str
    agents: list[BeatRow]


class TaskCounts(TypedDict):
    """How many tasks there are, and how they stand."""

    total: int
    active: int
    terminal: int
    failures: int
    byStatus: dict[str, int]
    byRuntime: dict[str, int]


class TaskAudit(TypedDict):
    """What is odd about tasks."""

    total: int
    warnings: int
    errors: int
    byCode: dict[str, int]


class Status(TypedDict):
    """What the gateway is doing."""

    runtimeVersion: str
    heartbeat: BeatStatus
    channelSummary: list[str]
    queuedSystemEvents: list[str]
    tasks: TaskCounts
    taskAudit: TaskAudit
    sessions: SessionsStatus
    linkChannel: NotRequired[Object]


class ChannelMeta(TypedDict):
    """How a channel is called."""

    id: str
    label: str
    detailLabel: str
    systemImage: NotRequired[str]


class ChannelsStatus(TypedDict):
    """How every channel and each of its accounts stands."""

    ts: int
    channelOrder: list[str]
    channelLabels: dict[str, str]
    channelDetailLabels: dict[str, str]
    channelSystemImages: dict[str, str]
    channelMeta: list[ChannelMeta]
    channels: dict[str, ChannelRow]
    channelAccounts: dict[str, list[ChannelRow]]
    channelDefaultAccountId: dict[str, str]


class Present(TypedDict):
    """Somebody or something that is connected, or was of late. `ts` in milliseconds."""

    host: NotRequired[str]
    ip: NotRequired[str]
    version: NotRequired[str]
    platform: NotRequired[str]
    deviceFamily: NotRequired[str]
    modelIdentifier: NotRequired[str]
    mode: NotRequired[str]
    lastInputSeconds: NotRequired[int]
    reason: NotRequired[str]
    tags: NotRequired[list[str]]
    text: NotRequired[str]
    ts: int
    deviceId: NotRequired[str]
    roles: NotRequired[list[str]]
    scopes: NotRequired[list[str]]
    instanceId: NotRequired[str]
    watchedSessions: NotRequired[list[str]]
