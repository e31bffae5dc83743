"""Parameters of the methods about usage, tools in effect and skills."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le, MaxLen
from pydantic import Field

from homarus.protocol.base import LooseParams, NonEmpty, Params, Positive

Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Text = Annotated[str, MaxLen(4096)]


class SessionsUsageParams(Params):
    """`sessions.usage`. Days are UTC, both ends included."""

    key: NonEmpty | None = None
    start_date: Day | None = None
    end_date: Day | None = None
    mode: Literal["utc", "gateway", "specific"] | None = None
    utc_offset: Annotated[str, Field(pattern=r"^UTC[+-]\d{1,2}(?::[0-5]\d)?$")] | None = None
    limit: Positive | None = None
    include_context_weight: bool | None = None


class UsageSeriesParams(Params):
    """`sessions.usage.timeseries`."""

    key: NonEmpty


class UsageLogsParams(Params):
    """`sessions.usage.logs`."""

    key: NonEmpty
    limit: Annotated[int, Ge(1), Le(1000)] | None = None


class UsageCostParams(LooseParams):
    """`usage.cost`; whatever is no day or number falls back to the last 30 days."""

    start_date: object = None
    end_date: object = None
    days: object = None


class ToolsEffectiveParams(Params):
    """`tools.effective`."""

    agent_id: NonEmpty | None = None
    session_key: NonEmpty


class SkillsStatusParams(Params):
    """`skills.status`."""

    agent_id: NonEmpty | None = None


class SkillsUpdateParams(Params):
    """`skills.update`: settings of one skill; blank values remove."""

    skill_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$")] | None = None
    enabled: bool | None = None
    api_key: Text | None = None
    env: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")], Text] | None = None
    source: NonEmpty | None = None
    slug: NonEmpty | None = None
    all: bool | None = None


class SessionsCompactParams(Params):
    """`sessions.compact`."""

    key: NonEmpty
    agent_id: NonEmpty | None = None
    max_lines: Positive | None = None
