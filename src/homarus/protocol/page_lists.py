"""Parameters of the lists that pages of version 4 show in their tabs."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le, MaxLen, MinLen

from homarus.protocol.base import NonEmpty, Params

Cursor = Annotated[str, MinLen(1), MaxLen(512)]


class ArtifactsListParams(Params):
    """`artifacts.list`."""

    session_key: NonEmpty | None = None
    run_id: NonEmpty | None = None
    task_id: NonEmpty | None = None
    agent_id: NonEmpty | None = None
    message_role: Literal["assistant"] | None = None
    type: Literal["image"] | None = None
    limit: Annotated[int, Ge(1), Le(4)] | None = None
    cursor: Cursor | None = None


class PluginCatalogParams(Params):
    """`plugins.catalog.browse`."""

    query: Annotated[str, MaxLen(200)] | None = None
    search_source: Literal["openclaw-control-ui"] | None = None
    intent: Annotated[str, MaxLen(64)] | None = None
    category: Annotated[str, MinLen(1), MaxLen(64)] | None = None
    cursor: Annotated[str, MinLen(1), MaxLen(4096)] | None = None
    page_size: Annotated[int, Ge(1), Le(100)] | None = None


class GrantsListParams(Params):
    """`exec.approval.grants.list`."""

    limit: Annotated[int, Ge(1), Le(500)] | None = None


class SkillLibraryParams(Params):
    """`skills.library.list`."""

    session_key: Annotated[str, MinLen(1), MaxLen(512)] | None = None
    scope: Literal["mine", "team", "all"] | None = None


class EnvironmentsParams(Params):
    """`environments.list`."""

    runtime_id: Annotated[str, MinLen(1), MaxLen(128)] | None = None
    projection: Literal["profiles"] | None = None
    include_desktop_setup: bool | None = None


class TalkCatalogParams(Params):
    """`talk.catalog`."""

    provider: NonEmpty | None = None
    model: NonEmpty | None = None


class ChannelPairingListParams(Params):
    """`channels.pairing.list`."""

    channel: NonEmpty | None = None
    account_id: NonEmpty | None = None


class ChannelPairingAnswerParams(Params):
    """`channels.pairing.dismiss`."""

    channel: NonEmpty
    account_id: NonEmpty
    request_id: NonEmpty


class ChannelPairingApproveParams(ChannelPairingAnswerParams):
    """`channels.pairing.approve`."""

    notify: bool | None = None
    bootstrap_command_owner: bool | None = None


class ApprovalHistoryParams(Params):
    """`approval.history`."""

    cursor: Cursor | None = None
    limit: Annotated[int, Ge(1), Le(100)] | None = None
    kind: Literal["exec", "plugin", "system-agent"] | None = None
