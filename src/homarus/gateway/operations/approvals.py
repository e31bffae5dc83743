"""Approvals of commands and of plugins' actions (reference 02, approvals)."""

from __future__ import annotations

from typing import Final

from homarus.errors import UserError
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.nodes.system_run import bind_plan
from homarus.protocol.approvals import (
    ApprovalParams,
    ApprovalResolveParams,
    ExecApprovalRequestParams,
    PluginApprovalRequestParams,
)
from homarus.protocol.base import NoParams
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Role, Scope
from homarus.security.approvals import (
    DECISIONS,
    AmbiguousApproval,
    Question,
    UnknownApproval,
    allowed_decisions,
    decisions_for,
)
from homarus.storage.approvals import Approval, ApprovalKind

EXEC_TIMEOUT_MS: Final = 30 * 60 * 1000
PLUGIN_TIMEOUT_MS: Final = 120_000
"""Milliseconds a question waits unless its request says otherwise."""
PLUGIN_PREFIX: Final = "plugin:"
_NOT_FOUND: Final = {"reason": "APPROVAL_NOT_FOUND"}
_EXEC_FACTS: Final = (
    ("cwd", "cwd"),
    ("nodeId", "node_id"),
    ("host", "host"),
    ("security", "security"),
    ("ask", "ask"),
    ("agentId", "agent_id"),
    ("resolvedPath", "resolved_path"),
    ("sessionKey", "session_key"),
    ("turnSourceChannel", "turn_source_channel"),
    ("turnSourceTo", "turn_source_to"),
    ("turnSourceAccountId", "turn_source_account_id"),
    ("turnSourceThreadId", "turn_source_thread_id"),
)


@operation("exec.approval.request", scope=Scope.APPROVALS)
async def request_exec_approval(call: Call, params: ExecApprovalRequestParams) -> JsonObject:
    """Ask whether a command may run, and answer with the decision; null when nobody decided in time."""
    if params.id is not None and params.id.startswith(PLUGIN_PREFIX):
        raise invalid("approval ids starting with plugin: are reserved")
    timeout = params.timeout_ms or EXEC_TIMEOUT_MS
    question = Question("exec", _exec_request(params), _requester(call), timeout, params.id)
    return await _ask(call, question, is_two_phase=params.two_phase is True)


@operation("exec.approval.get", scope=Scope.APPROVALS)
async def get_exec_approval(call: Call, params: ApprovalParams) -> JsonObject:
    """Describe an open question about a command."""
    approval = await _find(call, "exec", params.id)
    request = approval.request
    return {
        "id": approval.id,
        "commandText": request.get("command"),
        "commandPreview": request.get("commandPreview"),
        "allowedDecisions": list(allowed_decisions(approval)),
        "host": request.get("host"),
        "nodeId": request.get("nodeId"),
        "agentId": request.get("agentId"),
        "expiresAtMs": approval.expires_at,
    }


@operation("exec.approval.list", scope=Scope.APPROVALS)
async def list_exec_approvals(call: Call, params: NoParams) -> list[JsonObject]:  # noqa: ARG001 - the signature of operations
    """List the open questions about commands, so that a client that comes later can answer them too."""
    return [_open(approval) for approval in await call.core.approvals.open("exec")]


@operation("exec.approval.waitDecision", scope=Scope.APPROVALS)
async def wait_exec_decision(call: Call, params: ApprovalParams) -> JsonObject:
    """Wait until a question about a command is answered or expires."""
    return await _wait(call, "exec", params.id)


@operation("exec.approval.resolve", scope=Scope.APPROVALS)
async def resolve_exec_approval(call: Call, params: ApprovalResolveParams) -> JsonObject:
    """Answer a question about a command; the first explicit answer wins."""
    return await _resolve(call, "exec", params)


@operation("plugin.approval.request", scope=Scope.APPROVALS)
async def request_plugin_approval(call: Call, params: PluginApprovalRequestParams) -> JsonObject:
    """Ask whether a plugin may go on, and answer with the decision; null when nobody decided in time."""
    request = params.model_dump(by_alias=True, exclude={"timeout_ms", "two_phase"})
    question = Question("plugin", request, _requester(call), params.timeout_ms or PLUGIN_TIMEOUT_MS)
    return await _ask(call, question, is_two_phase=params.two_phase is True)


@operation("plugin.approval.list", scope=Scope.APPROVALS)
async def list_plugin_approvals(call: Call, params: NoParams) -> list[JsonObject]:  # noqa: ARG001
    """List the open questions of plugins."""
    return [_open(approval) for approval in await call.core.approvals.open("plugin")]


