"""The files of command approvals: the gateway's own, and those of nodes (reference 02, exec.approvals)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from homarus.errors import UserError
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.nodes import connected, read_payload, send
from homarus.gateway.operations.registry import operation
from homarus.nodes.desk import as_json
from homarus.nodes.invoke import NodeCommand
from homarus.protocol.approvals import (
    ExecApprovalsBody,
    ExecApprovalsSetParams,
    NodeExecApprovalsParams,
    NodeExecApprovalsSetParams,
)
from homarus.protocol.base import NoParams
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.security.exec_approvals import NAME, ExecApprovalsFile, Snapshot


@operation("exec.approvals.get", scope=Scope.ADMIN)
async def get_file(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """Return the gateway's file of command approvals with the hash a change must name."""
    return (await _off_loop(_file(call).ensure)).shown()


@operation("exec.approvals.set", scope=Scope.ADMIN)
async def set_file(call: Call, params: ExecApprovalsSetParams) -> JsonObject:
    """Replace the gateway's file of command approvals."""
    file, body = _file(call), body_of(params.file)
    return (await _off_loop(lambda: file.replace(body, params.base_hash))).shown()


@operation("exec.approvals.node.get", scope=Scope.ADMIN)
async def get_node_file(call: Call, params: NodeExecApprovalsParams) -> object:
    """Return a node's file of command approvals."""
    return await _relay(call, params.node_id, "system.execApprovals.get", {})


@operation("exec.approvals.node.set", scope=Scope.ADMIN)
async def set_node_file(call: Call, params: NodeExecApprovalsSetParams) -> object:
    """Replace a node's file of command approvals."""
    wanted: JsonObject = {"file": body_of(params.file)}
    if params.base_hash is not None:
        wanted["baseHash"] = params.base_hash
    return await _relay(call, params.node_id, "system.execApprovals.set", wanted)


def body_of(file: ExecApprovalsBody) -> JsonObject:
    """Return a file as it is stored."""
    return cast("JsonObject", file.model_dump(by_alias=True, exclude_none=True))


async def _relay(call: Call, node_id: str, command: str, params: JsonObject) -> object:
    session = connected(call, node_id)
    key = call.services.clock.uuid()
    result = await send(call, session, NodeCommand(command, as_json(params), key=key))
    return read_payload(result)


def _file(call: Call) -> ExecApprovalsFile:
    return ExecApprovalsFile(call.services.state_dir / NAME)


async def _off_loop(work: Callable[[], Snapshot]) -> Snapshot:
    try:
        return await asyncio.to_thread(work)
    except UserError as error:
        raise invalid(error.message) from error
