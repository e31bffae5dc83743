from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from homarus.channels.irc.channel import IrcChannel
from homarus.channels.irc.config import IrcConfig
from homarus.channels.irc.settings import Timings, settings_of
from homarus.clock import Clock, SystemClock
from homarus.testing.ingress import MemoryIngress
from homarus.testing.irc_server import IrcServer
from homarus.testing.irc_start import Run, Start


@pytest.fixture
def ingress() -> MemoryIngress:
    return MemoryIngress()


def build(server: IrcServer, clock: Clock | None, timings: Timings | None, keys: dict[str, object]) -> IrcChannel:
    base: dict[str, object] = {"host": "127.0.0.1", "port": server.port, "tls": False, "flood": {"burst": 100}}
    config = IrcConfig.model_validate(base | keys)
    return IrcChannel(settings_of(config, "default", timings), clock or SystemClock())


@pytest.fixture
def start(ingress: MemoryIngress) -> Start:
    @asynccontextmanager
    async def starting(
        server: IrcServer, *, clock: Clock | None = None, timings: Timings | None = None, **keys: object
    ) -> AsyncGenerator[tuple[IrcChannel, asyncio.Task[None]]]:
        channel = build(server, clock, timings, keys)
        task = asyncio.create_task(channel.run(ingress))
        try:
            await server.expect("USERHOST ")
            yield channel, task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return starting


@pytest.fixture
def run(ingress: MemoryIngress) -> Run:
    async def running(server: IrcServer, *, timings: Timings | None = None, **keys: object) -> None:
        await asyncio.wait_for(build(server, None, timings, keys).run(ingress), 45)

    return running
