"""Tools in effect, and secrets read again."""

from __future__ import annotations

from homarus.errors import ProtocolError
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.gateway.operations.target import known_agent, read_key
from homarus.gateway.toolkit import policy_of
from homarus.ids import AgentId
from homarus.protocol.base import NoParams
from homarus.protocol.errors import UNAVAILABLE, invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.protocol.usage import ToolsEffectiveParams


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
