"""What the scheduler needs from the rooms around it, given at composition."""

from __future__ import annotations

from typing import Literal, Protocol

from msgspec import Struct

from homarus.ids import Address
from homarus.storage.records import OutboundMessage

DeliveryStatus = Literal["delivered", "not-delivered", "unknown", "not-requested"]
CronEvent = dict[str, object]
"""`{jobId, action, …}` as clients receive it."""


class Arrival(Struct, frozen=True):
    """What became of the parts of an answer."""

    status: DeliveryStatus
    error: str | None = None


class Post(Protocol):
    """The way out, for answers and alerts."""

    def find(self, channel: str, account: str | None) -> str | None:
        """Return the name of an account that can send; without a name, the first of the channel; None for none."""
        ...

    def usual_chat(self, channel: str, account: str | None) -> Address | None:
        """Return the chat that a channel's configuration names for what has no recipient; None when it names none."""
        ...

    def parts(self, key: str, address: Address, text: str) -> list[OutboundMessage]:
        """Return the parts of a text, each of which exists once per `key`; storing them is the caller's."""
        ...

    def wake(self, address: Address) -> None:
        """Send what was stored."""
        ...

    async def arrival(self, run_id: str, address: Address, seconds: float) -> Arrival:
        """Wait until the parts of a run are sent or given up, for at most `seconds`."""
        ...
