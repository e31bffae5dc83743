"""Heartbeats, waking, and what the main session is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Get, Post, operation
from homarus.protocol.base import IgnoredParams
from homarus.protocol.cron import WakeParams
from homarus.protocol.errors import invalid, unavailable
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.protocol.system_events import HeartbeatsParams, SystemEventParams

if TYPE_CHECKING:
    from homarus.automation.heartbeat.heart import Heartbeats

PRESENCE_TEXT = "Node:"
"""How a text begins that tells of a machine rather than the agent (reference 02, system-event)."""


@operation("last-heartbeat", scope=Scope.READ, rest=Get("/api/heartbeat"))
async def last_heartbeat(call: Call, params: IgnoredParams) -> JsonObject | None:  # noqa: ARG001
    """Return the last heartbeat of an agent; null when there was none."""
    hearts = call.services.hearts
    return None if hearts is None else await hearts.last()


@operation("set-heartbeats", scope=Scope.ADMIN)
async def set_heartbeats(call: Call, params: HeartbeatsParams) -> JsonObject:
    """Switch heartbeats off or on until the next start; `agents.defaults.heartbeat.every` is for good."""
    _hearts(call).switch(is_enabled=params.enabled)
    return {"ok": True, "enabled": params.enabled}


@operation("wake", scope=Scope.WRITE, rest=Post("/api/wake"))
async def wake(call: Call, params: WakeParams) -> JsonObject:
    """Tell the main session something, now or with its next turn."""
    text = params.text.strip()
    if not text:
        raise invalid("invalid wake params: at /text: must not be blank")
    await _hearts(call).tell(text, is_now=params.mode == "now")
    return {"ok": True}


@operation("system-event", scope=Scope.ADMIN)
async def system_event(call: Call, params: SystemEventParams) -> JsonObject:
    """Let the main session know of something with its next turn; texts that begin with `Node:` tell presence."""
    text = (params.text or "").strip()
    if not text:
        raise invalid("text required")
    told = await _note_machine(call, params, text)
    if told:
        await _hearts(call).tell(told, is_now=False)
    call.core.broadcast_presence()
    return {"ok": True}


async def _note_machine(call: Call, params: SystemEventParams, text: str) -> str:
    """Take the facts about a machine into presence; return what the main session is told, empty for nothing."""
    facts = params.facts()
    key = params.device_id or params.instance_id or params.host or params.ip
    changed = call.core.presence.report(key, {**facts, "text": text}) if key else frozenset[str]()
    if not text.startswith(PRESENCE_TEXT):
        return text
    if not changed:
        return ""
    parts = [f"{name} {facts[name]}" for name in ("host", "ip", "version", "mode", "reason") if name in changed]
    return f"Node: {params.host or key} · {' · '.join(parts)}"


def _hearts(call: Call) -> Heartbeats:
    hearts = call.services.hearts
    if hearts is None:
        raise unavailable("this gateway has no scheduler to keep events")
    return hearts
