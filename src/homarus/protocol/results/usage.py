"""Results about tokens and money. Costs in US dollars, latencies in milliseconds."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from homarus.protocol.results.reports import PromptReport
from homarus.protocol.results.sessions import Origin
from homarus.protocol.results.shared import Object


class Totals(TypedDict):
    """Tokens, and what they cost in US dollars; `missingCostEntries` answers had no known price."""

    input: int
    output: int
    cacheRead: int
    cacheWrite: int
    totalTokens: int
    totalCost: float
    inputCost: float
    outputCost: float
    cacheReadCost: float
    cacheWriteCost: float
    missingCostEntries: int


class Counts(TypedDict):
    """Messages of each kind."""

    total: int
    user: int
    assistant: int
    toolCalls: int
    toolResults: int
    errors: int


class DayCounts(Counts):
    """Messages of one day."""

    date: str


class Latency(TypedDict):
    """How long answers took."""

    count: int
    avgMs: float
    p95Ms: float
    minMs: float
    maxMs: float


class DayLatency(Latency):
    """How long the answers of one day took."""

    date: str


class DayCost(TypedDict):
    """One day."""

    date: str
    tokens: int
    cost: float


class DayModel(DayCost):
    """One model on one day."""

    provider: str
    model: str
    count: int


class DayActivity(DayCost):
    """One day, over all sessions."""

    messages: int
    toolCalls: int
    errors: int


class ByModel(TypedDict):
    """What one model, or provider, took."""

    provider: str
    model: NotRequired[str]
    count: int
    totals: Totals


class ToolCount(TypedDict):
    """How often a tool was called."""

    name: str
    count: int


class ToolCounts(TypedDict):
    """How often tools were called."""

    totalCalls: int
    uniqueTools: int
    tools: list[ToolCount]


class SessionTotals(Totals):
    """What one session took. Times in milliseconds."""

    sessionId: str
    sessionFile: NotRequired[str]
    firstActivity: NotRequired[int | None]
    lastActivity: NotRequired[int | None]
    durationMs: NotRequired[int]
    activityDates: NotRequired[list[str]]
    dailyBreakdown: NotRequired[list[DayCost]]
    dailyMessageCounts: NotRequired[list[DayCounts]]
    dailyLatency: NotRequired[list[DayLatency]]
    dailyModelUsage: NotRequired[list[DayModel]]
    messageCounts: NotRequired[Counts]
    toolUsage: NotRequired[ToolCounts]
    modelUsage: NotRequired[list[ByModel]]
    latency: NotRequired[Latency]


class UsedSession(TypedDict):
    """A session and what it took."""

    key: str
    label: NotRequired[str]
    sessionId: NotRequired[str]
    updatedAt: NotRequired[int]
    agentId: NotRequired[str]
    channel: NotRequired[str]
    chatType: NotRequired[str]
    origin: NotRequired[Origin]
    modelProvider: NotRequired[str]
    model: NotRequired[str]
    modelOverride: NotRequired[str]
    providerOverride: NotRequired[str]
    usage: SessionTotals | None
    contextWeight: NotRequired[PromptReport | None]


class ByAgent(TypedDict):
    """What one agent took."""

    agentId: str
    totals: Totals


class ByChannel(TypedDict):
    """What one channel took."""

    channel: str
    totals: Totals


class Aggregates(TypedDict):
    """What everything together took, by what it was."""

    messages: Counts
    tools: ToolCounts
    byModel: list[ByModel]
    byProvider: list[ByModel]
    byAgent: list[ByAgent]
    byChannel: list[ByChannel]
    dailyLatency: list[DayLatency]
    modelDaily: list[DayModel]
    daily: list[DayActivity]
    latency: NotRequired[Latency]


class SessionsUsage(TypedDict):
    """What sessions took, from one date to another."""

    updatedAt: int
    startDate: str
    endDate: str
    sessions: list[UsedSession]
    totals: Totals
    aggregates: Aggregates


class UsagePoint(TypedDict):
    """One answer, and everything up to it."""

    timestamp: int
    input: int
    output: int
    cacheRead: int
    cacheWrite: int
    totalTokens: int
    cost: float
    cumulativeTokens: int
    cumulativeCost: float


class UsageSeries(TypedDict):
    """The answers of a session, one by one."""

    sessionId: str
    points: list[UsagePoint]


class UsageLine(TypedDict):
    """A message, and what it took."""

    timestamp: int
    role: str
    content: str
    tokens: NotRequired[int]
    cost: NotRequired[float]


class UsageLog(TypedDict):
    """The messages of a session, and what they took."""

    logs: list[UsageLine]


class DayTotals(Totals):
    """What one day took."""

    date: str


class UsageCost(TypedDict):
    """What each of the last days took."""

    updatedAt: int
    days: int
    daily: list[DayTotals]
    totals: Totals
    cacheStatus: NotRequired[Object]


class UsageStatus(TypedDict):
    """What providers say is left of a plan."""

    updatedAt: int
    providers: list[Object]
