"""Pairing of nodes (reference 02, nodes; reference nodes §6)."""

from __future__ import annotations

from typing import cast

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.devices import check_own, disconnect
from homarus.gateway.operations.registry import operation
from homarus.nodes.policy import approval_scopes
from homarus.protocol.base import NoParams
from homarus.protocol.errors import invalid
from homarus.protocol.events import NODE_PAIR_REQUESTED, NODE_PAIR_RESOLVED
from homarus.protocol.frames import JsonObject
from homarus.protocol.nodes import NodePairParams, NodePairRequestParams, NodeParams, NodeVerifyParams
from homarus.protocol.scopes import Role, Scope, missing_scopes
from homarus.storage.nodes import NodeRequest, NodeRow

HIDDEN_TOKEN = "(shown once, at approval)"  # noqa: S105 - what clients see in place of a token
"""Clients expect a token in every row of the list; only its hash is kept."""


@operation("node.pair.request", scope=Scope.PAIRING)
async def request_pairing(call: Call, params: NodePairRequestParams) -> JsonObject:
    """File a request for a node, or refresh the one that waits."""
    given = params.model_dump(by_alias=True, exclude_none=True, exclude={"node_id", "silent"})
    desk = call.core.nodes
    node_id = params.node_id.strip()
    if not node_id:
        raise invalid("nodeId required")
    request, is_new = await desk.pairing.request(node_id, given, is_silent=params.silent is True)
    if is_new:
        call.core.hub.broadcast(NODE_PAIR_REQUESTED, request.request)
    return {"status": "pending", "request": request.request, "created": is_new}


@operation("node.pair.list", scope=Scope.PAIRING)
async def list_pairings(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """List nodes that wait for approval and those that are approved."""
    pairing = call.core.nodes.pairing
    pending = [
        {**request.request, "requiredApproveScopes": list(approval_scopes(_commands(request)))}
        for request in await pairing.requests()
    ]
    return {"pending": pending, "paired": [paired_node(node, HIDDEN_TOKEN) for node in await pairing.nodes()]}


@operation("node.pair.approve", scope=Scope.PAIRING)
async def approve_pairing(call: Call, params: NodePairParams) -> JsonObject:
    """Approve a node; one that runs programs needs operator.admin."""
    pairing = call.core.nodes.pairing
    request = await pairing.find_request(params.request_id)
    if request is None:
        raise invalid("unknown requestId")
    missing = missing_scopes(call.caller.scopes, approval_scopes(_commands(request)))
    if missing:
        raise call.caller.refusal(missing[0])
    approved = await pairing.approve(request)
    if approved is None:
        raise invalid("unknown requestId")
    session = call.core.nodes.grant(approved.node)
    _resolve(call, request, "approved")
    if session is not None:
        call.core.hub.tell(session.conn_id, NODE_PAIR_RESOLVED, _resolution(call, request, "approved"))
    return {"requestId": request.id, "node": paired_node(approved.node, approved.token)}


@operation("node.pair.reject", scope=Scope.PAIRING)
async def reject_pairing(call: Call, params: NodePairParams) -> JsonObject:
    """Refuse a node that waits."""
    request = await call.core.nodes.pairing.reject(params.request_id)
    if request is None:
        raise invalid("unknown requestId")
    _resolve(call, request, "rejected")
    return {"requestId": request.id, "nodeId": request.node_id}


@operation("node.pair.remove", scope=Scope.PAIRING)
async def remove_pairing(call: Call, params: NodeParams) -> JsonObject:
    """Forget a node and close its connections; a device that is an operator as well stays one."""
    node_id = params.node_id.strip()
    check_own(call, node_id, "node pairing removal denied")
    device = await call.core.devices.get(node_id)
    is_node = device is not None and Role.NODE in device.roles
    was_approved = await call.core.nodes.pairing.remove(node_id)
    if not is_node and not was_approved:
        raise invalid("unknown nodeId")
    if device is not None and is_node:
        await call.core.devices.drop_role(device, Role.NODE)
    now = call.services.clock.now_ms()
    body: JsonObject = {"requestId": "", "nodeId": node_id, "decision": "removed", "ts": now}
    call.core.hub.broadcast(NODE_PAIR_RESOLVED, body)
    call.after_answer(lambda: disconnect(call, node_id, Role.NODE))
    return {"nodeId": node_id}


@operation("node.pair.verify", scope=Scope.PAIRING)
async def verify_pairing(call: Call, params: NodeVerifyParams) -> JsonObject:
    """Tell whether a token belongs to an approved node."""
    node = await call.core.nodes.pairing.verify(params.node_id.strip(), params.token)
    return {"ok": False} if node is None else {"ok": True, "node": paired_node(node, params.token)}


def paired_node(node: NodeRow, token: str) -> JsonObject:
    """Return an approved node as clients see it."""
    entry: JsonObject = {"nodeId": node.id, "token": token, **node.record}
    if node.name:
        entry["displayName"] = node.name
    entry |= {"createdAtMs": node.created_at, "approvedAtMs": node.approved_at}
    if node.connected_at is not None:
        entry["lastConnectedAtMs"] = node.connected_at
    return entry


def _commands(request: NodeRequest) -> list[str]:
    found = request.request.get("commands")
    return [str(command) for command in cast("list[object]", found)] if isinstance(found, list) else []


def _resolve(call: Call, request: NodeRequest, decision: str) -> None:
    call.core.hub.broadcast(NODE_PAIR_RESOLVED, _resolution(call, request, decision))


def _resolution(call: Call, request: NodeRequest, decision: str) -> JsonObject:
    now = call.services.clock.now_ms()
    return {"requestId": request.id, "nodeId": request.node_id, "decision": decision, "ts": now}
