"""Methods by which a connection says what it looks at."""

from __future__ import annotations

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.gateway.operations.session_list import page_of
from homarus.gateway.operations.target import read_key
from homarus.protocol.base import IgnoredParams
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.protocol.sessions import SessionKeyParams, SessionsSubscribeParams, Subscription
from homarus.storage.approvals import Approval


@operation("sessions.subscribe", scope=Scope.READ)
async def subscribe(call: Call, params: SessionsSubscribeParams) -> Subscription:
    """Send this connection the events of all sessions; with parameters, answer with the list they ask for."""
    call.core.hub.watch_sessions(call.caller.conn_id)
    if not params.model_fields_set:
        return {"subscribed": True}
    return {"subscribed": True, "list": await page_of(call, params)}


@operation("sessions.unsubscribe", scope=Scope.READ)
async def unsubscribe(call: Call, params: IgnoredParams) -> Subscription:  # noqa: ARG001 - the signature of operations
    """Stop sending this connection the events of all sessions."""
    call.core.hub.unwatch_sessions(call.caller.conn_id)
    return {"subscribed": False}


@operation("sessions.messages.subscribe", scope=Scope.READ)
async def subscribe_messages(call: Call, params: SessionKeyParams) -> Subscription:
    """Send this connection the messages of one session, and on request answer with what it waits to have approved."""
    key = str(read_key(call, params.key, params.agent_id))
    if params.include_approvals and not call.caller.has(Scope.APPROVALS):
        raise invalid(f"sessions.messages.subscribe includeApprovals requires the scope {Scope.APPROVALS}")
    call.core.hub.watch_messages(call.caller.conn_id, key)
    if not params.include_approvals:
        return {"subscribed": True, "key": key}
    return {"subscribed": True, "key": key, "approvalReplay": await _waiting(call, key)}


@operation("sessions.messages.unsubscribe", scope=Scope.READ)
async def unsubscribe_messages(call: Call, params: SessionKeyParams) -> Subscription:
    """Stop sending this connection the messages of one session."""
    key = str(read_key(call, params.key, params.agent_id))
    call.core.hub.unwatch_messages(call.caller.conn_id, key)
    return {"subscribed": False, "key": key}


async def _waiting(call: Call, key: str) -> JsonObject:
    """Return the commands of a session that wait for approval."""
    found = [each for each in await call.core.approvals.open("exec") if each.request.get("sessionKey") == key]
    now = call.services.clock.now_ms()
    return {"sessionKey": key, "updatedAtMs": now, "approvals": [_snapshot(each) for each in found], "truncated": False}


def _snapshot(approval: Approval) -> JsonObject:
    request = approval.request
    names = ("commandPreview", "host", "nodeId", "agentId", "allowedDecisions")
    shown = {"kind": "exec", "commandText": request.get("command"), **{name: request.get(name) for name in names}}
    times = {"createdAtMs": approval.created_at, "expiresAtMs": approval.expires_at}
    return {"id": approval.id, "urlPath": "/", **times, "status": "pending", "presentation": shown}
