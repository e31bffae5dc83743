"""Nodes: listing, naming, and asking one to do something (reference 02, nodes)."""

from __future__ import annotations

import json
from typing import cast

from homarus.errors import ProtocolError
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Get, Post, operation
from homarus.nodes.desk import as_json
from homarus.nodes.invoke import InvokeResult, NodeCommand, NodeDisconnected
from homarus.nodes.listing import PairedDevice
from homarus.nodes.policy import RELAYED_PREFIX
from homarus.nodes.registry import NodeSession
from homarus.nodes.system_run import SYSTEM_RUN, RunCaller, prepare_run
from homarus.protocol.base import NoParams
from homarus.protocol.errors import UNAVAILABLE, invalid, unavailable
from homarus.protocol.frames import JsonObject
from homarus.protocol.nodes import (
    NodeInvokeParams,
    NodeInvokeResultParams,
    NodeParams,
    NodeRenameParams,
)
from homarus.protocol.scopes import Role, Scope

_FOREGROUND = ("canvas.", "camera.", "screen.", "talk.")
"""Commands a phone app does only in front; they wait for it (reference nodes §7)."""


@operation("node.list", scope=Scope.READ, rest=Get("/api/nodes"))
async def list_nodes(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """List known nodes, connected ones first."""
    return {"ts": call.services.clock.now_ms(), "nodes": await list_known(call)}


@operation("node.describe", scope=Scope.READ, rest=Get("/api/nodes/{nodeId}"))
async def describe_node(call: Call, params: NodeParams) -> JsonObject:
    """Describe one known node."""
    found = next((node for node in await list_known(call) if node["nodeId"] == params.node_id.strip()), None)
    if found is None:
        raise invalid("unknown nodeId")
    return {"ts": call.services.clock.now_ms(), **found}


@operation("node.rename", scope=Scope.PAIRING)
async def rename_node(call: Call, params: NodeRenameParams) -> JsonObject:
    """Call an approved node by another name."""
    node_id, name = params.node_id.strip(), params.display_name.strip()
    if not name:
        raise invalid("displayName required")
    if not await call.core.nodes.pairing.rename(node_id, name):
        raise invalid("unknown nodeId")
    return {"nodeId": node_id, "displayName": name}


@operation("node.invoke", scope=Scope.WRITE, rest=Post("/api/nodes/{nodeId}/invoke"))
async def invoke_node(call: Call, params: NodeInvokeParams) -> JsonObject:
    """Ask a connected node to do something and return its answer."""
    command, desk = params.command.strip(), call.core.nodes
    if command.startswith(RELAYED_PREFIX):
        message = f"node.invoke does not allow {command}; use exec.approvals.node.*"
        raise invalid(message, {"command": command})
    session = connected(call, params.node_id)
    refusal = desk.refusal(session, command)
    if refusal is not None:
        raise invalid(refusal.message, {"reason": refusal.reason, "command": command})
    sent: object = params.params
    if command == SYSTEM_RUN:
        caller = RunCaller(call.caller.device_id, call.caller.conn_id)
        now = call.services.clock.now_ms()
        sent = await prepare_run(params.params, session.node_id, caller, call.core.approvals, now)
    params_json = as_json(sent) if "params" in params.model_fields_set or sent is not None else None
    wanted = NodeCommand(command, params_json, params.timeout_ms, params.idempotency_key)
    result = await send(call, session, wanted)
    if not result.is_ok and _waits_for_app(session, command, result):
        raise await _defer(call, session, wanted, result)
    payload = read_payload(result)
    shown = {"payload": payload, "payloadJSON": result.payload_json}
    return {"ok": True, "nodeId": session.node_id, "command": command, **shown}


@operation("node.invoke.result", scope=None, role=Role.NODE)
async def take_result(call: Call, params: NodeInvokeResultParams) -> JsonObject:
    """Take a node's answer; one that nobody waits for any more is ignored."""
    node_id = node_of(call)
    if params.node_id != node_id:
        raise invalid("nodeId mismatch")
    error = params.error
    result = InvokeResult(
        is_ok=params.ok,
        payload=params.payload,
        payload_json=params.payload_json,
        error_code=error.code if error else None,
        error_message=error.message if error else None,
    )
    verdict = call.core.nodes.invocations.settle(params.id, node_id, result)
    if verdict == "foreign":
        raise invalid("nodeId mismatch")
    return {"ok": True} if verdict == "taken" else {"ok": True, "ignored": True}


def node_of(call: Call) -> str:
    """Return the id of the node that calls."""
    return call.caller.device_id or call.caller.client_id


def connected(call: Call, node_id: str) -> NodeSession:
    """Return a connected node. Raises ProtocolError with `details.code` NOT_CONNECTED."""
    session = call.core.nodes.registry.get(node_id.strip())
    if session is None:
        raise unavailable("node not connected", {"code": "NOT_CONNECTED"})
    return session


async def send(call: Call, session: NodeSession, command: NodeCommand) -> InvokeResult:
    """Send a command; a node that leaves is UNAVAILABLE. Raises ProtocolError."""
    try:
        return await call.core.nodes.invocations.invoke(session, command)
    except NodeDisconnected as error:
        raise unavailable(f"Error: {error.message}") from error


def read_payload(result: InvokeResult) -> object:
    """Return what a node answered. Raises ProtocolError with `details.nodeError` when it failed."""
    if not result.is_ok:
        raise unavailable(_failure_text(result), {"nodeError": _node_error(result)})
    if not result.payload_json:
        return result.payload
    try:
        return cast("object", json.loads(result.payload_json))
    except (ValueError, RecursionError) as error:
        raise unavailable("node answered with something that is not JSON") from error


async def list_known(call: Call) -> list[JsonObject]:
    """Return the nodes that are paired or connected, as `node.list` shows them."""
    devices = await call.core.devices.list()
    paired = [PairedDevice(each.id, each.record, each.approved_at) for each in devices if Role.NODE in each.roles]
    return await call.core.nodes.list(paired)


def _failure_text(result: InvokeResult) -> str:
    code, message = result.error_code, result.error_message or "node invoke failed"
    return f"{code}: {message}" if code else message


def _node_error(result: InvokeResult) -> JsonObject:
    error = {"code": result.error_code, "message": result.error_message}
    return {name: value for name, value in error.items() if value is not None}


def _waits_for_app(session: NodeSession, command: str, result: InvokeResult) -> bool:
    is_background = "BACKGROUND_UNAVAILABLE" in f"{result.error_code} {result.error_message}".upper()
    platform = f"{session.facts.platform} {session.facts.device_family}".lower()
    is_phone = platform.startswith(("ios", "ipados")) or "iphone" in platform or "ipad" in platform
    return is_background and is_phone and command.startswith(_FOREGROUND)


async def _defer(call: Call, session: NodeSession, command: NodeCommand, result: InvokeResult) -> ProtocolError:
    work = await call.core.nodes.work.defer(session.node_id, command.name, command.params_json, command.key or "")
    details: JsonObject = {
        "code": "QUEUED_UNTIL_FOREGROUND",
        "queuedActionId": work.id,
        "nodeId": session.node_id,
        "command": command.name,
        "wake": {"path": "no-registration", "available": False, "throttled": False},
        "nodeError": _node_error(result),
    }
    message = "node command queued until iOS returns to foreground"
    return ProtocolError(UNAVAILABLE, message, details=details, retryable=True)
