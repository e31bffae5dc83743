"""A reaction on every message that was taken in, so that its sender sees at once that it arrived."""

from __future__ import annotations

import asyncio
import logging
from typing import Literal, cast

from msgspec import Struct

from homarus.channels.chat_rules import group_rules
from homarus.channels.contract import Channel, ReactingChannel
from homarus.errors import HomarusError
from homarus.ids import Address
from homarus.pipeline.accounts import Account
from homarus.storage.records import InboundMessage

log = logging.getLogger("homarus.channels")
AckScope = Literal["group-mentions", "group-all", "direct", "all", "off", "none"]
TIMEOUT = 10.0
MAX_OPEN = 100
"""Calls on their way, and chats with reactions that are to be taken off; more messages get no reaction."""
MAX_PER_CHAT = 20


class Acknowledging(Struct, frozen=True):
    """Which messages of an account get which emoji, and whether it goes away when their run has ended."""

    emoji: str
    scope: AckScope
    is_removed: bool

    def covers(self, message: InboundMessage, account: Account) -> bool:
        """Tell whether a message gets the reaction. `group-mentions` means groups where only mentions are answered."""
        if self.scope == "all":
            return True
        if message.kind == "direct" or self.scope == "direct":
            return message.kind == self.scope
        if self.scope != "group-mentions":
            return self.scope == "group-all"
        return group_rules(account.rules.policy, message.address.chat, message.address.thread).requires_mention


class Acknowledgements:
    """Puts the reactions on and takes them off. Best effort: a reaction that fails is left out."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._shown: dict[Address, list[str]] = {}

    def show(self, channel: Channel, message: InboundMessage, how: Acknowledging) -> None:
        """React to a message that was committed."""
        if len(self._tasks) >= MAX_OPEN:
            return
        if how.is_removed and (message.address in self._shown or len(self._shown) < MAX_OPEN):
            shown = self._shown.setdefault(message.address, [])
            if len(shown) >= MAX_PER_CHAT:
                return
            shown.append(message.external_id)
        self._react(channel, message.address, message.external_id, how.emoji)

    def remove(self, channel: Channel, address: Address) -> None:
        """Take the reactions off the messages of a chat: its run has ended."""
        for message_id in self._shown.pop(address, ()):
            self._react(channel, address, message_id, None)

    async def close(self) -> None:
        """End what is on its way."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _react(self, channel: Channel, address: Address, message_id: str, emoji: str | None) -> None:
        work = _react(cast("ReactingChannel", channel), address, message_id, emoji)
        task = asyncio.get_running_loop().create_task(work, name=f"reaction {address}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _react(channel: ReactingChannel, address: Address, message_id: str, emoji: str | None) -> None:
    try:
        async with asyncio.timeout(TIMEOUT):
            await channel.react(address, message_id, emoji)
    except (HomarusError, TimeoutError) as error:
        log.info("no reaction on %s in %s: %s", message_id, address, str(error) or type(error).__name__)
