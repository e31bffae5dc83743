"""Identifiers and addresses as types, so that mixing two of them up does not type-check."""

from __future__ import annotations

from typing import NewType

from msgspec import Struct

AgentId = NewType("AgentId", str)
RunId = NewType("RunId", str)
MessageId = NewType("MessageId", str)


class Address(Struct, frozen=True):
    """Where a reply goes: carried by the turn from its inbound message, never looked up.

    `account` is the bot account on the channel (`default` when there is one), `chat` the platform's chat id
    (a nick, a channel name, a chat number), `thread` a topic or thread id inside it.
    """

    channel: str
    account: str
    chat: str
    thread: str | None = None

    def __str__(self) -> str:
        """Return `channel/account/chat[/thread]`, for logs and tables only."""
        parts = [self.channel, self.account, self.chat]
        return "/".join(parts if self.thread is None else [*parts, self.thread])
