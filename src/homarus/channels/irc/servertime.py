"""The `time` tag."""

from __future__ import annotations

from datetime import datetime

from homarus.channels.irc.wire import Line


def server_time(line: Line) -> int | None:
    """Return when the server says a line was sent, in milliseconds since the epoch; None without a readable tag."""
    value = line.tags.get("time", "")
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return round(moment.timestamp() * 1000) if moment.tzinfo else None
