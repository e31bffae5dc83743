"""Methods of our own: the journal of messages, strangers who wait to be let in, and login links."""

from __future__ import annotations

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Get, Post, operation
from homarus.gateway.services import MessageRecord, OutboundRecord, PairingRequest, RunRecord
from homarus.gateway.tokens import LOGIN_CODE_TTL_MS
from homarus.protocol.base import NoParams
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.gateway_admin import (
    MessageParams,
    MessagesListParams,
    PairingApproveParams,
    PairingListParams,
)
from homarus.protocol.scopes import Scope

DEFAULT_LIMIT = 50


@operation("messages.list", scope=Scope.READ, rest=Get("/api/messages"))
async def list_messages(call: Call, params: MessagesListParams) -> dict[str, list[JsonObject]]:
    """List messages and what became of them, newest first."""
    limit = params.limit or DEFAULT_LIMIT
    found = await call.services.messages.list(state=params.state, channel=params.channel, limit=limit)
    return {"messages": [_message(each) for each in found]}


@operation("messages.show", scope=Scope.READ, rest=Get("/api/messages/{id}"))
async def show_message(call: Call, params: MessageParams) -> JsonObject:
    """Show one message, its way through the pipeline and the parts that answered it."""
    story = await call.services.messages.show(params.id)
    if story is None:
        raise invalid(f"no message {params.id}")
    return {
        **_message(story.message),
        "trail": list(story.message.trail),
        "parts": [_part(part) for part in story.parts],
        "run": None if story.run is None else _run(story.run),
        "steps": [
            {"kind": each.kind, "detail": each.detail, "atMs": each.at, "isError": each.is_error}
            for each in story.steps
        ],
    }


@operation("messages.retry", scope=Scope.ADMIN, rest=Post("/api/messages/{id}/retry"))
async def retry_message(call: Call, params: MessageParams) -> JsonObject:
    """Take a failed message up again."""
    return _message(await call.services.messages.retry(params.id))


@operation("pairing.list", scope=Scope.PAIRING, rest=Get("/api/pairing"))
async def list_pairing(call: Call, params: PairingListParams) -> dict[str, list[JsonObject]]:
    """List strangers on channels who wait to be let in."""
    return {"requests": [_request(each) for each in await call.services.pairing.list(params.channel)]}


@operation("pairing.approve", scope=Scope.PAIRING, rest=Post("/api/pairing/approve"))
async def approve_pairing(call: Call, params: PairingApproveParams) -> JsonObject:
    """Let the stranger in who was given a code, and tell them unless `notify` is false."""
    request = await call.services.pairing.approve(params.channel, params.code, tells=params.notify is not False)
    if request is None:
        raise invalid(f"no open pairing request on {params.channel} has this code")
    return {"ok": True, **_request(request)}


@operation("login.link", scope=Scope.ADMIN)
async def login_link(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """Make a one-time code that signs a browser in; it works for ten minutes."""
    code = call.core.logins.create()
    expires = call.services.clock.now_ms() + LOGIN_CODE_TTL_MS
    return {"code": code, "path": f"/#code={code}", "expiresAtMs": expires}


def _message(each: MessageRecord) -> JsonObject:
    return {
        "id": each.id,
        "channel": each.channel,
        "account": each.account,
        "chat": each.chat,
        "senderId": each.sender_id,
        "senderName": each.sender_name,
        "text": each.text,
        "state": each.state,
        "reason": each.reason,
        "sessionKey": each.session_key,
        "runId": each.run_id,
        "receivedAtMs": each.received_at,
        "updatedAtMs": each.updated_at,
    }


def _part(part: OutboundRecord) -> JsonObject:
    return {
        "id": part.id,
        "channel": part.channel,
        "chat": part.chat,
        "part": part.part,
        "parts": part.parts,
        "state": part.state,
        "attempts": part.attempts,
        "text": part.text,
        "error": part.error,
        "platformId": part.platform_id,
        "updatedAtMs": part.updated_at,
        "createdAtMs": part.created_at,
        "nextAtMs": part.next_at,
    }


def _run(run: RunRecord) -> JsonObject:
    return {
        "id": run.id,
        "state": run.state,
        "model": run.model,
        "starts": run.starts,
        "startedAtMs": run.started_at,
        "endedAtMs": run.ended_at,
        "error": run.error,
        "stopReason": run.stop_reason,
        "inputTokens": run.input_tokens,
        "outputTokens": run.output_tokens,
    }


def _request(each: PairingRequest) -> JsonObject:
    return {
        "channel": each.channel,
        "account": each.account,
        "senderId": each.sender_id,
        "senderName": each.sender_name,
        "code": each.code,
        "createdAtMs": each.created_at,
        "lastSeenAtMs": each.last_seen_at,
    }
