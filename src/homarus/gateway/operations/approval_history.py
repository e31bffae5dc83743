"""What became of questions to the owner."""

from __future__ import annotations

from typing import Final, cast

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.page_lists import ApprovalHistoryParams, GrantsListParams
from homarus.protocol.scopes import Scope
from homarus.security.approvals import allowed_decisions
from homarus.storage.approvals import Approval

PAGE: Final = 50
MAX_DIGITS: Final = 15
"""Digits of a time in ms."""
MAX_TITLE, MAX_DESCRIPTION = 80, 512
_COPIED: Final = ("commandPreview", "host", "nodeId", "agentId")


@operation("approval.history", scope=Scope.APPROVALS)
async def list_history(call: Call, params: ApprovalHistoryParams) -> JsonObject:
    """List questions that were answered or ran out, the newest first; a cursor goes on behind a page."""
    if params.kind == "system-agent":
        return {"items": []}
    limit = params.limit or PAGE
    found = await call.core.approvals.closed(limit, params.kind, _read_cursor(params.cursor))
    answer: JsonObject = {"items": [_snapshot(each) for each in found]}
    return {**answer, "nextCursor": f"{_ended(found[-1])}:{found[-1].id}"} if len(found) == limit else answer


@operation("exec.approval.grants.list", scope=Scope.APPROVALS)
async def list_grants(call: Call, params: GrantsListParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """List commands that jobs of the scheduler may run for good; none, as every answer counts for all or once."""
    return {"grants": []}


def _read_cursor(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    at, colon, identifier = cursor.partition(":")
    if not colon or not at.isascii() or not at.isdigit() or len(at) > MAX_DIGITS:
        raise invalid("invalid approval.history params: cursor is not one of a former page")
    return int(at), identifier


def _ended(approval: Approval) -> int:
    return approval.resolved_at or approval.expires_at


def _snapshot(approval: Approval) -> JsonObject:
    sources = {name: approval.request.get(name) for name in ("agentId", "sessionKey")}
    row: JsonObject = {
        "id": approval.id,
        "urlPath": f"/approve/{approval.id}",
        "createdAtMs": approval.created_at,
        "expiresAtMs": approval.expires_at,
        "resolvedAtMs": _ended(approval),
        "presentation": _presentation(approval),
        "source": {name: value for name, value in sources.items() if value},
        **_verdict(approval),
    }
    if approval.resolved_by:
        row["resolver"] = {"kind": "device", "id": approval.resolved_by}
    return row


def _verdict(approval: Approval) -> JsonObject:
    if approval.decision is None:
        return {"status": "expired", "reason": "timeout"}
    if approval.decision == "deny":
        return {"status": "denied", "decision": "deny", "reason": "user"}
    return {"status": "allowed", "decision": approval.decision, "reason": "user"}


def _presentation(approval: Approval) -> JsonObject:
    request, decisions = approval.request, list(allowed_decisions(approval))
    if approval.kind == "exec":
        copied = {name: request[name] for name in _COPIED if request.get(name)}
        return {"kind": "exec", "commandText": request.get("command"), **copied, "allowedDecisions": decisions}
    title = str(request.get("title") or "Plugin")[:MAX_TITLE]
    text = str(request.get("description") or title)[:MAX_DESCRIPTION]
    severity = cast("str | None", request.get("severity")) or "info"
    return {"kind": "plugin", "title": title, "description": text, "severity": severity, "allowedDecisions": decisions}
