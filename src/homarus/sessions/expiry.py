"""When a session begins anew by itself: daily at an hour, or after a silence (`session.reset` and its variants)."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from homarus.config.sessions import Reset
from homarus.config.sessions import Session as SessionSettings
from homarus.storage.records import Session


class _Place(Protocol):
    @property
    def kind(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def channel(self) -> str | None: ...


def is_expired(session: Session, settings: SessionSettings, now_ms: int, zone: tzinfo) -> bool:
    """Tell whether a session's last activity lies before its latest daily boundary or its longest silence.

    The most specific setting counts: resetByChannel, then resetByType, then reset. A lone `idleMinutes` means idle
    only; the daily boundary is otherwise 04:00 local time.
    """
    rule = _rule(session, settings)
    idle = rule.idle_minutes if rule is not None else settings.idle_minutes
    if rule is None and idle is not None:
        return now_ms - session.updated_at >= idle * 60_000
    chosen = rule or settings.reset
    if idle is not None and now_ms - session.updated_at >= idle * 60_000:
        return True
    return chosen.mode == "daily" and session.updated_at < _boundary(now_ms, chosen.at_hour, zone)


def _rule(session: _Place, settings: SessionSettings) -> Reset | None:
    by_channel = settings.reset_by_channel.get(session.channel or "")
    if by_channel is not None:
        return by_channel
    by_type = settings.reset_by_type
    if ":thread:" in session.key and by_type.thread is not None:
        return by_type.thread
    chosen = by_type.group if session.kind == "group" else by_type.direct or by_type.dm
    if chosen is not None:
        return chosen
    return settings.reset if "reset" in settings.model_fields_set else None


def _boundary(now_ms: int, hour: int, zone: tzinfo) -> int:
    """Return the latest moment at which the clock showed `hour`:00, in milliseconds."""
    now = datetime.fromtimestamp(now_ms / 1000, zone)
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    boundary = today if today <= now else today - timedelta(days=1)
    return int(boundary.timestamp() * 1000)
