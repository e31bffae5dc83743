"""`system.run` on its way to a node: only known keys pass, and "approved" only with an approval that says so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final, cast

from msgspec import Struct

from homarus.errors import ProtocolError
from homarus.security.approvals import Approvals
from homarus.storage.approvals import Approval

SYSTEM_RUN: Final = "system.run"
FORWARDED: Final = (
    "command",
    "rawCommand",
    "systemRunPlan",
    "cwd",
    "env",
    "timeoutMs",
    "needsScreenRecording",
    "agentId",
    "sessionKey",
    "runId",
    "suppressNotifyOnExit",
)
"""Keys a node gets (reference 02, node.invoke)."""
_PLAN: Final = (("argv", "command"), ("cwd", "cwd"), ("agentId", "agentId"), ("sessionKey", "sessionKey"))
_APPROVING: Final = ("allow-once", "allow-always")


class RunCaller(Struct, frozen=True):
    """Who wants a command run: must be who asked for its approval."""

    device_id: str | None
    conn_id: str


async def prepare_run(
    params: object, node_id: str, caller: RunCaller, approvals: Approvals, now: int
) -> dict[str, object]:
    """Return the parameters a node gets.

    Raises ProtocolError whose `details.code` says what is wrong with the approval that was claimed.
    """
    given: Mapping[str, object] = cast("dict[str, object]", params) if isinstance(params, dict) else {}
    forwarded = {name: given[name] for name in FORWARDED if name in given}
    if given.get("approved") is not True and given.get("approvalDecision") not in _APPROVING:
        return forwarded
    run_id = given.get("runId")
    if not isinstance(run_id, str) or not run_id.strip():
        raise _refused("approval override requires params.runId", "MISSING_RUN_ID")
    approval = await approvals.read(run_id.strip())
    if approval is None or approval.kind != "exec":
        raise _refused("unknown or expired approval id", "UNKNOWN_APPROVAL_ID", run_id)
    _check_binding(approval, node_id, caller, now)
    approved = _with_plan(forwarded, approval)
    return {**approved, "approved": True, "approvalDecision": await _consume(approval, approvals)}


def _check_binding(approval: Approval, node_id: str, caller: RunCaller, now: int) -> None:
    request, requester = approval.request, approval.requester
    if now > approval.expires_at:
        raise _refused("approval expired", "APPROVAL_EXPIRED", approval.id)
    if not isinstance(request.get("nodeId"), str):
        raise _refused("approval id missing node binding", "APPROVAL_NODE_BINDING_MISSING", approval.id)
    if request["nodeId"] != node_id:
        raise _refused("approval id not valid for this node", "APPROVAL_NODE_MISMATCH", approval.id)
    device = requester.get("deviceId")
    if device is not None and device != caller.device_id:
        raise _refused("approval id not valid for this device", "APPROVAL_DEVICE_MISMATCH", approval.id)
    if device is None and requester.get("connId") != caller.conn_id:
        raise _refused("approval id not valid for this client", "APPROVAL_CLIENT_MISMATCH", approval.id)


async def _consume(approval: Approval, approvals: Approvals) -> str:
    if approval.decision == "allow-always":
        return approval.decision
    if approval.decision == "allow-once" and await approvals.use_once(approval.id):
        return approval.decision
    raise _refused("approval required", "APPROVAL_REQUIRED", approval.id)


def _with_plan(forwarded: dict[str, object], approval: Approval) -> dict[str, object]:
    """Run exactly what was approved: its plan overwrites what the caller sent, and its environment must be the same."""
    plan = approval.request.get("systemRunPlan")
    if not isinstance(plan, dict):
        raise _refused("approval id does not match request", "APPROVAL_REQUEST_MISMATCH", approval.id)
    approved = cast("dict[str, object]", plan)
    bound = approval.request.get("systemRunBinding")
    wanted = cast("dict[str, object]", bound).get("envHash") if isinstance(bound, dict) else None
    if wanted != hash_env(forwarded.get("env")):
        raise _refused("approval id does not match request", "APPROVAL_REQUEST_MISMATCH", approval.id)
    result = {**forwarded, "systemRunPlan": approved, "rawCommand": approved.get("commandText")}
    for source, target in _PLAN:
        result.pop(target, None)
        if approved.get(source) is not None:
            result[target] = approved[source]
    return result


def bind_plan(plan: Mapping[str, object], env: object) -> dict[str, object]:
    """Return what an approval is bound to: the plan's words and a hash of the environment it came with."""
    bound = {name: plan.get(name) for name in ("argv", "cwd", "agentId", "sessionKey")}
    return {**bound, "envHash": hash_env(env)}


def hash_env(env: object) -> str | None:
    """Return a hash of environment variables, None without any."""
    if not isinstance(env, dict) or not env:
        return None
    pairs = sorted((str(name), str(value)) for name, value in cast("dict[object, object]", env).items())
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()


def _refused(message: str, code: str, run_id: str | None = None) -> ProtocolError:
    details: dict[str, object] = {"code": code}
    if run_id is not None:
        details["runId"] = run_id[:128]
    return ProtocolError("INVALID_REQUEST", message, details=details)
