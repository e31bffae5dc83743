from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest

from homarus.channels.telegram.channel import TelegramChannel
from homarus.channels.telegram.config import TelegramConfig
from homarus.channels.telegram.settings import Timings, settings_of
from homarus.clock import Clock, SystemClock
from homarus.testing.ingress import MemoryIngress
from homarus.testing.telegram.launch import QUICK, Build, Start
from homarus.testing.telegram.people import People
from homarus.testing.telegram.server import TelegramServer


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        yield server


@pytest.fixture
def people(server: TelegramServer) -> People:
    return People(server)


@pytest.fixture
def ingress() -> MemoryIngress:
    return MemoryIngress()


@pytest.fixture
def build(server: TelegramServer) -> Build:
    def building(*, clock: Clock | None = None, timings: Timings | None = None, **keys: object) -> TelegramChannel:
        base: dict[str, object] = {"apiRoot": server.root, "botToken": server.bot.token}
        settings = settings_of(TelegramConfig.model_validate(base | keys), "default", timings or QUICK)
        return TelegramChannel(settings, clock or SystemClock())

    return building


@pytest.fixture
def start(server: TelegramServer, ingress: MemoryIngress, build: Build) -> Start:
    @asynccontextmanager
    async def starting(
        *, clock: Clock | None = None, timings: Timings | None = None, **keys: object
    ) -> AsyncGenerator[tuple[TelegramChannel, asyncio.Task[None]]]:
        channel = build(clock=clock, timings=timings, **keys)
        task = asyncio.create_task(channel.run(ingress))
        try:
            if channel.webhook_path is None:
                await server.called("getUpdates", server.calls.count("getUpdates") + 1)
            else:
                await server.hooked()
            yield channel, task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await channel.close()

    return starting
