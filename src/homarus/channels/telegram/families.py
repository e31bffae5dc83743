"""Which addresses of a host are tried, and in which order: for networks where one kind of them leads nowhere."""

from __future__ import annotations

import socket
from enum import StrEnum

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult


class Families(StrEnum):
    """`both` tries IPv6 and IPv4 a quarter of a second apart, `in_order` one after the other as the name server gives
    them, `ipv4_first` the same with those of IPv4 in front."""

    BOTH = "both"
    IN_ORDER = "in_order"
    IPV4_FIRST = "ipv4_first"


class Ipv4First(AbstractResolver):
    """Puts the IPv4 addresses of another resolver in front."""

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host. Raises OSError."""
        found = await self._inner.resolve(host, port, family)
        return sorted(found, key=lambda each: each["family"] != socket.AF_INET)

    async def close(self) -> None:
        """Release the other resolver."""
        await self._inner.close()


def connector_for(families: Families, *, limit: int, keep_alive: float) -> aiohttp.TCPConnector:
    """Return a connector that tries addresses like this."""
    if families is Families.BOTH:
        return aiohttp.TCPConnector(limit=limit, keepalive_timeout=keep_alive)
    resolver = Ipv4First(aiohttp.ThreadedResolver()) if families is Families.IPV4_FIRST else None
    return aiohttp.TCPConnector(limit=limit, keepalive_timeout=keep_alive, resolver=resolver, happy_eyeballs_delay=None)
