"""Results of running an agent, and of what chats send and read."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from homarus.protocol.chat import AbortResult
from homarus.protocol.results.agents import AgentsList, Command, ModelRow
from homarus.protocol.results.sessions import Defaults, Message, SessionRow
from homarus.protocol.results.shared import Object


class Accepted(TypedDict):
    """The first answer: the message was taken."""

    runId: str
    status: str
    acceptedAt: int
    agentId: NotRequired[str]


class Payload(TypedDict):
    """One part of a reply."""

    text: NotRequired[str]
    mediaUrl: NotRequired[str | None]
    mediaUrls: NotRequired[list[str]]


class RunResult(TypedDict):
    """The reply, and how it came about: tokens, model, attempts, what the prompt was made of."""

    payloads: list[Payload]
    meta: Object
    sourceReplyDeliveryState: NotRequired[str]


class Finished(TypedDict):
    """The final answer: how the run ended."""

    runId: str
    status: str
    summary: str
    result: RunResult


class Injected(TypedDict):
    """The message that was added."""

    ok: bool
    messageId: str


class ChatAck(TypedDict):
    """The message was taken, is being worked on, or was answered already."""

    runId: str
    status: str
    summary: NotRequired[str]
    messageSeq: NotRequired[int]


ChatSent = ChatAck | AbortResult
"""A word like `stop` ends the runs of the session instead."""


class Waiting(TypedDict):
    """Messages that wait in a session."""

    items: list[Object]
    total: int


class InFlight(TypedDict):
    """What the run of a session has said so far."""

    runId: str
    text: str
    startedAt: int


class ChatData(TypedDict):
    """What a chat page offers: models and commands."""

    models: list[ModelRow]
    commands: list[Command]
    swarmEnabled: bool


class HistoryPage(TypedDict):
    """A conversation, its session and what runs in it. `deltaCursor` asks for what comes later."""

    sessionKey: str
    messages: list[Message]
    sessionId: NotRequired[str]
    thinkingLevel: NotRequired[str]
    fastMode: NotRequired[bool]
    verboseLevel: NotRequired[str]
    hasMore: NotRequired[bool]
    totalMessages: NotRequired[int]
    nextOffset: NotRequired[int]
    deltaCursor: NotRequired[str]
    defaults: NotRequired[Defaults]
    pendingInputs: NotRequired[Waiting]
    sessionInfo: NotRequired[SessionRow]
    inFlightRun: NotRequired[InFlight]
    inputReceipts: NotRequired[list[Object]]
    inputConsumptions: NotRequired[list[Object]]
    agentsList: NotRequired[AgentsList]
    metadata: NotRequired[ChatData]


class HistoryDelta(TypedDict):
    """What is new since a cursor; `reset` asks the client to read a page again."""

    kind: str
    messages: NotRequired[list[Object]]
    deltaCursor: NotRequired[str]
    sessionInfo: NotRequired[SessionRow]
    pendingInputs: NotRequired[Waiting]
    inFlightRun: NotRequired[InFlight]


History = HistoryPage | HistoryDelta


class Commands(TypedDict):
    """Commands that can be typed in a chat."""

    commands: list[Command]
