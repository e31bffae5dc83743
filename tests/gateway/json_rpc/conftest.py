"""JSON-RPC clients that send exactly what a test wants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from msgspec.structs import replace
from tests.gateway.conftest import Running, start, stop
from tests.gateway.fake_services import TOKEN, FakeTools, make_services

from homarus.clock import SystemClock
from homarus.gateway.server import GatewayServer
from homarus.gateway.settings import AuthSettings, GatewaySettings
from homarus.sandbox.registry import Unavailable
from homarus.sessions.memory import MemoryFacts
from homarus.tools.builtin.edit import EditTool
from homarus.tools.builtin.exec import ExecTool
from homarus.tools.builtin.read import ReadTool
from homarus.tools.builtin.recall import RecallTool
from homarus.tools.builtin.remember import RememberTool
from homarus.tools.builtin.write import WriteTool
from homarus.tools.policy import ToolPolicy
from homarus.tools.registry import ToolRegistry
from homarus.tools.runner import ToolRunner

BEARER = {"Authorization": f"Bearer {TOKEN}"}
Message = dict[str, Any]


class RpcClient:
    """One connection; keeps notifications that arrive while it waits for an answer."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.heard: list[Message] = []
        self.sent = 0

    async def receive(self) -> Any:
        """Return the next message; `{"closed": code, "reason": text}` at the end."""
        async with asyncio.timeout(45):
            message = await self.socket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            return json.loads(message.data)
        return {"closed": self.socket.close_code, "reason": message.extra}

    async def send(self, message: object) -> None:
        await self.socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def response(self) -> Any:
        """Return the next response, batch or close."""
        while True:
            message: Any = await self.receive()
            if not isinstance(message, dict) or "method" not in message:
                return message  # pyright: ignore[reportUnknownVariableType]
            self.heard.append(cast("Message", message))

    async def call(self, method: str, params: object = None) -> Any:
        self.sent += 1
        request: Message = {"jsonrpc": "2.0", "id": self.sent, "method": method}
        if params is not None:
            request["params"] = params
        await self.send(request)
        answer = await self.response()
        assert answer.get("id", self.sent) == self.sent
        return answer

    async def hear(self, method: str) -> Message:
        """Return the parameters of the next notification of a method."""
        while True:
            for index, message in enumerate(self.heard):
                if message["method"] == method:
                    return self.heard.pop(index)["params"]
            message = await self.receive()
            assert "closed" not in message, message
            self.heard.append(message)


@asynccontextmanager
async def rpc(url: str, headers: dict[str, str] | None = None, path: str = "/rpc") -> AsyncGenerator[RpcClient]:
    async with aiohttp.ClientSession() as session, session.ws_connect(url + path, headers=headers) as socket:
        yield RpcClient(socket)


@pytest.fixture
async def client(gateway: Running) -> AsyncIterator[RpcClient]:
    """A client that sent its secret with the upgrade."""
    async with rpc(gateway.url, BEARER) as found:
        yield found


@pytest.fixture
async def open_gateway(tmp_path: Path) -> AsyncIterator[Running]:
    """A gateway without authentication."""
    running = await start(tmp_path, GatewaySettings(auth=AuthSettings(mode="none")))
    yield running
    await stop(running)


async def start_with_tools(folder: Path, config: Message) -> Running:
    """Start a gateway with the built-in tools, commands switched off."""
    workspace = str(folder / "workspace")
    config = {"agents": {"defaults": {"workspace": workspace}}, **config}
    services, runs = make_services(folder, json.dumps(config))
    sandbox = Unavailable("there is none in this test", "none", ())
    memory = MemoryFacts(services.database, services.clock)
    registry = ToolRegistry()
    registry.register(ReadTool())
    registry.register(WriteTool())
    registry.register(EditTool())
    registry.register(ExecTool(sandbox))
    registry.register(RememberTool(memory))
    registry.register(RecallTool(memory))
    runner = ToolRunner(registry, lambda _agent: ToolPolicy(deny=("recall",)), sandbox, SystemClock())
    server = GatewayServer(replace(services, tools=FakeTools(runner)), GatewaySettings(auth=AuthSettings(token=TOKEN)))
    await server.start(port=0)
    return Running(server, runs, folder)
