"""System events, tools in effect, and the speech settings clients ask for at their start."""

from __future__ import annotations

from typing import Final

from homarus.errors import ProtocolError
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.gateway.operations.target import known_agent, read_key
from homarus.gateway.toolkit import policy_of
from homarus.ids import AgentId
from homarus.protocol.base import IgnoredParams, LooseParams, NoParams, Params
from homarus.protocol.errors import UNAVAILABLE, invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.protocol.usage import ToolsEffectiveParams

MAX_TEXT: Final = 8_000


class SystemEventParams(LooseParams):
    """`system-event`."""

    text: str | None = None


@operation("system-event", scope=Scope.ADMIN)
async def system_event(call: Call, params: SystemEventParams) -> dict[str, bool]:
    """Let the main session know of something with its next turn; texts that begin with `Node:` only tell presence."""
    text = (params.text or "").strip()
    if not text:
        raise invalid("text required")
    if not text.startswith("Node:"):
        if call.services.jobs is None:
            raise ProtocolError(UNAVAILABLE, "this gateway has no scheduler to keep system events")
        await call.services.jobs.wake(text[:MAX_TEXT], is_now=False)
    call.core.broadcast_presence()
    return {"ok": True}


class HeartbeatsParams(Params):
    """`set-heartbeats`."""

    enabled: bool


@operation("set-heartbeats", scope=Scope.ADMIN)
async def set_heartbeats(call: Call, params: HeartbeatsParams) -> dict[str, bool]:  # noqa: ARG001
    """Switch heartbeats off; switching them on is refused, because agents have none here yet."""
    if params.enabled:
        raise ProtocolError(UNAVAILABLE, "agents have no heartbeat yet; use a cron job that wakes the agent")
    return {"ok": True, "enabled": False}


@operation("tools.effective", scope=Scope.READ)
async def tools_effective(call: Call, params: ToolsEffectiveParams) -> JsonObject:
    """List the tools a session's next turn will have."""
    key = read_key(call, params.session_key)
    if await call.services.sessions.get(key) is None:
        raise invalid(f'unknown session key "{params.session_key[:200]}"')
    agent = known_agent(call, params.agent_id or key.agent_id)
    if agent.id != key.agent_id:
        raise invalid(f'agent "{agent.id}" does not match session key agent "{key.agent_id}"')
    tools: list[JsonObject] = [
        {
            "id": tool.id,
            "label": tool.label,
            "description": tool.description,
            "rawDescription": tool.description,
            "source": "core",
        }
        for tool in call.services.tools.list(agent.id)
    ]
    groups: list[JsonObject] = [{"id": "core", "label": "Built-in tools", "source": "core", "tools": tools}]
    profile = policy_of(call.services.config.current.config, AgentId(agent.id)).profile or "full"
    return {"agentId": agent.id, "profile": profile, "groups": groups if tools else []}


@operation("secrets.reload", scope=Scope.ADMIN)
async def reload_secrets(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001
    """Read the configuration again with the secrets it refers to; with anything wrong, nothing changes."""
    reloader = call.services.reloader
    if reloader is None:
        raise ProtocolError(UNAVAILABLE, "this gateway cannot reload its secrets")
    done = await reloader.reload()
    if done.problems:
        raise ProtocolError(UNAVAILABLE, f"secrets were not reloaded: {done.problems[0]}")
    return {"ok": True, "warningCount": len(call.services.config.current.warnings)}


@operation("tts.status", scope=Scope.READ)
async def tts_status(call: Call, params: IgnoredParams) -> JsonObject:  # noqa: ARG001
    """Return how speech stands: off, because this gateway has no speech provider."""
    return {
        "enabled": False,
        "auto": "off",
        "provider": "",
        "fallbackProvider": None,
        "fallbackProviders": [],
        "prefsPath": str(call.services.config.current.path),
        "providerStates": [],
    }


@operation("tts.providers", scope=Scope.READ)
async def tts_providers(call: Call, params: IgnoredParams) -> JsonObject:  # noqa: ARG001
    """List the speech providers; there are none."""
    return {"providers": [], "active": ""}


@operation("talk.config", scope=Scope.READ)
async def talk_config(call: Call, params: LooseParams) -> JsonObject:  # noqa: ARG001
    """Return the talk settings; none without a speech provider."""
    return {"config": {}}
