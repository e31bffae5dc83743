"""What the conformance suite needs from a channel and its fake platform."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from homarus.channels.contract import Channel, Manifest
from homarus.ids import Address
from homarus.testing.ingress import MemoryIngress


class ChannelRig(Protocol):
    """One channel beside its fake platform. Entering starts the platform; the suite runs the channel itself."""

    @property
    def manifest(self) -> Manifest:
        """Return the channel's manifest."""
        ...

    @property
    def channel(self) -> Channel:
        """Return the channel under test."""
        ...

    @property
    def ingress(self) -> MemoryIngress:
        """Return the journal the channel hands in to."""
        ...

    @property
    def address(self) -> Address:
        """Return a direct chat that takes messages."""
        ...

    @property
    def connections(self) -> int:
        """Return how often the channel has connected."""
        ...

    async def __aenter__(self) -> Self:
        """Start the platform."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the platform."""
        ...

    async def connected(self) -> None:
        """Wait until the channel can send and receive."""
        ...

    async def write(self, text: str) -> None:
        """Let a person write a direct message to the bot."""
        ...

    async def read(self) -> str:
        """Return the text of the next message that the platform took from the bot."""
        ...

    def messages_taken(self) -> list[str]:
        """Return the texts of all messages that the platform has taken from the bot, raw."""
        ...

    def refuse_credentials(self) -> None:
        """Make the platform refuse the next login."""
        ...

    def cut(self) -> None:
        """Cut the connection without a word."""
        ...

    def cut_when_sent(self) -> None:
        """Cut the connection when the next message of the bot arrives, before it is confirmed."""
        ...

    def forget_person(self) -> None:
        """Make `address` stop existing."""
        ...
