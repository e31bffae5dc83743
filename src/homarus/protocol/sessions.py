"""Parameters and results of the session methods."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from annotated_types import Ge, MinLen
from pydantic import Field

from homarus.protocol.base import Count, Label, LooseParams, NonEmpty, Params, Positive, Timeout


class SessionsListParams(Params):
    """`sessions.list`."""

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


class SessionsCreateParams(Params):
    """`sessions.create`."""

    key: NonEmpty | None = None
    agent_id: NonEmpty | None = None
    label: Label | None = None
    model: NonEmpty | None = None
    parent_session_key: NonEmpty | None = None
    task: str | None = None
    message: str | None = None


class SessionsSendParams(Params):
    """`sessions.send`."""

    key: NonEmpty
    message: str
    thinking: str | None = None
    attachments: list[object] | None = None
    timeout_ms: Timeout | None = None
    idempotency_key: NonEmpty | None = None


class SessionsAbortParams(Params):
    """`sessions.abort`."""

    key: NonEmpty
    run_id: NonEmpty | None = None


class SessionsPatchParams(Params):
    """`sessions.patch`: null clears a setting, absence leaves it."""

    key: NonEmpty
    label: Label | None = None
    thinking_level: NonEmpty | None = None
    fast_mode: bool | None = None
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


class SessionsDeleteParams(Params):
    """`sessions.delete`."""

    key: NonEmpty
    delete_transcript: bool | None = None
    emit_lifecycle_hooks: bool | None = None


class SessionKeyParams(Params):
    """Methods that name one session."""

    key: NonEmpty = Field()


class SessionsListResult(TypedDict):
    """`sessions.list`."""

    ts: int
    path: str
    count: int
    defaults: dict[str, object]
    sessions: list[dict[str, object]]


class Subscription(TypedDict, total=False):
    """The subscribe methods."""

    subscribed: bool
    key: str
