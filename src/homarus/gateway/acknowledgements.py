"""A reaction on every message that was taken in, so that its sender sees at once that it arrived."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
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
        self._shown: dict[Address, dict[str, asyncio.Task[None]]] = {}

    def show(self, channel: Channel, message: InboundMessage, how: Acknowledging) -> None:
        """React to a message that was committed."""
        shown = self._shown.get(message.address, {})
        is_full = len(shown) >= MAX_PER_CHAT or (not shown and len(self._shown) >= MAX_OPEN)
        if len(self._tasks) >= MAX_OPEN or (how.is_removed and is_full):
            return
        placed = self._begin(_react(channel, message.address, message.external_id, how.emoji))
        if how.is_removed:
            self._shown[message.address] = {**shown, message.external_id: placed}

    def remove(self, channel: Channel, address: Address) -> None:
        """Take the reactions off the messages of a chat: its run has ended."""
        for message_id, placed in self._shown.pop(address, {}).items():
            self._begin(_react(channel, address, message_id, None, after=placed))

    async def close(self) -> None:
        """End what is on its way."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name="reaction")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _react(
    channel: Channel, address: Address, message_id: str, emoji: str | None, after: asyncio.Task[None] | None = None
) -> None:
    """Put a reaction on, or take it off `after` it was put on: an answer can be done before its platform is."""
    if after is not None:
        await asyncio.wait((after,))
    try:
        async with asyncio.timeout(TIMEOUT):
            await cast("ReactingChannel", channel).react(address, message_id, emoji)
    except (HomarusError, TimeoutError) as error:
        log.info("no reaction on %s in %s: %s", message_id, address, str(error) or type(error).__name__)
