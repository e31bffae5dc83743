"""Parameters and results of the session methods."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from annotated_types import Ge, MaxLen, MinLen
from pydantic import ConfigDict, Field

from homarus.protocol.base import Count, Label, LooseParams, NonEmpty, Params, Positive, Timeout, Unsupported

Shade = Annotated[str, MinLen(1), MaxLen(512)]
"""How a session is shown: its icon, colour or category."""


class SessionsListParams(Params):
    """`sessions.list`."""

    offset: Count | None = None
    active_only: bool | None = None
    require_last_interaction: bool | None = None
    sort_by: Literal["updatedAt", "lastInteractionAt", "activity"] | None = None
    exclude_subagents: bool | None = None
    exclude_cron: bool | None = None
    exclude_system: bool | None = None
    configured_agents_only: bool | None = None
    include_activity_summary: bool | None = None
    group: str | None = None
    pinned: bool | None = None
    archived: bool | Literal["all"] | None = None
    project_id: NonEmpty | None = None
    workspace_dir: NonEmpty | None = None
    board_face: Literal["chat", "dashboard"] | None = None
    has_board: bool | None = None
    creator_id: NonEmpty | None = None
    owner_id: NonEmpty | None = None
    owner_first: bool | None = None
    involving_me: bool | None = None
    profile_relation: dict[str, object] | None = None
    involving_profile_id: NonEmpty | None = None
    include_people: bool | None = None

    limit: Positive | None = None
    active_minutes: Positive | None = None
    include_global: bool | None = None
    include_unknown: bool | None = None
    include_derived_titles: bool | None = None
    include_last_message: bool | None = None
    label: Label | None = None
    spawned_by: NonEmpty | None = None
    agent_id: NonEmpty | None = None
    search: str | None = None


class SessionsDescribeParams(Params):
    """`sessions.describe`."""

    key: NonEmpty
    agent_id: NonEmpty | None = None
    include_derived_titles: bool | None = None
    include_last_message: bool | None = None


class SessionsGetParams(LooseParams):
    """`sessions.get`."""

    key: str | None = None
    session_key: str | None = None
    limit: int | None = None


class SessionsPreviewParams(Params):
    """`sessions.preview`."""

    keys: Annotated[list[NonEmpty], MinLen(1)]
    limit: Positive | None = None
    max_chars: Annotated[int, Ge(20)] | None = None


class SessionsResolveParams(Params):
    """`sessions.resolve`."""

    key: NonEmpty | None = None
    session_id: NonEmpty | None = None
    label: Label | None = None
    agent_id: NonEmpty | None = None
    spawned_by: NonEmpty | None = None
    include_global: bool | None = None
    include_unknown: bool | None = None
    short_id: NonEmpty | None = None
    slug_hint: NonEmpty | None = None
    allow_missing: bool | None = None


class SessionsCreateParams(Params):
    """`sessions.create`."""

    key: NonEmpty | None = None
    agent_id: NonEmpty | None = None
    label: Label | None = None
    model: NonEmpty | None = None
    parent_session_key: NonEmpty | None = None
    task: str | None = None
    message: str | None = None
    idempotency_key: NonEmpty | None = None
    display_name: Annotated[str, MinLen(1), MaxLen(500)] | None = None
    category: Shade | None = None
    thinking_level: NonEmpty | None = None
    fast_mode: bool | Literal["auto"] | None = None
    attachments: list[object] | None = None
    timeout_ms: Timeout | None = None
    visibility: Literal["shared"] | None = None
    incognito: Unsupported = None
    fork: Unsupported = None
    permission_mode: Unsupported = None
    tool_overrides: Unsupported = None
    exec_node: Unsupported = None
    cwd: Unsupported = None
    worktree: Unsupported = None
    repository: Unsupported = None
    project_id: Unsupported = None
    project_git_url: Unsupported = None
    catalog_id: Unsupported = None
    agent_runtime: Unsupported = None
    context_window: Unsupported = None


class SessionsSendParams(Params):
    """`sessions.send`."""

    key: NonEmpty
    agent_id: NonEmpty | None = None
    message: str
    thinking: str | None = None
    attachments: list[object] | None = None
    timeout_ms: Timeout | None = None
    idempotency_key: NonEmpty | None = None


class SessionsAbortParams(Params):
    """`sessions.abort`: a session or a run."""

    key: NonEmpty | None = None
    run_id: NonEmpty | None = None
    agent_id: NonEmpty | None = None
    clear_queued: bool | None = None


class SessionsPatchParams(Params):
    """`sessions.patch`: null clears a setting, absence leaves it."""

    key: NonEmpty
    agent_id: NonEmpty | None = None
    expected_session_id: NonEmpty | None = None
    expected_marked_unread_at: Annotated[int, Ge(0)] | None = None
    expected_permission_mode: Unsupported = None
    expected_sandbox_mode: Unsupported = None
    expected_tool_overrides: Unsupported = None
    label: Label | None = None
    auto_label: Label | None = None
    icon: Shade | None = None
    color: Shade | None = None
    category: Shade | None = None
    archived: bool | None = None
    pinned: bool | None = None
    unread: bool | None = None
    permission_mode: Unsupported = None
    sandbox_mode: Unsupported = None
    tool_overrides: Unsupported = None
    context_window: Unsupported = None
    agent_runtime: Unsupported = None
    inherited_tool_allow: Unsupported = None
    inherited_tool_deny: Unsupported = None
    native_runtime_consent: Unsupported = None
    thinking_level: NonEmpty | None = None
    fast_mode: bool | Literal["auto"] | None = None
    verbose_level: NonEmpty | None = None
    reasoning_level: NonEmpty | None = None
    response_usage: Literal["off", "tokens", "full", "on"] | None = None
    elevated_level: NonEmpty | None = None
    exec_host: NonEmpty | None = None
    exec_security: NonEmpty | None = None
    exec_ask: NonEmpty | None = None
    exec_node: NonEmpty | None = None
    model: NonEmpty | None = None
    spawned_by: NonEmpty | None = None
    spawned_workspace_dir: NonEmpty | None = None
    spawn_depth: Count | None = None
    subagent_role: Literal["orchestrator", "leaf"] | None = None
    subagent_control_scope: Literal["children", "none"] | None = None
    send_policy: Literal["allow", "deny"] | None = None
    group_activation: Literal["mention", "always"] | None = None


class SessionsResetParams(Params):
    """`sessions.reset`."""

    key: NonEmpty
    reason: Literal["new", "reset"] | None = None
    agent_id: NonEmpty | None = None
    expected_session_id: NonEmpty | None = None


class SessionsDeleteParams(Params):
    """`sessions.delete`."""

    key: NonEmpty
    delete_transcript: bool | None = None
    emit_lifecycle_hooks: bool | None = None
    agent_id: NonEmpty | None = None
    expected_session_id: NonEmpty | None = None
    expected_session_updated_at: Annotated[float, Ge(0)] | None = None
    archived_only: bool | None = None


class SessionKeyParams(Params):
    """Methods that name one session."""

    key: NonEmpty = Field()
    agent_id: NonEmpty | None = None
    include_approvals: bool | None = None


class SessionsSubscribeParams(SessionsListParams, LooseParams):
    """`sessions.subscribe`; with any parameter the answer carries the list it asks for, others are passed over."""

    model_config = ConfigDict(extra="ignore")


class SessionsListResult(TypedDict):
    """`sessions.list`."""

    ts: int
    path: str
    count: int
    defaults: dict[str, object]
    sessions: list[dict[str, object]]
    totalCount: int
    limitApplied: int | None
    nextOffset: int | None
    hasMore: bool
    owners: list[dict[str, object]]


class SessionDescription(TypedDict):
    """`sessions.describe`; null when there is no such session."""

    session: dict[str, object] | None


class Subscription(TypedDict, total=False):
    """The subscribe methods."""

    subscribed: bool
    key: str
    list: SessionsListResult
    approvalReplay: dict[str, object]