@operation("openclaw.approval.list", scope=Scope.APPROVALS)
async def list_assistant_approvals(call: Call, params: NoParams) -> list[JsonObject]:  # noqa: ARG001
    """List the open questions of a built-in assistant; none, as there is none that changes the gateway by itself."""
    return []


@operation("question.list", scope=Scope.QUESTIONS)
async def list_questions(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """List the questions agents wait to have answered; none, as agents ask in the chat itself."""
    return {"questions": []}


@operation("plugin.approval.waitDecision", scope=Scope.APPROVALS)
async def wait_plugin_decision(call: Call, params: ApprovalParams) -> JsonObject:
    """Wait until a plugin's question is answered or expires."""
    return await _wait(call, "plugin", params.id)


@operation("plugin.approval.resolve", scope=Scope.APPROVALS)
async def resolve_plugin_approval(call: Call, params: ApprovalResolveParams) -> JsonObject:
    """Answer a plugin's question; the first explicit answer wins."""
    return await _resolve(call, "plugin", params)


async def _ask(call: Call, question: Question, *, is_two_phase: bool) -> JsonObject:
    desk = call.core.approvals
    try:
        approval = await desk.ask(question)
    except UserError as error:
        raise invalid(error.message) from error
    if not _has_approvers(call):
        return _outcome(await desk.abandon(approval))
    if is_two_phase:
        times = {"createdAtMs": approval.created_at, "expiresAtMs": approval.expires_at}
        call.send({"status": "accepted", "id": approval.id, **times})
    return _outcome(await desk.wait(approval.kind, approval.id))


async def _wait(call: Call, kind: ApprovalKind, identifier: str) -> JsonObject:
    try:
        return _outcome(await call.core.approvals.wait(kind, identifier))
    except UnknownApproval as error:
        raise invalid(error.message, dict(_NOT_FOUND)) from error


async def _resolve(call: Call, kind: ApprovalKind, params: ApprovalResolveParams) -> JsonObject:
    if params.decision not in DECISIONS:
        raise invalid("invalid decision")
    try:
        await call.core.approvals.resolve(kind, params.id, params.decision, call.caller.client_id)
    except UnknownApproval as error:
        raise invalid(error.message, dict(_NOT_FOUND)) from error
    except UserError as error:
        raise invalid(error.message) from error
    return {"ok": True}


async def _find(call: Call, kind: ApprovalKind, identifier: str) -> Approval:
    try:
        return await call.core.approvals.find(kind, identifier)
    except UnknownApproval as error:
        raise invalid(error.message, dict(_NOT_FOUND)) from error
    except AmbiguousApproval as error:
        raise invalid(error.message) from error


def _exec_request(params: ExecApprovalRequestParams) -> JsonObject:
    """Return what approvers see. Raises ProtocolError for a question that says too little."""
    plan = params.system_run_plan.model_dump(by_alias=True) if params.system_run_plan is not None else None
    if params.host == "node" and params.node_id is None:
        raise invalid("nodeId is required for host=node")
    if params.host == "node" and plan is None:
        raise invalid("systemRunPlan is required for host=node")
    command = plan["commandText"] if plan is not None and params.host == "node" else params.command
    if not command:
        raise invalid("command is required")
    request: JsonObject = {"command": command}
    if plan is not None and plan.get("commandPreview"):
        request["commandPreview"] = plan["commandPreview"]
    if params.command_argv is not None or plan is not None:
        request["commandArgv"] = plan["argv"] if plan is not None else params.command_argv
    if params.env:
        request["envKeys"] = sorted(params.env)
    request["systemRunBinding"] = bind_plan(plan, params.env) if plan is not None else None
    request["systemRunPlan"] = plan
    request |= {wire: getattr(params, name) for wire, name in _EXEC_FACTS}
    return {**request, "allowedDecisions": list(decisions_for(params.ask))}


def _requester(call: Call) -> JsonObject:
    caller = call.caller
    return {"deviceId": caller.device_id, "connId": caller.conn_id, "clientId": caller.client_id}


def _has_approvers(call: Call) -> bool:
    callers = (connection.caller for connection in call.core.hub.connections)
    return any(each.role is Role.OPERATOR and each.has(Scope.APPROVALS) for each in callers)


def _outcome(approval: Approval) -> JsonObject:
    times = {"createdAtMs": approval.created_at, "expiresAtMs": approval.expires_at}
    return {"id": approval.id, "decision": approval.decision, **times}


def _open(approval: Approval) -> JsonObject:
    times = {"createdAtMs": approval.created_at, "expiresAtMs": approval.expires_at}
    return {"id": approval.id, "request": approval.request, **times}
