"""On the loopback interface, with the library's own browser as the other side."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from homarus.errors import ConfigError
from homarus.gateway.discovery import multicast
from homarus.gateway.discovery.beacon import SERVICE, Beacon

zeroconf = pytest.importorskip("zeroconf")
PIN = "cd" * 32


async def test_a_gateway_is_found_while_it_runs_and_gone_afterwards() -> None:
    label = f"homarus-test-{id(object()):x}"
    beacon = Beacon(label, 4711, ("127.0.0.1",), PIN, has_tls=True, label=label)
    task = asyncio.create_task(multicast.advertise(beacon, "minimal"))
    try:
        async with asyncio.timeout(45):
            found: list[Beacon] = []
            while not found:
                found = [each for each in await multicast.browse(0.5, ["127.0.0.1"]) if each.name == label]
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert [(each.urls, each.fingerprint) for each in found] == [(("wss://127.0.0.1:4711",), PIN)]
    assert [each for each in await multicast.browse(0.5, ["127.0.0.1"]) if each.name == label] == []


async def test_without_the_extra_the_fix_is_its_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_name: str) -> None:
        return None

    monkeypatch.setattr(multicast, "find_spec", nothing)
    with pytest.raises(ConfigError) as caught:
        await multicast.browse(0.1)
    assert (caught.value.path, "homarus[discovery]" in str(caught.value.fix)) == ("discovery.mdns.mode", True)


def test_the_service_is_the_one_clients_look_for() -> None:
    assert SERVICE == "_openclaw-gw._tcp.local."
