"""What nodes of version 4 tell of themselves after they came (v4-differences §9.3); kept while they are connected."""

from __future__ import annotations

from typing import Final

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.nodes import node_of
from homarus.gateway.operations.registry import operation
from homarus.nodes.registry import NodeSession
from homarus.protocol.errors import invalid, unavailable
from homarus.protocol.frames import JsonObject, encode
from homarus.protocol.nodes import NodeInventoryParams, NodeSkillsParams, NodeToolsParams
from homarus.protocol.scopes import Role

MAX_BYTES: Final = 256 * 1024
"""Bytes one publication may have."""


@operation("node.skills.update", scope=None, role=Role.NODE)
async def take_skills(call: Call, params: NodeSkillsParams) -> JsonObject:
    """Take the skills a node has, in place of those it told before."""
    _publish(call, "skills", params.skills)
    return {"nodeId": node_of(call), "skills": params.skills}


@operation("node.pluginTools.update", scope=None, role=Role.NODE)
async def take_tools(call: Call, params: NodeToolsParams) -> JsonObject:
    """Take the tools a node offers, in place of those it told before."""
    _publish(call, "tools", params.tools)
    return {"nodeId": node_of(call), "tools": params.tools}


@operation("node.runnerInventory.update", scope=None, role=Role.NODE)
async def take_inventory(call: Call, params: NodeInventoryParams) -> JsonObject:
    """Take what a node can run; one that is not approved is asked to come back with it."""
    node_id = node_of(call)
    if await call.core.nodes.pairing.get(node_id) is None:
        fix = "see `homarus nodes pending`, then this node tries again by itself"
        raise unavailable(f"node capability surface is awaiting operator approval; {fix}")
    _publish(call, "runners", params.model_dump(by_alias=True, exclude_none=True))
    return {"nodeId": node_id}


def _publish(call: Call, kind: str, value: object) -> None:
    session: NodeSession | None = call.core.nodes.registry.of_connection(call.caller.conn_id)
    if len(encode(value)) > MAX_BYTES:
        raise invalid(f"at most {MAX_BYTES} bytes of {kind} are kept of a node")
    if session is not None:
        session.published[kind] = value
