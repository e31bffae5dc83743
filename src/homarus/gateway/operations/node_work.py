"""What waits for nodes: work to drain, invokes to pull, the canvas capability (reference nodes §7)."""

from __future__ import annotations

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.nodes import node_of
from homarus.gateway.operations.registry import operation
from homarus.protocol.base import NoParams
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.nodes import NodePendingAckParams, NodePendingDrainParams, NodePendingEnqueueParams
from homarus.protocol.scopes import Role, Scope
from homarus.storage.node_work import NodeWork


@operation("node.pending.pull", scope=None, role=Role.NODE)
async def pull_actions(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """Return the invokes that waited for the app; those no longer allowed are left out."""
    node_id = node_of(call)
    desk = call.core.nodes
    session = desk.registry.get(node_id)
    waiting = await desk.work.actions(node_id)
    allowed = [work for work in waiting if session is not None and desk.refusal(session, work.type) is None]
    return {"nodeId": node_id, "actions": [_action(work) for work in allowed]}


@operation("node.pending.ack", scope=None, role=Role.NODE)
async def acknowledge_actions(call: Call, params: NodePendingAckParams) -> JsonObject:
    """Forget invokes the app has taken."""
    node_id = node_of(call)
    ids = [each.strip() for each in params.ids if each.strip()]
    taken, remaining = await call.core.nodes.work.acknowledge(node_id, ids)
    return {"nodeId": node_id, "ackedIds": taken, "remainingCount": remaining}


@operation("node.pending.drain", scope=None, role=Role.NODE)
async def drain_work(call: Call, params: NodePendingDrainParams) -> JsonObject:
    """Return what a node is asked for, most urgent first."""
    node_id = node_of(call)
    drained = await call.core.nodes.work.drain(node_id, params.max_items)
    items = [_item(work) for work in drained.items]
    return {"nodeId": node_id, "revision": drained.revision, "items": items, "hasMore": drained.has_more}


@operation("node.pending.enqueue", scope=Scope.WRITE)
async def enqueue_work(call: Call, params: NodePendingEnqueueParams) -> JsonObject:
    """Ask a known node for something the next time it drains its work."""
    node_id, desk = params.node_id.strip(), call.core.nodes
    if desk.registry.get(node_id) is None and await desk.pairing.get(node_id) is None:
        device = await call.core.devices.get(node_id)
        if device is None or Role.NODE not in device.roles:
            raise invalid("unknown nodeId")
    work, revision = await desk.work.enqueue(node_id, params.type, params.priority or "normal", params.expires_in_ms)
    return {"nodeId": node_id, "revision": revision, "queued": _item(work), "wakeTriggered": False}


@operation("node.canvas.capability.refresh", scope=None, role=Role.NODE)
async def refresh_capability(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001
    """Give a node another address of the canvas host, good for ten minutes."""
    capability, expires = call.core.capabilities.issue(node_of(call))
    return {
        "canvasCapability": capability,
        "canvasCapabilityExpiresAtMs": expires,
        "canvasHostUrl": f"http://{call.caller.peer.host}/__openclaw__/cap/{capability}",
    }


def _action(work: NodeWork) -> JsonObject:
    params = work.payload.get("paramsJSON")
    return {"id": work.id, "command": work.type, "paramsJSON": params, "enqueuedAtMs": work.created_at}


def _item(work: NodeWork) -> JsonObject:
    return {
        "id": work.id,
        "type": work.type,
        "priority": work.payload.get("priority"),
        "createdAtMs": work.created_at,
        "expiresAtMs": work.expires_at,
    }
