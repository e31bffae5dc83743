"""`message.action`: what the command line of version 4 sends instead of `send`, and what is done to sent messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.poll import ask
from homarus.gateway.operations.registry import Post, operation
from homarus.gateway.operations.send import deliver, find_address
from homarus.gateway.sent_messages import POLL, SEND, STICKER, SentMessages
from homarus.manner import Button, Manner
from homarus.pipeline.accounts import WEBCHAT
from homarus.protocol.errors import invalid, unavailable
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.protocol.send import (
    ActionParams,
    MessageActionParams,
    PollActionParams,
    PollParams,
    SendParams,
    StickerParams,
    TopicParams,
    TouchParams,
)
from homarus.protocol.validation import parse_params


@operation("message.action", scope=Scope.WRITE, rest=Post("/api/messages/action"))
async def act(call: Call, params: MessageActionParams) -> JsonObject:
    """Do something with a message of a channel: `send` one, a `poll` or a `sticker`, or `react` to one, `edit` or
    `delete` one; or open a topic (`topic-create`) or name it (`topic-edit`).

    Which of them a channel can do is in the answer to one it cannot. `params` are those of the action: `to`, `message`,
    `media`, `buttons`, `silent` and `replyTo` to send; `pollQuestion` and `pollOption`; `fileId`; `name`, `threadId`;
    and `to`, `messageId` with `emoji`, `remove` or `message` for the others.
    """
    action = params.action.strip().lower()
    channel = params.channel.strip().lower()
    if channel != WEBCHAT and all(each.channel != channel for each in call.services.channels.accounts()):
        fix = f"add channels.{channel[:64]} to the configuration"
        raise unavailable(f"Error: the channel {channel[:64]} is not configured; {fix}")
    messages = _messages(call, params, channel)
    if action not in messages.actions:
        supported = ", ".join(messages.actions)
        raise unavailable(f"Error: {channel} has no action {action[:64]!r}; supported: {supported}")
    if action in _OTHERS:
        return await _OTHERS[action](call, params, channel)
    given = parse_params(TouchParams, "message.action", params.params)
    head: JsonObject = {"action": action, "channel": channel, "to": _recipient(given), "messageId": given.message_id}
    if given.dry_run:
        return {"ok": True, "dryRun": True, **head}
    return {"ok": True, **head, **await _ACTIONS[action](messages, given)}


def _messages(call: Call, params: MessageActionParams, channel: str) -> SentMessages:
    given = parse_params(ActionParams, "message.action", params.params)
    account = given.account_id or params.account_id
    address = find_address(call, channel, account, _recipient(given), given.thread_id or None)
    return SentMessages(call.services.channels, address)


async def _send(call: Call, params: MessageActionParams, channel: str) -> JsonObject:
    given = parse_params(ActionParams, "message.action", params.params)
    if given.dry_run:
        return {"ok": True, "dryRun": True, "action": SEND, "channel": channel, "to": _recipient(given)}
    sent = await deliver(call, _message(params, given, channel), _manner(call, params, given, channel))
    return {"ok": True, "action": SEND, "to": _recipient(given), **sent}


def _manner(call: Call, params: MessageActionParams, given: ActionParams, channel: str) -> Manner:
    """Return how a message goes. Raises ProtocolError for buttons on a channel that has none."""
    rows = tuple(tuple(Button(each.text, each.callback_data, each.url) for each in row) for row in given.buttons or [])
    if rows and not _messages(call, params, channel).has_buttons:
        raise unavailable(f"Error: {channel} has no buttons")
    if rows and not (given.message or "").strip():
        raise invalid("invalid message.action params: at /params/message: buttons need a text above them")
    return Manner(is_quiet=bool(given.silent), buttons=rows)


async def _poll(call: Call, params: MessageActionParams, channel: str) -> JsonObject:
    given = parse_params(PollActionParams, "message.action", params.params)
    if given.dry_run:
        return {"ok": True, "dryRun": True, "action": POLL, "channel": channel, "to": _recipient(given)}
    wanted = {
        "to": _recipient(given),
        "question": given.poll_question,
        "options": given.poll_option,
        "max_selections": len(given.poll_option) if given.poll_multi else None,
        "duration_seconds": given.poll_duration_seconds,
        "duration_hours": given.poll_duration_hours,
        "silent": given.silent,
        "is_anonymous": given.poll_anonymous is not False and not given.poll_public,
        "thread_id": given.thread_id or None,
        "channel": channel,
        "account_id": given.account_id or params.account_id or None,
        "idempotency_key": params.idempotency_key,
    }
    sent = await ask(call, PollParams.model_validate(wanted, by_name=True))
    return {"ok": True, "action": POLL, "to": _recipient(given), **sent}


async def _sticker(call: Call, params: MessageActionParams, channel: str) -> JsonObject:
    given = parse_params(StickerParams, "message.action", params.params)
    message = _message(params, given, channel).model_copy(update={"message": "[sticker]"})
    sent = await deliver(call, message, Manner(is_quiet=bool(given.silent), sticker=given.file_id))
    return {"ok": True, "action": STICKER, "to": _recipient(given), **sent}


async def _create_topic(call: Call, params: MessageActionParams, channel: str) -> JsonObject:
    given = parse_params(TopicParams, "message.action", params.params)
    thread = await _messages(call, params, channel).create_topic(given.name)
    return {"ok": True, "action": params.action, "channel": channel, "to": _recipient(given), "threadId": thread}


async def _edit_topic(call: Call, params: MessageActionParams, channel: str) -> JsonObject:
    given = parse_params(TopicParams, "message.action", params.params)
    if not given.thread_id:
        raise invalid("invalid message.action params: at /params/threadId: must not be empty")
    await _messages(call, params, channel).rename_topic(given.name)
    return {"ok": True, "action": params.action, "channel": channel, "to": _recipient(given), "name": given.name}


async def _react(messages: SentMessages, given: TouchParams) -> JsonObject:
    emoji = (given.emoji or "").strip()
    if given.remove or given.emoji == "":
        await messages.react(given.message_id, None)
        return {"removed": True}
    if not emoji:
        raise invalid("invalid message.action params: at /params/emoji: must not be empty, unless remove is true")
    await messages.react(given.message_id, emoji)
    return {"added": emoji}


async def _edit(messages: SentMessages, given: TouchParams) -> JsonObject:
    if not (given.message or "").strip():
        raise invalid("invalid message.action params: at /params/message: must not be empty")
    await messages.edit(given.message_id, given.message or "")
    return {"chatId": messages.address.chat}


async def _delete(messages: SentMessages, given: TouchParams) -> JsonObject:
    await messages.delete(given.message_id)
    return {"deleted": True}


_ACTIONS: Final[Mapping[str, Callable[[SentMessages, TouchParams], Awaitable[JsonObject]]]] = MappingProxyType(
    {"react": _react, "edit": _edit, "delete": _delete}
)


_OTHERS: Final[Mapping[str, Callable[[Call, MessageActionParams, str], Awaitable[JsonObject]]]] = MappingProxyType(
    {SEND: _send, POLL: _poll, STICKER: _sticker, "topic-create": _create_topic, "topic-edit": _edit_topic}
)


def _message(params: MessageActionParams, given: ActionParams, channel: str) -> SendParams:
    message = {
        "to": _recipient(given),
        "message": given.message,
        "media_url": given.media or given.media_url,
        "buffer": given.buffer,
        "filename": given.filename,
        "content_type": given.content_type,
        "reply_to_id": given.reply_to,
        "channel": channel,
        "account_id": given.account_id or params.account_id or None,
        "agent_id": params.agent_id,
        "thread_id": given.thread_id or None,
        "session_key": params.session_key or None,
        "idempotency_key": params.idempotency_key,
    }
    return SendParams.model_validate(message, by_name=True)


def _recipient(given: ActionParams) -> str:
    found = (given.to or given.target or "").strip()
    if not found:
        raise invalid("invalid message.action params: at /params/target: must not be empty")
    return found
