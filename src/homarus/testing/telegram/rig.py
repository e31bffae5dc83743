"""The Telegram channel beside the in-process Bot API server, for the conformance suite."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Self

from homarus.channels import registry
from homarus.channels.contract import Channel, Manifest
from homarus.clock import SystemClock
from homarus.ids import Address
from homarus.testing.ingress import MemoryIngress
from homarus.testing.telegram.faults import Fault, FaultKind
from homarus.testing.telegram.people import INES, People
from homarus.testing.telegram.server import TelegramServer


class TelegramRig:
    """A bot by long poll, and Ines, who has opened a chat with it."""

    def __init__(self) -> None:
        self.server = TelegramServer()
        self.people = People(self.server)
        self.ingress = MemoryIngress()
        self._channel: Channel | None = None

    @property
    def manifest(self) -> Manifest:
        """Return the Telegram manifest."""
        return registry.manifests()["telegram"]

    @property
    def channel(self) -> Channel:
        """Return the channel, made on first use."""
        if self._channel is None:
            module = registry.load("telegram")
            keys = {"apiRoot": self.server.root, "botToken": self.server.bot.token}
            self._channel = module.create(module.config_model.model_validate(keys), "default", SystemClock())
        return self._channel

    @property
    def address(self) -> Address:
        """Return the private chat with Ines."""
        return Address("telegram", "default", str(INES.id))

    @property
    def connections(self) -> int:
        """Return how often the channel has logged in."""
        return self.server.calls.count("getMe")

    async def __aenter__(self) -> Self:
        """Start the server and open the chat."""
        await self.server.__aenter__()
        self.people.private(INES)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        if self._channel is not None:
            await self._channel.close()
        await self.server.__aexit__(kind, error, trace)

    async def connected(self) -> None:
        """Wait for the first long poll of this connection."""
        await self.server.called("getUpdates", self.server.calls.count("getUpdates") + 1)

    async def write(self, text: str) -> None:
        """Send a direct message to the bot."""
        self.people.say(INES, text)

    async def read(self) -> str:
        """Return the next message Ines gets."""
        return (await self.server.next_sent()).text

    def messages_taken(self) -> list[str]:
        """Return the texts of the bot as they stand in its calls: JSON, without the quotes."""
        return [json.dumps(sent.raw)[1:-1] for sent in self.server.sent]

    def refuse_credentials(self) -> None:
        """Revoke the token."""
        self.server.bot.is_revoked = True

    def cut(self) -> None:
        """Cut every connection, and the next poll if none is waiting."""
        if self.server.bot.poll is None:
            self.server.faults.add("getUpdates", Fault(FaultKind.CUT))
        self.server.cut()

    def cut_when_sent(self) -> None:
        """Cut when a message arrives."""
        self.server.faults.add("sendMessage", Fault(FaultKind.LOSE))

    def forget_person(self) -> None:
        """Close the chat with Ines."""
        self.server.chats.pop(INES.id)
