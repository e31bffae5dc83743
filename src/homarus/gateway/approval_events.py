"""What approvers hear: a question was asked, a question was answered (reference 03)."""

from __future__ import annotations

from homarus.clock import Clock
from homarus.gateway.hub import EventHub
from homarus.protocol.frames import JsonObject
from homarus.storage.approvals import Approval


def announce_approval(hub: EventHub, clock: Clock, event: str, approval: Approval) -> None:
    """Broadcast `exec|plugin.approval.requested|resolved` to those with operator.approvals."""
    body: JsonObject = {"id": approval.id}
    if event == "requested":
        body |= {"request": approval.request, "createdAtMs": approval.created_at, "expiresAtMs": approval.expires_at}
    else:
        body["decision"] = approval.decision
        if approval.resolved_by is not None:
            body["resolvedBy"] = approval.resolved_by
        body |= {"ts": clock.now_ms(), "request": approval.request}
    hub.broadcast(f"{approval.kind}.approval.{event}", body)
