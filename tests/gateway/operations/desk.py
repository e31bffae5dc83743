"""A gateway with services of a test's choice, and a client that is in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from tests.gateway.fake_services import TOKEN, make_services
from tests.gateway.raw_client import RawClient, connected

from homarus.config.load import load
from homarus.gateway.agents import ConfiguredAgents
from homarus.gateway.server import GatewayServer
from homarus.gateway.services import Services
from homarus.gateway.settings import AuthSettings, GatewaySettings


class FileConfig:
    """The configuration as it is in its file at each look, as after a reload."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def current(self) -> Any:
        return load(self._path, {})


class Desk:
    """A connected client; `run` is for tests that follow one."""

    def __init__(self, client: RawClient, server: GatewayServer) -> None:
        self.client = client
        self.core = server.core
        self.services = server.core.services
        self.url = f"ws://127.0.0.1:{server.port}"
        self.run = ""

    async def ok(self, method: str, params: object = None) -> Any:
        answer = await self.client.call(method, params)
        assert answer["ok"], answer
        return answer["payload"]

    async def refusal(self, method: str, params: object = None) -> str:
        answer = await self.client.call(method, params)
        assert not answer["ok"], answer
        return answer["error"]["message"]


@asynccontextmanager
async def desk(
    folder: Path, config: str = "{}", change: Callable[[Services], Services] = lambda services: services
) -> AsyncGenerator[Desk]:
    """Start a gateway in `folder`, whose configuration is a real file."""
    (folder / "homarus.json").write_text(config)
    services, _ = make_services(folder)
    source = FileConfig(folder / "homarus.json")
    services = change(replace(services, config=source, agents=ConfiguredAgents(source)))
    server = GatewayServer(services, GatewaySettings(auth=AuthSettings(token=TOKEN)))
    await server.start(port=0)
    async with connected(f"ws://127.0.0.1:{server.port}") as client:
        yield Desk(client, server)
    await server.stop()
    await services.database.close()
