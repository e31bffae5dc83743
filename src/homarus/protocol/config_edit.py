"""Parameters of the methods that change the configuration and the agents in it."""

from __future__ import annotations

from typing import Annotated

from annotated_types import MaxLen, MinLen
from pydantic import Field

from homarus.protocol.base import Count, NonEmpty, Params

Raw = Annotated[str, MinLen(1), MaxLen(2 * 1024 * 1024)]
Name = Annotated[str, MinLen(1), MaxLen(128)]
Folder = Annotated[str, MinLen(1), MaxLen(4096)]


class ConfigSetParams(Params):
    """`config.set`: the whole text as JSON5."""

    raw: Raw
    base_hash: NonEmpty | None = None


class ConfigPatchParams(ConfigSetParams):
    """`config.patch` and `config.apply`."""

    session_key: str | None = None
    note: Annotated[str, MaxLen(4096)] | None = None
    restart_delay_ms: Count | None = None


class ConfigLookupParams(Params):
    """`config.schema.lookup`."""

    path: Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[A-Za-z0-9_./\[\]\-*]+$")]


class AgentsCreateParams(Params):
    """`agents.create`."""

    name: Name
    workspace: Folder
    emoji: Annotated[str, MaxLen(64)] | None = None
    avatar: Annotated[str, MaxLen(4096)] | None = None


class AgentsUpdateParams(Params):
    """`agents.update`."""

    agent_id: Name
    name: Name | None = None
    workspace: Folder | None = None
    model: Name | None = None
    avatar: Annotated[str, MaxLen(4096)] | None = None


class AgentsDeleteParams(Params):
    """`agents.delete`."""

    agent_id: Name
    delete_files: bool | None = None


class AgentFilesParams(Params):
    """`agents.files.list`."""

    agent_id: Name


class AgentFileParams(AgentFilesParams):
    """`agents.files.get`."""

    name: Name


class AgentFileSetParams(AgentFileParams):
    """`agents.files.set`."""

    content: Annotated[str, MaxLen(2 * 1024 * 1024)]
