"""`cron`: the scheduler."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from homarus.config.base import Count, Many, Positive, Section, section
from homarus.config.secret import Secret

RetryCause = Literal["rate_limit", "overloaded", "network", "timeout", "server_error"]


class CronRetry(Section):
    """Retry settings."""

    max_attempts: Annotated[int, Field(ge=0, le=10)] = 3
    """Most tries."""
    backoff_ms: Annotated[Many[Count], Field(min_length=1, max_length=10)] = (30000, 60000, 300000)
    """Waits, ms."""
    retry_on: Annotated[Many[RetryCause], Field(min_length=1)] | None = None
    """Error kinds retried."""


class RunLog(Section):
    """Run log size."""

    max_bytes: str | float = 2_000_000
    """Size limit."""
    keep_lines: Positive = 2000
    """Lines kept."""


class FailureAlert(Section):
    """Alert after repeated errors."""

    enabled: bool = False
    """Turns this feature on or off."""
    after: Annotated[int, Field(ge=1)] = 2
    """Errors before an alert."""
    cooldown_ms: Count = 3_600_000
    """Least gap, ms."""
    mode: Literal["announce", "webhook"] | None = None
    """Operating mode."""
    account_id: str | None = None
    """Channel account."""


class FailureDestination(Section):
    """Where failures go."""

    channel: str | None = None
    """Channel id."""
    to: str | None = None
    """Recipient."""
    account_id: str | None = None
    """Channel account."""
    mode: Literal["announce", "webhook"] | None = None
    """Operating mode."""


class Cron(Section):
    """The scheduler."""

    enabled: bool = True
    """Turns this feature on or off."""
    store: str | None = None
    """Accepted for old files; jobs live in the database."""
    max_concurrent_runs: Positive = 1
    """Parallel jobs."""
    retry: CronRetry = section()
    """Retry settings."""
    webhook: str | None = None
    """Older way to name a webhook."""
    webhook_token: Secret | None = None
    """Bearer token of webhooks."""
    session_retention: str | Literal[False] = "24h"
    """Age of run sessions."""
    run_log: RunLog = section()
    """Run log size."""
    failure_alert: FailureAlert = section()
    """Alert after repeated errors."""
    failure_destination: FailureDestination | None = None
    """Where failures go."""
