"""Strangers on chat channels, for pages of version 4: who waits, letting them in, sending them away."""

from __future__ import annotations

from datetime import UTC, datetime

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.gateway.services import PairingRequest
from homarus.pipeline.pairing import LIFETIME_MS, MAX_PENDING
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.page_lists import (
    ChannelPairingAnswerParams,
    ChannelPairingApproveParams,
    ChannelPairingListParams,
)
from homarus.protocol.scopes import Scope


@operation("channels.pairing.list", scope=Scope.PAIRING)
async def list_pairing(call: Call, params: ChannelPairingListParams) -> JsonObject:
    """List the accounts strangers can write to and those who wait; a request is named by its code."""
    names = {each.channel: each.name for each in call.services.channels.accounts()}
    found = await call.services.pairing.list(params.channel)
    return {
        "accounts": [
            {"channel": each.channel, "channelLabel": each.name, "accountId": each.account, "notifySupported": True}
            for each in call.services.channels.accounts()
            if params.channel in (None, each.channel) and params.account_id in (None, each.account)
        ],
        "requests": [
            _request(each, names.get(each.channel, each.channel))
            for each in found
            if params.account_id in (None, each.account)
        ],
        "commandOwnerConfigured": True,
        "limits": {"pendingPerAccount": MAX_PENDING, "ttlMs": LIFETIME_MS},
    }


@operation("channels.pairing.approve", scope=Scope.PAIRING)
async def approve_pairing(call: Call, params: ChannelPairingApproveParams) -> JsonObject:
    """Let a stranger in; their next message is read."""
    await _find(call, params)
    request = await call.services.pairing.approve(params.channel, params.request_id, tells=bool(params.notify))
    if request is None:
        raise _unknown(params)
    done = {"requestId": params.request_id, "senderId": request.sender_id}
    # It is in the outbox, from where it goes out whatever happens now.
    notification = "sent" if params.notify else "not-requested"
    return {**done, "notification": notification, "commandOwnerBootstrap": "not-requested"}


@operation("channels.pairing.dismiss", scope=Scope.PAIRING)
async def dismiss_pairing(call: Call, params: ChannelPairingAnswerParams) -> JsonObject:
    """Drop a request; the stranger gets a new code when they write again."""
    request = await _find(call, params)
    if not await call.services.pairing.dismiss(params.channel, params.request_id):
        raise _unknown(params)
    return {"requestId": params.request_id, "senderId": request.sender_id}


async def _find(call: Call, params: ChannelPairingAnswerParams) -> PairingRequest:
    """Return a request of the account that was named. Raises ProtocolError."""
    for request in await call.services.pairing.list(params.channel):
        if (request.account, request.code) == (params.account_id, params.request_id):
            return request
    raise _unknown(params)


def _unknown(params: ChannelPairingAnswerParams) -> Exception:
    return invalid(f"no open pairing request on {params.channel} has this id")


def _request(request: PairingRequest, label: str) -> JsonObject:
    return {
        "requestId": request.code,
        "channel": request.channel,
        "channelLabel": label,
        "accountId": request.account,
        "senderId": request.sender_id,
        "senderLabel": request.sender_name or request.sender_id,
        "createdAt": _iso(request.created_at),
        "lastSeenAt": _iso(request.last_seen_at),
        "expiresAt": _iso(request.created_at + LIFETIME_MS),
        "notifySupported": True,
    }


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
