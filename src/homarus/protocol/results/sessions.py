"""Results of the operations on sessions and conversations."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from homarus.protocol.results.reports import PromptReport
from homarus.protocol.results.shared import Cost, Level, Object


class Origin(TypedDict):
    """Where a session began."""

    provider: str
    surface: str
    chatType: str
    label: NotRequired[str]


class SessionFacts(TypedDict, total=False):
    """What is known of a session. Times in milliseconds, `runtimeMs` of its last run."""

    label: str
    displayName: str
    derivedTitle: str
    lastMessagePreview: str
    chatType: str
    origin: Origin
    agentId: str
    updatedAt: int | None
    createdAt: int
    isMain: bool
    isBackground: bool
    lastInteractionAt: int
    lastActivityAt: int
    archived: bool
    pinned: bool
    unread: bool
    sessionId: str
    systemSent: bool
    abortedLastRun: bool
    thinkingLevel: str
    fastMode: bool | Literal["auto"]
    verboseLevel: str
    reasoningLevel: str
    responseUsage: str
    sendPolicy: str
    groupActivation: str
    modelOverride: str
    providerOverride: str
    inputTokens: int
    outputTokens: int
    totalTokens: int
    totalTokensFresh: bool
    estimatedCostUsd: float
    status: str
    startedAt: int
    endedAt: int
    runtimeMs: int
    modelProvider: str
    model: str
    contextTokens: int
    deliveryContext: Object
    lastChannel: str
    lastTo: str
    lastAccountId: str
    hasActiveRun: bool
    activeRunIds: list[str]
    lastRunError: str


class SessionRow(SessionFacts):
    """A session as lists show it."""

    key: str
    kind: str


class SessionEntry(SessionFacts, total=False):
    """A session as it is stored."""

    sessionFile: str
    systemPromptReport: PromptReport
    skillsSnapshot: Object


class Defaults(TypedDict):
    """What sessions without settings of their own run with."""

    modelProvider: str | None
    model: str | None
    contextTokens: int | None
    thinkingLevels: list[Level]
    thinkingOptions: list[str]
    thinkingDefault: str


class SessionPage(TypedDict):
    """One page of sessions."""

    ts: int
    path: str
    count: int
    totalCount: int
    limitApplied: int
    nextOffset: int | None
    hasMore: bool
    owners: list[Object]
    defaults: Defaults
    sessions: list[SessionRow]


class Described(TypedDict):
    """One session; null when there is none of that key."""

    session: SessionRow | None


class ChosenModel(TypedDict):
    """The model a session uses."""

    modelProvider: str
    model: str


class Created(TypedDict):
    """A session that was made. With a message, `runId` and `status` are those of the run it started."""

    ok: bool
    key: str
    sessionId: str
    entry: SessionEntry
    resolved: ChosenModel
    runStarted: bool
    runId: NotRequired[str]
    status: NotRequired[str]
    messageSeq: NotRequired[int]
    runError: NotRequired[Object]


class Patched(TypedDict):
    """A session with its new settings."""

    ok: bool
    path: str
    key: str
    entry: SessionEntry
    resolved: ChosenModel


class Reset(TypedDict):
    """A session that began anew."""

    ok: bool
    key: str
    entry: SessionEntry


class Deleted(TypedDict):
    """What became of a session and of its transcript."""

    ok: bool
    key: str
    deleted: bool
    archived: list[str]


class Compacted(TypedDict):
    """What was left of a transcript: `kept` entries."""

    ok: bool
    key: str
    compacted: bool
    kept: NotRequired[int]
    archived: NotRequired[str]
    reason: NotRequired[str]


class CleanedUp(TypedDict):
    """What a cleanup did or, with `dryRun`, would do; keys are named up to 200 of a kind.

    `transcriptBytes` is null without `session.maintenance.maxDiskBytes`.
    """

    ok: bool
    mode: Literal["enforce", "warn"]
    dryRun: bool
    beforeCount: int
    afterCount: int
    archived: list[str]
    archivedCount: int
    deleted: list[str]
    deletedCount: int
    transcripts: int
    journalRows: int
    transcriptBytes: int | None
    overBudgetBytes: int


class Aborted(TypedDict):
    """Which run of a session was stopped, null when none went on."""

    ok: bool
    abortedRunId: str | None
    status: Literal["aborted", "no-active-run"]


class Resolved(TypedDict):
    """The key of a session that was named otherwise."""

    ok: bool
    key: NotRequired[str]
    agentId: NotRequired[str]


class Sent(TypedDict):
    """A message that was taken, and the run that answers it."""

    runId: str
    status: str
    messageSeq: NotRequired[int]
    interruptedActiveRun: NotRequired[bool]
    summary: NotRequired[str]


class PreviewItem(TypedDict):
    """One message, cut short."""

    role: str
    text: str


class Preview(TypedDict):
    """The last messages of one session."""

    key: str
    status: Literal["ok", "empty", "missing", "error"]
    items: list[PreviewItem]


class Previews(TypedDict):
    """The last messages of several sessions."""

    ts: int
    previews: list[Preview]


class Branch(TypedDict):
    """One way a conversation went."""

    leafEntryId: str
    headline: str
    messageCount: int
    updatedAt: str
    active: bool


class Branches(TypedDict):
    """The ways a conversation went."""

    branches: list[Branch]


class Exchanges(TypedDict):
    """Questions asked beside a conversation."""

    exchanges: list[Object]


class Viewed(TypedDict):
    """The sessions a client looks at."""

    sessionKeys: list[str]


class Position(TypedDict):
    """Where a message stands in the transcript."""

    source: str
    rawSeq: int


class Facts(TypedDict):
    """Where a message stands in the transcript, and which run it belongs to."""

    id: str
    seq: int
    recordTimestampMs: NotRequired[int]
    transcriptPosition: NotRequired[Position]
    runId: NotRequired[str]
    idempotencyKey: NotRequired[str]
    kind: NotRequired[str]
    truncated: NotRequired[bool]
    reason: NotRequired[str]
    senderId: NotRequired[str]


class MessageUsage(TypedDict, total=False):
    """Tokens of one answer, and what they cost in US dollars."""

    input: int
    output: int
    cacheRead: int
    cacheWrite: int
    totalTokens: int
    cost: Cost


class Block(TypedDict, total=False):
    """A part of a message: text, thinking, a call of a tool, a picture without its data."""

    type: str
    text: str
    thinking: str
    id: str
    name: str
    arguments: Object
    mimeType: str
    omitted: bool
    bytes: int
    url: str


Message = TypedDict(
    "Message",
    {
        "role": str,
        "content": str | list[Block],
        "timestamp": int,
        "idempotencyKey": NotRequired[str],
        "api": NotRequired[str],
        "provider": NotRequired[str],
        "model": NotRequired[str],
        "usage": NotRequired[MessageUsage],
        "stopReason": NotRequired[str],
        "errorMessage": NotRequired[str],
        "responseId": NotRequired[str],
        "toolCallId": NotRequired[str],
        "toolName": NotRequired[str],
        "isError": NotRequired[bool],
        "senderLabel": NotRequired[str],
        "__openclaw": NotRequired[Facts],
    },
)
Message.__doc__ = "A message of a conversation. `__openclaw` says where it stands in the transcript."


class Messages(TypedDict):
    """Messages as they are stored, oldest first."""

    messages: list[Message]


class Subscribed(TypedDict):
    """Whether the connection hears of all sessions now; with a page of them where that was asked for."""

    subscribed: bool
    list: NotRequired[SessionPage]
