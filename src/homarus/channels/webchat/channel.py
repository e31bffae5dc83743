"""The web chat as a channel: authenticated clients write through the gateway, and the transcript is the delivery."""

from __future__ import annotations

import asyncio

from homarus.channels.contract import ConnectionState, Ingress, OutboundPart, ProbeResult, Receipt, Verdict
from homarus.channels.policy_config import ChannelPolicyConfig
from homarus.channels.sdk.standing import Standing
from homarus.channels.webchat.config import WebChatConfig
from homarus.clock import Clock
from homarus.errors import Cancelled
from homarus.ids import Address

config_model = WebChatConfig


class WebChat:
    """Always connected while the gateway runs; a part is delivered once its run has been committed."""

    def __init__(self) -> None:
        self._is_closed = asyncio.Event()
        self._standing = Standing(ConnectionState.CONNECTED)

    @property
    def state(self) -> ConnectionState:
        """Return connected until closed."""
        return self._standing.state

    async def until_connected(self) -> None:
        """Return at once; never once closed."""
        await self._standing.until_connected()

    async def run(self, ingress: Ingress) -> None:  # noqa: ARG002 - messages come in through the gateway's operations
        """Stay up until closed or cancelled."""
        await self._is_closed.wait()

    async def send(self, part: OutboundPart) -> Receipt:
        """Confirm a part: clients read it from the transcript. Raises Cancelled once closed."""
        if self._is_closed.is_set():
            raise Cancelled("the web chat is closed")
        return Receipt(part.id)

    async def reconcile(self, part: OutboundPart) -> Verdict:  # noqa: ARG002 - one answer for all parts
        """Tell that an interrupted part arrived: the transcript has it."""
        return Verdict.SENT

    async def set_typing(self, address: Address, *, is_typing: bool) -> None:
        """Do nothing: clients see the run itself."""

    async def probe(self) -> ProbeResult:
        """Report that the gateway answers."""
        return ProbeResult(is_ok=not self._is_closed.is_set(), detail="served by this gateway", latency_ms=0)

    async def close(self) -> None:
        """End `run`."""
        self._standing.change(ConnectionState.DISCONNECTED)
        self._is_closed.set()


def create(config: ChannelPolicyConfig, account_id: str, clock: Clock) -> WebChat:  # noqa: ARG001 - the registry's signature
    """Return the web chat."""
    return WebChat()
