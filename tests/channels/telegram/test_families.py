from __future__ import annotations

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from homarus.channels.telegram.config import TelegramConfig
from homarus.channels.telegram.families import Families, Ipv4First
from homarus.channels.telegram.settings import settings_of
from homarus.testing.telegram.launch import Start
from homarus.testing.telegram.server import TOKEN, TelegramServer


class Names(AbstractResolver):
    """Gives an IPv6 address before an IPv4 one."""

    is_closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        known = ((socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1"))
        return [ResolveResult(hostname=host, host=at, port=port, family=kind, proto=0, flags=0) for kind, at in known]

    async def close(self) -> None:
        self.is_closed = True


async def test_ipv4_addresses_come_first_when_wanted() -> None:
    names = Names()
    resolver = Ipv4First(names)
    assert [each["host"] for each in await resolver.resolve("api", 1)] == ["127.0.0.1", "::1"]
    await resolver.close()
    assert names.is_closed


@pytest.mark.parametrize(
    ("network", "families"),
    [
        ({}, Families.BOTH),
        ({"autoSelectFamily": True, "dnsResultOrder": "verbatim"}, Families.BOTH),
        ({"autoSelectFamily": False}, Families.IN_ORDER),
        ({"autoSelectFamily": False, "dnsResultOrder": "ipv4first"}, Families.IPV4_FIRST),
    ],
)
async def test_the_network_keys_say_how_the_server_is_reached(
    start: Start, server: TelegramServer, network: dict[str, object], families: Families
) -> None:
    config = TelegramConfig.model_validate({"botToken": TOKEN, "network": network})
    assert settings_of(config, "default").families is families
    root = server.root.replace("127.0.0.1", "localhost")
    async with start(network=network, apiRoot=root) as (channel, _):
        assert (await channel.probe()).is_ok
