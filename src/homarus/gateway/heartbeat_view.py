"""Heartbeats as `status` and `health` show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homarus.protocol.frames import JsonObject

if TYPE_CHECKING:
    from homarus.automation.heartbeat.heart import Heartbeats


def heartbeat_row(hearts: Heartbeats | None, agent_id: str) -> JsonObject:
    """Return how often an agent's heart beats; off without a scheduler."""
    if hearts is None:
        return {"agentId": agent_id, "enabled": False, "every": "0m", "everyMs": None, "waitingForRoute": False}
    rhythm = hearts.rhythm(agent_id)
    is_on = rhythm.every > 0
    return {
        "agentId": agent_id,
        "enabled": is_on and hearts.is_enabled,
        "every": rhythm.said if is_on else "0m",
        "everyMs": round(rhythm.every * 1000) if is_on else None,
        "waitingForRoute": False,
    }


def heartbeat_settings(hearts: Heartbeats | None, agent_id: str) -> JsonObject:
    """Return an agent's heartbeat with its settings."""
    row = heartbeat_row(hearts, agent_id)
    del row["agentId"]
    rhythm = hearts.rhythm(agent_id) if hearts is not None else None
    row["prompt"] = (rhythm.prompt if rhythm else None) or ""
    row["target"] = rhythm.target if rhythm else "none"
    row["ackMaxChars"] = rhythm.ack_chars if rhythm else 300
    if rhythm is not None and rhythm.model:
        row["model"] = rhythm.model
    return row
