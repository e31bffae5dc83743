"""A gateway on a free port, with everything below it in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import Struct
from tests.gateway.fake_runs import FakeRuns
from tests.gateway.fake_services import TOKEN, make_services

from homarus.gateway.server import GatewayServer
from homarus.gateway.settings import AuthSettings, GatewaySettings

DEFAULTS = GatewaySettings(auth=AuthSettings(token=TOKEN), trusted_proxies=frozenset({"127.0.0.1"}))
"""A proxy on this machine is trusted, so that clients can pretend to be elsewhere."""


class Running(Struct):
    """A started gateway."""

    server: GatewayServer
    runs: FakeRuns
    folder: Path

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.server.port}"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"


async def start(folder: Path, settings: GatewaySettings | None = None, *, is_manual: bool = False) -> Running:
    services, runs = make_services(folder, is_manual=is_manual)
    server = GatewayServer(services, settings or DEFAULTS)
    await server.start(port=0)
    return Running(server, runs, folder)


async def stop(running: Running) -> None:
    await running.server.stop()
    await running.server.core.services.database.close()


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    running = await start(tmp_path)
    yield running
    await stop(running)


@pytest.fixture
async def manual_gateway(tmp_path: Path) -> AsyncIterator[Running]:
    """Its runs go on only as the test says."""
    running = await start(tmp_path, is_manual=True)
    yield running
    await stop(running)
