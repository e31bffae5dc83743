"""Names for new topics of direct chats: a few words of the agent's model about the first message (`autoTopicLabel`)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, cast

from homarus.channels.contract import ChatKind
from homarus.errors import HomarusError, Permanent

if TYPE_CHECKING:
    from collections.abc import Callable

    from homarus.channels.contract import TopicChannel
    from homarus.clock import Clock
    from homarus.gateway.channel_host import Hosted
    from homarus.ids import Address, AgentId
    from homarus.models.contract import Model
    from homarus.storage.database import Connection, Database
    from homarus.storage.records import InboundMessage

log = logging.getLogger("homarus.gateway.topics")

MAX_WAITING: Final = 32
"""Topics that wait for a name; further ones are named with their next message."""
NEW: Final = 3
"""Messages with which a topic is new: what kept it from getting a name may be over at the second or third."""
LOOK_BACK: Final = 2_000
"""Messages of all chats among which those of the topic are counted."""
WITHIN: Final = 60.0
"""Seconds the model and the platform may take."""
NAMED: Final = "topic-names"


class TopicLabels:
    """Hears of every message that will be answered; `run` belongs to a supervisor. No answer waits for it."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        find: Callable[[Address], Hosted | None],
        model: Callable[[AgentId], Model],
    ) -> None:
        self._database = database
        self._clock = clock
        self._find = find
        self._model = model
        self._waiting: asyncio.Queue[tuple[InboundMessage, str]] = asyncio.Queue(MAX_WAITING)

    def notice(self, message: InboundMessage) -> None:
        """Note a message in a topic of a direct chat whose rules want names."""
        if message.address.thread is None or message.kind != ChatKind.DIRECT or not message.text.strip():
            return
        hosted = self._find(message.address)
        if hosted is None or not hasattr(hosted.channel, "rename_topic"):
            return
        prompt = hosted.account.rules.chat(ChatKind.DIRECT, message.address).topic_label
        if prompt is not None and not self._waiting.full():
            self._waiting.put_nowait((message, prompt))

    async def run(self) -> None:
        """Name what waits, one after the other."""
        while True:
            message, prompt = await self._waiting.get()
            try:
                async with asyncio.timeout(WITHIN):
                    await self._name(message, prompt)
            except (HomarusError, TimeoutError) as error:
                log.warning("the topic %s got no name: %s", message.address, error or "it took too long")

    async def _name(self, message: InboundMessage, prompt: str) -> None:
        hosted = self._find(message.address)
        if hosted is None or not await self._database.read(_is_new, message):
            return
        from homarus.gateway.topic_naming import ask_for_name  # noqa: PLC0415 - with the first topic that gets a name

        model = self._model(cast("AgentId", message.agent_id))
        name = await ask_for_name(self._database, self._clock, model, message, prompt)
        try:
            await cast("TopicChannel", hosted.channel).rename_topic(message.address, name)
        except Permanent as error:
            log.warning("the topic %s cannot be named: %s", message.address, error.message)
        await self._database.write(_note, message.address, name, self._clock.now_ms())


def _key(address: Address) -> str:
    return f"{address.channel}/{address.account}/{address.chat}/{address.thread}"


def _is_new(connection: Connection, message: InboundMessage) -> bool:
    """Tell whether a topic has no name of ours and few messages."""
    from homarus.storage import inbound, kv  # noqa: PLC0415 - with the first topic that gets a name

    if kv.get_value(connection, NAMED, _key(message.address)) is not None:
        return False
    earlier = inbound.select_earlier(connection, message, LOOK_BACK)
    return sum(1 for each in earlier if each.state != "dropped") < NEW


def _note(connection: Connection, address: Address, name: str, now: int) -> None:
    from homarus.storage import kv  # noqa: PLC0415 - with the first topic that gets a name

    kv.put_value(connection, NAMED, _key(address), name, now)
