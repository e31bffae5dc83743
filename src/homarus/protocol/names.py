"""Names and times that clients and gateway agree on."""

from __future__ import annotations

from typing import Final

CONNECT: Final = "connect"
CHALLENGE_EVENT: Final = "connect.challenge"
CAP_TOOL_EVENTS: Final = "tool-events"
CAP_SESSION_EVENTS: Final = "session-scoped-events"
"""A client of version 4 that wants only the events of sessions it subscribed to."""
TICK_INTERVAL_MS: Final = 30_000
"""Milliseconds between two `tick` events; a client that hears nothing for twice as long is cut off."""
CAP_USAGE_REFRESHING: Final = "usage-refreshing"
