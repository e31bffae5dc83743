"""`send`: a message out through a channel, without a model (reference 02)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.media_input import read_media
from homarus.gateway.operations.registry import Post, operation
from homarus.gateway.operations.target import runnable_key
from homarus.gateway.services import ChannelAccount
from homarus.ids import Address
from homarus.labels import OPERATOR
from homarus.manner import ORDINARY, Manner
from homarus.pipeline.accounts import WEBCHAT
from homarus.pipeline.attachments import Attached
from homarus.protocol.errors import invalid, unavailable
from homarus.protocol.scopes import Scope
from homarus.protocol.send import SendParams, SendResult
from homarus.sessions.keys import SessionKey
from homarus.storage.records import Entry

WAIT: Final = 30.0
"""Seconds the call waits for the platform; what takes longer goes on by itself."""
MIRROR_MODEL: Final = "delivery-mirror"


@operation("send", scope=Scope.WRITE, rest=Post("/api/send"))
async def send(call: Call, params: SendParams) -> SendResult:
    """Send a text and files through a channel as they are; the same idempotency key again sends nothing.

    `state` is `sent`, or `queued` when the platform has not taken it within 30 s: it then goes out by itself.
    """
    return await deliver(call, params)


async def deliver(call: Call, params: SendParams, manner: Manner = ORDINARY) -> SendResult:
    """Send a message as `send` does. Raises ProtocolError for what cannot be sent and what was refused."""
    text = _text(params)
    address = find_address(call, params.channel, params.account_id, params.to, params.thread_id)
    key = runnable_key(call, params.session_key) if params.session_key else None
    files = await read_media(call, params, address)
    mirror = await _mirror(call, key, text, files) if key is not None else None
    found = await call.services.sender.send(
        params.idempotency_key,
        address,
        text,
        mirror,
        within=WAIT,
        files=files,
        reply_to=params.reply_to_id,
        manner=manner,
    )
    if key is not None:
        call.core.session_feed.changed(key, "send")
    if found.state == "dead":
        details: dict[str, object] = {"state": "dead", "runId": params.idempotency_key, "channel": address.channel}
        raise unavailable(f"{address.channel} did not take the message: {found.detail or 'no reason given'}", details)
    answer: SendResult = {
        "runId": params.idempotency_key,
        "messageId": found.message_id,
        "channel": address.channel,
        "chatId": address.chat,
        "state": found.state,
    }
    if found.detail is not None:
        answer["detail"] = found.detail
    return answer


def _text(params: SendParams) -> str:
    text = (params.message or "").strip()
    if not text and not params.media_url and not params.media_urls and not params.buffer:
        raise invalid("message required")
    return text


def find_address(call: Call, channel: str | None, account_id: str | None, to: str, thread: str | None) -> Address:
    """Return a chat as an operator names it. Raises ProtocolError for a channel, account or chat that cannot be."""
    account = _account(call, channel, account_id)
    chat = to.strip().removeprefix(f"{account.channel}:").strip()
    for name, value in (("to", chat), ("threadId", thread)):
        if value is not None and (not value.strip() or not value.isprintable()):
            raise invalid(f"{name} must be a chat of {account.channel}, without line breaks and control characters")
    return Address(account.channel, account.account, chat, thread)


def _account(call: Call, named: str | None, account_id: str | None) -> ChannelAccount:
    """Return the account that sends: as named, else the channel's default or first one."""
    channel = (named or "").strip().lower()
    if channel == WEBCHAT:
        raise invalid("unsupported channel: webchat (internal-only). Use `chat.send` for WebChat.")
    accounts = [each for each in call.services.channels.accounts() if each.channel != WEBCHAT]
    channels = tuple(dict.fromkeys(each.channel for each in accounts))
    channel = channel or (channels[0] if len(channels) == 1 else "")
    if not channel:
        listed = f"configured: {', '.join(channels)}" if channels else "none is configured"
        raise invalid(f"channel is required ({listed})")
    mine = [each for each in accounts if each.channel == channel]
    if not mine:
        raise invalid(f"unsupported channel: {channel[:64]} (configured: {', '.join(channels) or 'none'})")
    wanted = account_id or ("default" if any(each.account == "default" for each in mine) else mine[0].account)
    found = next((each for each in mine if each.account == wanted), None)
    if found is None:
        raise invalid(f"unknown account {wanted[:64]!r} of {channel}: {', '.join(each.account for each in mine)}")
    return found


async def _mirror(call: Call, key: SessionKey, text: str, files: Sequence[Attached]) -> Entry:
    """Return the transcript entry that tells the session what was said in its name."""
    session = await call.services.sessions.ensure(key)
    payload: dict[str, object] = {
        "text": text,
        "thinking": "",
        "tool_calls": [],
        "provider": "homarus",
        "model": MIRROR_MODEL,
        "stop_reason": "stop",
        "injected": True,
    }
    if files:
        payload["files"] = [item.file.as_json() for item in files]
    clock = call.services.clock
    return Entry(0, clock.uuid(), session.session_id, None, "assistant", payload, OPERATOR, 0, clock.now_ms())
