"""Health, status, presence, identity and log methods."""

from __future__ import annotations

from homarus import __version__
from homarus.gateway.heartbeat_view import heartbeat_row
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.log_tail import read_tail
from homarus.gateway.operations.registry import Get, operation
from homarus.gateway.session_rows import ModelDefaults, model_defaults, session_row
from homarus.protocol.base import IgnoredParams
from homarus.protocol.frames import JsonObject
from homarus.protocol.health import GatewayIdentity, HealthParams, LogsTail, LogsTailParams
from homarus.protocol.scopes import Scope
from homarus.storage.records import Session, SessionFilter

RECENT = 10
"""Sessions that `status` lists."""


@operation("health", scope=None, role=None, rest=Get("/api/health"))
async def health(call: Call, params: HealthParams) -> JsonObject:
    """Return the health of channels, agents and sessions; `probe` makes a round trip to every channel.

    Admins are told which changed keys wait for a restart.
    """
    found = await call.core.health.get(should_probe=params.probe is True and call.caller.is_admin)
    reloader = call.services.reloader
    waiting = reloader.awaiting if reloader is not None and call.caller.is_admin else ()
    return {**found, "needsRestart": list(waiting)} if waiting else found


@operation("status", scope=Scope.READ, rest=Get("/api/status"))
async def status(call: Call, params: IgnoredParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """Return what the gateway is doing; without admin scope no paths, models or recent sessions."""
    services = call.services
    is_admin = call.caller.is_admin
    agents = services.agents.list()
    default = next(agent.id for agent in agents if agent.is_default)
    now = services.clock.now_ms()
    defaults = model_defaults(services)
    recent = await services.sessions.list(SessionFilter(limit=RECENT)) if is_admin else []
    by_agent: list[JsonObject] = []
    for agent in agents:
        count = await services.sessions.count(agent.id)
        rows = [_row(session, defaults, now) for session in recent if session.agent_id == agent.id]
        path = str(services.state_dir) if is_admin else "[redacted]"
        by_agent.append({"agentId": agent.id, "path": path, "count": count, "recent": rows})
    heartbeats = [heartbeat_row(services.hearts, agent.id) for agent in agents]
    return {
        "runtimeVersion": __version__,
        "heartbeat": {"defaultAgentId": default, "agents": heartbeats},
        "channelSummary": _channel_summary(call),
        "queuedSystemEvents": [],
        "tasks": _tasks(len(services.runs.active())),
        "taskAudit": {"total": 0, "warnings": 0, "errors": 0, "byCode": dict.fromkeys(_AUDIT_CODES, 0)},
        "sessions": {
            "paths": [str(services.state_dir)] if is_admin else [],
            "count": await services.sessions.count(),
            "defaults": {
                "model": defaults.model if is_admin else None,
                "contextTokens": defaults.context_tokens if is_admin else None,
            },
            "recent": [_row(session, defaults, now) for session in recent],
            "byAgent": by_agent,
        },
    }


@operation("system-presence", scope=Scope.READ, rest=Get("/api/presence"))
async def system_presence(call: Call, params: IgnoredParams) -> list[JsonObject]:  # noqa: ARG001
    """Return who is or was just connected, newest first."""
    return call.core.presence.list()


@operation("gateway.identity.get", scope=Scope.READ)
async def gateway_identity(call: Call, params: IgnoredParams) -> GatewayIdentity:  # noqa: ARG001
    """Return the gateway's own device identity."""
    identity = call.core.identity()
    return {"deviceId": identity.id, "publicKey": identity.public_key}


@operation("logs.tail", scope=Scope.READ)
async def logs_tail(call: Call, params: LogsTailParams) -> LogsTail:
    """Return the last lines of the log file, or those since a cursor."""
    return await read_tail(call.services.log_file, params)


_AUDIT_CODES = (
    "stale_queued",
    "stale_running",
    "lost",
    "delivery_failed",
    "missing_cleanup",
    "inconsistent_timestamps",
)
_TASK_STATES = ("queued", "running", "succeeded", "failed", "timed_out", "cancelled", "lost")
_RUNTIMES = ("subagent", "acp", "cli", "cron")


def _tasks(active: int) -> JsonObject:
    states = {**dict.fromkeys(_TASK_STATES, 0), "running": active}
    runtimes = {**dict.fromkeys(_RUNTIMES, 0), "cli": active}
    totals = {"total": active, "active": active, "terminal": 0, "failures": 0}
    return {**totals, "byStatus": states, "byRuntime": runtimes}


def _channel_summary(call: Call) -> list[str]:
    lines: list[str] = []
    for account in call.services.channels.accounts():
        state = "connected" if account.is_connected else "running" if account.is_running else "stopped"
        problem = f" ({account.last_error})" if account.last_error else ""
        lines.append(f"{account.name} {account.account}: {state}{problem}")
    return lines


def _row(session: Session, defaults: ModelDefaults, now: int) -> JsonObject:
    row = session_row(session, defaults)
    window = defaults.context_tokens
    total = session.total_tokens or None
    kept = ("key", "kind", "sessionId", "updatedAt", "systemSent", "abortedLastRun", "thinkingLevel", "verboseLevel")
    return {
        "agentId": session.agent_id,
        **{name: row[name] for name in kept if name in row},
        "age": now - session.updated_at,
        "totalTokens": total,
        "totalTokensFresh": False,
        "remainingTokens": None if total is None else max(0, window - total),
        "percentUsed": None if total is None or not window else min(100, round(100 * total / window)),
        "model": row["model"],
        "contextTokens": window,
        "flags": ["system", f"id:{session.session_id}"],
    }
