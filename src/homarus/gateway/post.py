"""The way out for what the scheduler has to say: the accounts and senders of the gateway."""

from __future__ import annotations

import asyncio

from homarus.automation.contract import Arrival
from homarus.clock import Clock
from homarus.gateway.channel_host import ChannelHost
from homarus.ids import Address
from homarus.pipeline.accounts import WEBCHAT, Accounts
from homarus.pipeline.outbox import Outbox
from homarus.storage import outbound
from homarus.storage.database import Database
from homarus.storage.records import OutboundMessage


class HostPost:
    """Implements homarus.automation.contract.Post."""

    def __init__(self, database: Database, clock: Clock, accounts: Accounts, host: ChannelHost) -> None:
        self._database = database
        self._outbox = Outbox(accounts, clock)
        self._host = host

    def find(self, channel: str, account: str | None) -> str | None:
        """Return the name of an account that can send; see Post."""
        names = (each.account for each in self._host.accounts() if each.channel == channel and channel != WEBCHAT)
        return next((name for name in names if account in {None, name}), None)

    def usual_chat(self, channel: str, account: str | None) -> Address | None:
        """Return the chat that `defaultTo` names; see Post."""
        name = self.find(channel, account)
        hosted = self._host.find(Address(channel, name, "")) if name is not None else None
        chat = getattr(hosted.settings, "default_to", None) if hosted is not None else None
        if name is None or chat is None:
            return None
        return Address(channel, name, str(chat).removeprefix(f"{channel}:"))

    def parts(self, key: str, address: Address, text: str) -> list[OutboundMessage]:
        """Return the parts of a text; see Post."""
        return self._outbox.parts(key, address, text)

    def wake(self, address: Address) -> None:
        """Send what was stored."""
        self._host.wake(address.channel, address.account)

    async def arrival(self, run_id: str, address: Address, seconds: float) -> Arrival:
        """Wait until the parts of a run are sent or given up; see Post."""
        parts: list[OutboundMessage] = []
        try:
            async with asyncio.timeout(seconds):
                while True:
                    # Taken before looking, so that nothing stored after the look is missed.
                    news = self._host.news(address.channel, address.account)
                    parts = await self._database.read(outbound.select_parts, run_id)
                    if all(part.state in {"sent", "dead"} for part in parts):
                        return _arrived(parts)
                    if news is None:
                        return Arrival("unknown", f"the channel {address.channel} does not run; it stays queued")
                    await news.wait()
        except TimeoutError:
            why = next((part.error for part in parts if part.error), "the channel is not connected")
            return Arrival("unknown", f"not sent yet ({why}); it stays queued")


def _arrived(parts: list[OutboundMessage]) -> Arrival:
    dead = next((part for part in parts if part.state == "dead"), None)
    if dead is not None:
        return Arrival("not-delivered", dead.error)
    return Arrival("delivered" if parts else "not-delivered")
