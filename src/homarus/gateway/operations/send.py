"""`send`: a text to somebody on a channel, as it is."""

from __future__ import annotations

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Post, operation
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.gateway_admin import SendParams
from homarus.protocol.scopes import Scope


@operation("send", scope=Scope.WRITE, rest=Post("/api/send"))
async def send(call: Call, params: SendParams) -> JsonObject:
    """Send a text as it is; no model is asked. Media cannot be sent yet."""
    sender, text = call.services.sender, (params.message or "").strip()
    if not text or params.media_url or params.media_urls:
        raise invalid("invalid send params: message is required; media cannot be sent yet")
    if not params.channel:
        raise invalid("invalid send params: channel is required")
    if sender is None:
        raise invalid("this gateway sends nothing")
    key, thread = params.idempotency_key, params.thread_id
    sent = await sender.send(params.channel, params.account_id, params.to, thread, text, key)
    chat = sent.address.chat
    return {"runId": key, "messageId": sent.message_id or "", "channel": params.channel, "chatId": chat}
