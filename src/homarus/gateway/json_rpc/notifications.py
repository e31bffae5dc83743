"""Events as notifications: each by its own name, three of them by the names JSON-RPC clients know."""

from __future__ import annotations

from typing import Final, cast

from homarus.gateway.json_rpc.messages import notification
from homarus.gateway.outbox import ClientOutbox
from homarus.protocol.events import PRESENCE, SESSION_MESSAGE, SESSIONS_CHANGED, TICK
from homarus.protocol.frames import JsonObject, as_object, decode, encode

PRESENCE_UPDATE: Final = "presence.update"
SESSION_NEW: Final = "session.new"
CHANNEL_MESSAGE: Final = "channel.message"
NOTIFICATIONS: Final = (PRESENCE_UPDATE, SESSION_NEW, CHANNEL_MESSAGE)
_BEGINNINGS: Final = ("create", "new")
"""Reasons of `sessions.changed` after which there is a session that was not there."""
_WEBCHAT: Final = "webchat"


class RpcOutbox(ClientOutbox):
    """Frames for a JSON-RPC client: what the hub hands over as an event goes out as notifications."""

    def put_numbered(self, event: bytes) -> None:
        """Queue an event, given without its closing brace."""
        if event.startswith(b'{"type":"event","event":"%b"' % TICK.encode()):
            return
        frame = as_object(decode(event + b"}")) or {}
        for text in notifications_of(str(frame["event"]), as_object(frame.get("payload")) or {}):
            self.put(text.encode("utf-8", "backslashreplace"))


def notifications_of(event: str, payload: JsonObject) -> list[str]:
    """Return what an event is told as."""
    if event == PRESENCE:
        return [notification(PRESENCE_UPDATE, encode(payload))]
    told = [notification(event, encode(payload))]
    if event == SESSIONS_CHANGED and payload.get("reason") in _BEGINNINGS:
        told.append(notification(SESSION_NEW, encode(_new_session(payload))))
    if event == SESSION_MESSAGE and (message := _channel_message(payload)) is not None:
        told.append(notification(CHANNEL_MESSAGE, encode(message)))
    return told


def _new_session(payload: JsonObject) -> JsonObject:
    names = ("agentId", "channel", "label", "updatedAt")
    known = {name: payload[name] for name in names if name in payload}
    return {"sessionId": payload.get("sessionKey"), "transcriptId": payload.get("sessionId"), **known}


def _channel_message(payload: JsonObject) -> JsonObject | None:
    """Return a message somebody wrote on a channel, None for every other message."""
    message = as_object(payload.get("message")) or {}
    channel = payload.get("lastChannel") or _WEBCHAT
    if message.get("role") != "user" or channel == _WEBCHAT:
        return None
    return {
        "channel": channel,
        "accountId": payload.get("lastAccountId"),
        "chatId": payload.get("lastTo"),
        "sessionId": payload.get("sessionKey"),
        "messageId": payload.get("messageId"),
        "text": _text(message.get("content")),
    }


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = cast("list[object]", content) if isinstance(content, list) else []
    return "".join(str((as_object(part) or {}).get("text") or "") for part in parts)
