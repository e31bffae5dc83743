"""`message.action`: what the command line of version 4 sends instead of `send`."""

from __future__ import annotations

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Post, operation
from homarus.gateway.operations.send import deliver
from homarus.pipeline.accounts import WEBCHAT
from homarus.protocol.errors import invalid, unavailable
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.protocol.send import MessageActionParams, SendActionParams, SendParams
from homarus.protocol.validation import parse_params


@operation("message.action", scope=Scope.WRITE, rest=Post("/api/messages/action"))
async def act(call: Call, params: MessageActionParams) -> JsonObject:
    """Do something with a message of a channel; the action `send` sends one."""
    if params.action.strip().lower() != "send":
        raise unavailable(f"Error: the action {params.action[:64]} is not supported here; supported: send")
    channel = params.channel.strip().lower()
    if channel != WEBCHAT and all(each.channel != channel for each in call.services.channels.accounts()):
        fix = f"add channels.{channel[:64]} to the configuration"
        raise unavailable(f"Error: the channel {channel[:64]} is not configured; {fix}")
    given = parse_params(SendActionParams, "message.action", params.params)
    if given.dry_run:
        return {"ok": True, "dryRun": True, "action": "send", "channel": channel, "to": _recipient(given)}
    sent = await deliver(call, _message(params, given, channel))
    return {"ok": True, "action": "send", "to": _recipient(given), **sent}


def _message(params: MessageActionParams, given: SendActionParams, channel: str) -> SendParams:
    message = {
        "to": _recipient(given),
        "message": given.message,
        "media_url": given.media or given.media_url,
        "channel": channel,
        "account_id": given.account_id or params.account_id or None,
        "agent_id": params.agent_id,
        "thread_id": given.thread_id or None,
        "session_key": params.session_key or None,
        "idempotency_key": params.idempotency_key,
    }
    return SendParams.model_validate(message, by_name=True)


def _recipient(given: SendActionParams) -> str:
    found = (given.to or given.target or "").strip()
    if not found:
        raise invalid("invalid message.action params: at /params/target: must not be empty")
    return found
