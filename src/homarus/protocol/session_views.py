"""Parameters of what pages of version 4 ask about sessions, tasks, preferences and the machine."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le, MaxLen, MinLen

from homarus.protocol.base import NonEmpty, Params

TaskStatus = Literal["queued", "running", "completed", "failed", "cancelled", "timed_out"]
PreferenceKey = Annotated[str, MinLen(1), MaxLen(256)]


class SessionViewParams(Params):
    """Methods that look at one session."""

    session_key: NonEmpty
    agent_id: NonEmpty | None = None


class ViewersParams(Params):
    """`sessions.viewers.set`."""

    session_keys: Annotated[list[NonEmpty], MaxLen(64)]


class ObserverParams(Params):
    """`sessions.observer.visibility`."""

    visible: bool


class TasksListParams(Params):
    """`tasks.list`."""

    status: TaskStatus | list[TaskStatus] | None = None
    agent_id: NonEmpty | None = None
    session_key: NonEmpty | None = None
    limit: Annotated[int, Ge(1), Le(500)] | None = None
    cursor: Annotated[str, MaxLen(512)] | None = None
    sort_by: Literal["updatedAt", "endedAt"] | None = None


class TaskParams(Params):
    """`tasks.get`."""

    task_id: NonEmpty


class PreferencesGetParams(Params):
    """`users.prefs.get`; without keys all of them."""

    keys: Annotated[list[PreferenceKey], MaxLen(32)] | None = None


class PreferencesSetParams(Params):
    """`users.prefs.set`: null takes a preference away; `expected_entries` must be what is stored."""

    entries: Annotated[dict[PreferenceKey, object], MaxLen(32)]
    expected_entries: Annotated[dict[PreferenceKey, object], MaxLen(32)] | None = None


class UpdateStatusParams(Params):
    """`update.status`."""

    refresh_checkout: bool | None = None


class AuthStatusParams(Params):
    """`models.authStatus`."""

    refresh: bool | None = None
    agent_id: NonEmpty | None = None
