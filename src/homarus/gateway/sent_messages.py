"""What an operator does to messages of a chat: reacting, editing, deleting, as far as its channel can."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final, cast

from homarus.channels.contract import Ambiguous, OutboundPart
from homarus.channels.sdk.parts import parts_of
from homarus.errors import Transient, UserError

if TYPE_CHECKING:
    from homarus.channels.contract import EditingChannel, ReactingChannel, TopicChannel
    from homarus.gateway.services import ChannelDirectory, HostedChannel
    from homarus.ids import Address

WITHIN: Final = 30.0
"""Seconds a platform may take."""
SEND: Final = "send"
POLL: Final = "poll"
STICKER: Final = "sticker"
_SWITCHES: Final = {
    SEND: "send_message",
    POLL: "poll",
    STICKER: "sticker",
    "react": "reactions",
    "edit": "edit_message",
    "delete": "delete_message",
    "topic-create": "create_forum_topic",
    "topic-edit": "edit_forum_topic",
}
"""Keys below `actions` of a channel that switch an action off."""


class SentMessages:
    """The messages of one chat; `actions` are what can be done to them."""

    def __init__(self, channels: ChannelDirectory, address: Address) -> None:
        self.address = address
        self._found = channels.find(address)
        self.has_buttons = self._found is not None and self._found.capabilities.has_buttons
        self.actions: tuple[str, ...] = (SEND,) if self._found is None else _actions_of(self._found)

    async def react(self, message_id: str, emoji: str | None) -> None:
        """Put our one emoji on a message, None to take it off. Raises Permanent, Transient, AuthFailed."""
        channel = cast("ReactingChannel", self._channel("react"))
        await _within(channel.react(self.address, message_id, emoji))

    async def edit(self, message_id: str, text: str) -> None:
        """Give a message of ours another text, in Markdown. Raises UserError, Permanent, Transient, AuthFailed."""
        channel = cast("EditingChannel", self._channel("edit"))
        found = cast("HostedChannel", self._found)
        parts = parts_of(text, found.capabilities)
        if len(parts) != 1:
            most = f"{found.capabilities.max_text} {found.capabilities.text_unit}"
            raise UserError("the text does not fit into one message", fix=f"shorten it to {most}")
        await _within(channel.edit(OutboundPart(f"edit:{message_id}", self.address, parts[0]), message_id))

    async def delete(self, message_id: str) -> None:
        """Remove a message; one that is gone already is a success. Raises Permanent, Transient, AuthFailed."""
        channel = cast("EditingChannel", self._channel("delete"))
        await _within(channel.delete(self.address, message_id))

    async def create_topic(self, name: str) -> str:
        """Open a topic and return its thread id. Raises UserError, Permanent, Transient, AuthFailed."""
        channel = cast("TopicChannel", self._channel("topic-create"))
        try:
            async with asyncio.timeout(WITHIN):
                return await channel.create_topic(self.address, name)
        except (Ambiguous, TimeoutError) as error:
            raise UserError(
                "the platform did not say whether the topic was opened", fix="look, and try again"
            ) from error

    async def rename_topic(self, name: str) -> None:
        """Name the topic of the address. Raises UserError, Permanent, Transient, AuthFailed."""
        channel = cast("TopicChannel", self._channel("topic-edit"))
        await _within(channel.rename_topic(self.address, name))

    def _channel(self, action: str) -> object:
        if self._found is None or action not in self.actions:
            raise UserError(f"{self.address.channel} cannot {action} messages")
        return self._found.channel


def _actions_of(found: HostedChannel) -> tuple[str, ...]:
    can = found.capabilities
    has_topics = hasattr(found.channel, "create_topic")
    able = {
        SEND: True,
        POLL: can.has_polls,
        STICKER: can.has_stickers,
        "react": can.can_react,
        "edit": can.can_edit,
        "delete": can.can_edit,
        "topic-create": has_topics,
        "topic-edit": has_topics,
    }
    switches = getattr(found.settings, "actions", None)
    return tuple(each for each in able if able[each] and getattr(switches, _SWITCHES[each], None) is not False)


async def _within(work: Awaitable[object]) -> None:
    try:
        async with asyncio.timeout(WITHIN):
            await work
    except TimeoutError as error:
        raise Transient(f"the platform did not answer within {WITHIN:g} s") from error
