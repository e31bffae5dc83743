"""Parameters and results of the chat and agent methods."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from annotated_types import Ge, Le, MaxLen, MinLen

from homarus.protocol.base import Count, Label, LooseParams, NonEmpty, Params, Positive, Timeout, Unsupported

ChatKey = Annotated[str, MinLen(1), MaxLen(512)]
RunKey = Annotated[str, MinLen(1), MaxLen(128)]
"""An idempotency key; it becomes the id of the run."""
Limit = Annotated[int, Ge(1), Le(1000)]
MaxBytes = Annotated[int, Ge(1024)]


class InputProvenance(Params):
    """Where a message that no person typed came from."""

    kind: Literal["external_user", "inter_session", "internal_system"]
    origin_session_id: str | None = None
    source_session_key: str | None = None
    source_channel: str | None = None
    source_tool: str | None = None


class AttachmentSource(LooseParams):
    """The body of an attachment in the style of the Anthropic API."""

    type: str | None = None
    media_type: str | None = None
    data: str | None = None


class AttachmentParams(LooseParams):
    """An attachment: `content` base64 or a data URL, or `source`."""

    type: str | None = None
    mime_type: str | None = None
    file_name: str | None = None
    content: str | None = None
    source: AttachmentSource | None = None


class ChatSendParams(Params):
    """`chat.send`."""

    session_key: ChatKey
    message: str
    thinking: str | None = None
    deliver: bool | None = None
    originating_channel: str | None = None
    originating_to: str | None = None
    originating_account_id: str | None = None
    originating_thread_id: str | None = None
    attachments: list[object] | None = None
    timeout_ms: Timeout | None = None
    system_input_provenance: InputProvenance | None = None
    system_provenance_receipt: str | None = None
    idempotency_key: RunKey
    agent_id: NonEmpty | None = None
    session_id: NonEmpty | None = None
    expected_leaf_entry_id: NonEmpty | None = None
    queue_mode: Literal["steer", "followup", "collect", "interrupt"] | None = None
    reply_to_id: NonEmpty | None = None
    suppress_command_interpretation: bool | None = None
    expected_permission_mode: Unsupported = None
    expected_tool_overrides: Unsupported = None
    tool_bindings: Unsupported = None
    intent: Unsupported = None


class ChatHistoryParams(Params):
    """`chat.history`. `max_chars` bounds one text, `max_bytes` the whole answer."""

    session_key: NonEmpty
    limit: Limit | None = None
    max_chars: Annotated[int, Ge(1), Le(500_000)] | None = None
    agent_id: NonEmpty | None = None
    cursor: Annotated[str, MaxLen(512)] | None = None
    max_bytes: MaxBytes | None = None
    offset: Count | None = None
    pending_before: Positive | None = None
    input_run_ids: Annotated[list[Annotated[str, MinLen(1), MaxLen(256)]], MinLen(1), MaxLen(50)] | None = None
    message_id: NonEmpty | None = None
    session_id: NonEmpty | None = None


class ChatStartupParams(ChatHistoryParams):
    """`chat.startup`: a session by its key, or by the beginning of its id and its agent."""

    session_key: NonEmpty | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    short_id: NonEmpty | None = None
    slug_hint: NonEmpty | None = None


class ChatMessageParams(Params):
    """`chat.message.get`."""

    session_key: NonEmpty
    message_id: NonEmpty
    agent_id: NonEmpty | None = None
    max_chars: Annotated[int, Ge(1), Le(2_000_000)] | None = None


class ChatMetadataParams(Params):
    """`chat.metadata`."""

    agent_id: NonEmpty | None = None
    session_key: NonEmpty | None = None
    auth_profile_id: Annotated[str, MinLen(1), MaxLen(256)] | None = None


class CommandsListParams(Params):
    """`commands.list`."""

    session_key: NonEmpty | None = None
    agent_id: NonEmpty | None = None
    provider: NonEmpty | None = None
    scope: Literal["text", "native", "both"] | None = None
    include_args: bool | None = None


class ChatAbortParams(Params):
    """`chat.abort`."""

    session_key: NonEmpty
    run_id: NonEmpty | None = None
    agent_id: NonEmpty | None = None
    preserve_side_runs: bool | None = None


class ChatInjectParams(Params):
    """`chat.inject`."""

    session_key: NonEmpty
    agent_id: NonEmpty | None = None
    message: NonEmpty
    label: Annotated[str, MaxLen(100)] | None = None


class AgentInternalEvent(Params):
    """The report of finished background work."""

    type: Literal["task_completion"]
    source: Literal["subagent", "cron", "video_generation", "music_generation"]
    child_session_key: str
    child_session_id: str | None = None
    announce_type: str
    task_label: str
    status: Literal["ok", "timeout", "error", "unknown"]
    status_label: str
    result: str
    media_urls: list[str] | None = None
    stats_line: str | None = None
    reply_instruction: str


class AgentParams(Params):
    """`agent`. `timeout` is in seconds."""

    message: NonEmpty
    agent_id: NonEmpty | None = None
    provider: str | None = None
    model: str | None = None
    to: str | None = None
    reply_to: str | None = None
    session_id: str | None = None
    session_key: str | None = None
    thinking: str | None = None
    deliver: bool | None = None
    attachments: list[object] | None = None
    channel: str | None = None
    reply_channel: str | None = None
    account_id: str | None = None
    reply_account_id: str | None = None
    thread_id: str | None = None
    group_id: str | None = None
    group_channel: str | None = None
    group_space: str | None = None
    timeout: Annotated[int, Ge(0), Le(24 * 60 * 60)] | None = None
    best_effort_deliver: bool | None = None
    lane: str | None = None
    extra_system_prompt: str | None = None
    internal_events: list[AgentInternalEvent] | None = None
    input_provenance: InputProvenance | None = None
    idempotency_key: RunKey
    label: Label | None = None
    voice_wake_trigger: Annotated[str, MaxLen(256)] | None = None


class AgentWaitParams(Params):
    """`agent.wait`."""

    run_id: NonEmpty
    timeout_ms: Timeout | None = None


class AgentIdentityParams(Params):
    """`agent.identity.get`."""

    agent_id: NonEmpty | None = None
    session_key: str | None = None


class RunAck(TypedDict):
    """The answer to `chat.send`; `status` is started, in_flight or ok."""

    runId: str
    status: str
    summary: NotRequired[str]


class AbortResult(TypedDict):
    """The answer to `chat.abort`, and to `chat.send` of a stop word."""

    ok: bool
    aborted: bool
    runIds: list[str]


class ChatHistory(TypedDict):
    """`chat.history`; `sessionKey` as it was sent. What is not required is told with version 4, or once it is known."""

    sessionKey: str
    sessionId: NotRequired[str]
    messages: list[dict[str, object]]
    thinkingLevel: NotRequired[str]
    fastMode: NotRequired[bool]
    verboseLevel: NotRequired[str]
    pendingInputs: NotRequired[dict[str, object]]
    hasMore: NotRequired[bool]
    totalMessages: NotRequired[int]
    nextOffset: NotRequired[int]
    deltaCursor: NotRequired[str]
    defaults: NotRequired[dict[str, object]]
    sessionInfo: NotRequired[dict[str, object]]
    inFlightRun: NotRequired[dict[str, object]]
    agentsList: NotRequired[dict[str, object]]
    metadata: NotRequired[ChatMetadata]


class ChatDelta(TypedDict):
    """`chat.history` with a cursor: what came since, or `kind` reset when the cursor is of no use any more."""

    kind: Literal["delta", "reset"]
    messages: NotRequired[list[dict[str, object]]]
    deltaCursor: NotRequired[str]
    sessionInfo: NotRequired[dict[str, object]]
    pendingInputs: NotRequired[dict[str, object]]
    inFlightRun: NotRequired[dict[str, object]]


class ChatMetadata(TypedDict):
    """`chat.metadata`."""

    models: list[dict[str, object]]
    commands: list[dict[str, object]]
    swarmEnabled: bool


class CommandsList(TypedDict):
    """`commands.list`."""

    commands: list[dict[str, object]]


class AgentWaitResult(TypedDict):
    """`agent.wait`; `status` is ok, error or timeout."""

    runId: str
    status: str
    startedAt: NotRequired[int]
    endedAt: NotRequired[int]
    error: NotRequired[str]
