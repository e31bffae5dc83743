"""Connecting a channel once, without the gateway: who are we there, and can a message be sent."""

from __future__ import annotations

import asyncio
from typing import Final, NoReturn

from msgspec import Struct

from homarus.channels.contract import Ambiguous, Channel, Inbound, OutboundPart
from homarus.clock import Clock
from homarus.errors import HomarusError
from homarus.ids import Address

SECONDS: Final = 45.0
CLOSE_SECONDS: Final = 10.0


class Probed(Struct, frozen=True):
    """What was found: `detail` says who we are there, or what failed with its `fix`.

    `unsent` says why the test message did not go out of a channel that works otherwise.
    """

    is_ok: bool
    detail: str
    fix: str | None = None
    latency_ms: int | None = None
    unsent: str | None = None


class _Deaf:
    """An ingress that takes nothing, so that the platform keeps what arrives for the gateway."""

    async def accept(self, message: Inbound) -> NoReturn:
        """Never return: a message that is not accepted is not acknowledged."""
        del message
        await asyncio.Event().wait()
        raise AssertionError


async def probe(
    channel: Channel, clock: Clock, *, message: tuple[Address, str] | None = None, within: float = SECONDS
) -> Probed:
    """Connect, make a round trip, send `message` if there is one, and disconnect; failures are in the result."""
    running = asyncio.create_task(channel.run(_Deaf()))
    try:
        async with asyncio.timeout(within):
            await _connect(channel, running)
            found = await channel.probe()
            unsent = await _send(channel, clock, *message) if found.is_ok and message is not None else None
        return Probed(found.is_ok, found.detail, None, found.latency_ms, unsent)
    except TimeoutError:
        return Probed(
            is_ok=False, detail=f"no connection within {within:.0f} s", fix="check the address and the network"
        )
    except HomarusError as error:
        return Probed(is_ok=False, detail=error.message, fix=error.fix)
    finally:
        running.cancel()
        await asyncio.wait([running], timeout=CLOSE_SECONDS)
        await channel.close()


async def _send(channel: Channel, clock: Clock, address: Address, text: str) -> str | None:
    """Send a text once and return why it did not arrive, None when it did."""
    try:
        await channel.send(OutboundPart(clock.uuid(), address, text))
    except HomarusError as error:
        return error.message
    except Ambiguous as error:
        return f"nobody knows whether it arrived: {error}"
    return None


async def _connect(channel: Channel, running: asyncio.Task[None]) -> None:
    """Wait for the connection. Raises what ended `run` before."""
    connected = asyncio.ensure_future(channel.until_connected())
    try:
        await asyncio.wait((running, connected), return_when=asyncio.FIRST_COMPLETED)
    finally:
        connected.cancel()
    if running.done():
        running.result()
        raise HomarusError("the channel ended by itself before it was connected")
