"""Model and tool methods."""

from __future__ import annotations

from typing import Final

from homarus.gateway.model_rows import model_rows
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Get, operation
from homarus.gateway.operations.target import known_agent
from homarus.gateway.services import ToolFacts
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.gateway_admin import ModelsListParams, ToolsCatalogParams
from homarus.protocol.scopes import Scope

_PROFILES: Final = ("minimal", "coding", "messaging", "full")
_GROUP_LABELS: Final = {"fs": "Files", "runtime": "Runtime", "web": "Web", "memory": "Memory", "sessions": "Sessions"}


@operation("models.list", scope=Scope.READ, rest=Get("/api/models"))
async def list_models(call: Call, params: ModelsListParams) -> dict[str, list[JsonObject]]:
    """List the models that can be used now; every view shows the same, because nothing else could be chosen."""
    if params.prepared_only and params.refresh:
        raise invalid("invalid models.list params: preparedOnly and refresh exclude each other")
    known_agent(call, params.agent_id)
    return {"models": model_rows(call.services, params.provider)}


@operation("tools.catalog", scope=Scope.READ, rest=Get("/api/tools"))
async def tools_catalog(call: Call, params: ToolsCatalogParams) -> JsonObject:
    """List the tools of an agent by group."""
    agent = known_agent(call, params.agent_id)
    groups: dict[str, list[ToolFacts]] = {}
    for tool in call.services.tools.list(agent.id):
        groups.setdefault(tool.group, []).append(tool)
    return {
        "agentId": agent.id,
        "profiles": [{"id": profile, "label": profile.capitalize()} for profile in _PROFILES],
        "groups": [_group(name, tools) for name, tools in groups.items()],
    }


def _group(name: str, tools: list[ToolFacts]) -> JsonObject:
    return {
        "id": name,
        "label": _GROUP_LABELS.get(name, name.capitalize()),
        "source": "core",
        "tools": [
            {
                "id": tool.id,
                "label": tool.label,
                "description": tool.description,
                "source": "core",
                "defaultProfiles": ["coding"],
            }
            for tool in tools
        ],
    }
