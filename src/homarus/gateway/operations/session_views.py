"""What pages of version 4 ask about a session besides its messages: its branches, who looks at it, its extras."""

from __future__ import annotations

from datetime import UTC, datetime

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.gateway.operations.target import read_key
from homarus.gateway.transcript import preview_of
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.protocol.session_views import ObserverParams, SessionViewParams, ViewersParams

MAX_HEADLINE = 120
"""Characters of the line that stands for a branch."""


@operation("sessions.branches.list", scope=Scope.READ)
async def list_branches(call: Call, params: SessionViewParams) -> JsonObject:
    """List the branches of a transcript; here there is one, because nothing that was said is ever taken back."""
    session = await call.services.sessions.get(read_key(call, params.session_key, params.agent_id))
    page = await call.services.sessions.page_of(session.session_id, 1) if session is not None else None
    if page is None or not page.entries:
        return {"branches": []}
    last = page.entries[-1]
    line = preview_of(last, MAX_HEADLINE)
    at = datetime.fromtimestamp(last.created_at / 1000, UTC).isoformat(timespec="milliseconds")
    branch: JsonObject = {
        "leafEntryId": last.id,
        "headline": line["text"] if line is not None else "",
        "messageCount": page.total,
        "updatedAt": at.replace("+00:00", "Z"),
        "active": True,
    }
    return {"branches": [branch]}


@operation("sessions.viewers.set", scope=Scope.READ)
async def set_viewed(call: Call, params: ViewersParams) -> JsonObject:
    """Tell which sessions this connection looks at, in place of those it told before; presence shows them."""
    keys = list(dict.fromkeys(str(read_key(call, key)) for key in params.session_keys))
    call.core.presence.watch(call.caller.conn_id, keys)
    return {"sessionKeys": keys}


@operation("sessions.observer.visibility", scope=Scope.READ)
async def set_visibility(call: Call, params: ObserverParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """Take note whether a page is in front; what it hears is the same, as nothing is made for the page alone."""
    return {"ok": True}


@operation("sessions.companion.state", scope=Scope.READ)
async def companion_state(call: Call, params: SessionViewParams) -> JsonObject:
    """Return what was asked aside of a session; nothing, as asking aside does not exist here."""
    read_key(call, params.session_key, params.agent_id)
    return {"exchanges": []}


@operation("progressCard.get", scope=Scope.READ)
async def progress_card(call: Call, params: SessionViewParams) -> JsonObject:
    """Return the progress card of a session; null, as no tool writes one."""
    read_key(call, params.session_key, params.agent_id)
    return {"card": None}
