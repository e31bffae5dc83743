"""The systems that are compared: how each is installed, configured, started and given a message.

Each answers with the same instant model. Homarus is driven over its WebSocket, the others over the HTTP API of their
own persistent server, because that is the one door that both have.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import aiohttp

from homarus.protocol.client import GatewayClient

KEY = "benchmark-token-0123456789-0123456789-abcdef"
CACHE = Path(os.environ.get("HOMARUS_BENCH_CACHE", "~/.cache/homarus-bench")).expanduser()
_INSTALL_SECONDS = 900


def clean_environment(home: Path) -> dict[str, str]:
    """Return an environment with a home of its own and nothing of the caller's configuration."""
    foreign = ("HOMARUS_", "OPENCLAW_", "HERMES_", "NANOBOT_", "OPENAI_", "ANTHROPIC_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "HOME": str(home)}


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def install(name: str, *requirements: str) -> Path:
    """Return the `bin` folder of an environment with these requirements, made when it is not there yet."""
    folder = CACHE / name
    if not (folder / "installed").exists():
        print(f"Installing {name} into {folder} (once) ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *requirements], check=True, timeout=_INSTALL_SECONDS)
        (folder / "installed").touch()
    return folder / "bin"


class System(ABC):
    """A running system; `start` and `stop` may be called again and again."""

    name: str
    how: str

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(mode=0o700, parents=True)
        self.env: dict[str, str] = clean_environment(home)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Return the process id of the server."""
        if self._process is None:
            raise RuntimeError(f"{self.name} is not running")
        return self._process.pid

    @property
    @abstractmethod
    def help_command(self) -> list[str]:
        """Return the command that prints the help text."""

    @abstractmethod
    async def start(self) -> float:
        """Start the server and return the seconds until it answered."""

    @abstractmethod
    async def turn(self) -> float:
        """Send 'ping' and return the seconds until the whole reply was there."""

    async def stop(self) -> None:
        """End the server."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), 20)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        self._process = None


class HttpPeer(System):
    """A system with an OpenAI-compatible HTTP API."""

    command: list[str]

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.port = free_port()
        self._http: aiohttp.ClientSession | None = None

    async def start(self) -> float:
        begun = time.perf_counter()
        with (self.home / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(*self.command, env=self.env, stdout=log, stderr=log)
        self._http = aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"})
        async with asyncio.timeout(60):
            while not await self._is_up(self._http):  # noqa: ASYNC110 - another process cannot set an event
                await asyncio.sleep(0.02)
        return time.perf_counter() - begun

    async def _is_up(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"http://127.0.0.1:{self.port}/health") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async def turn(self) -> float:
        if self._http is None:
            raise RuntimeError(f"{self.name} is not running")
        body = {"model": "mock", "messages": [{"role": "user", "content": "ping"}]}
        begun = time.perf_counter()
        async with self._http.post(
            f"http://127.0.0.1:{self.port}/v1/chat/completions", json=body, timeout=aiohttp.ClientTimeout(60)
        ) as response:
            answer = await response.text()
        if "ping" not in answer:
            raise RuntimeError(f"{self.name} did not answer: {answer[:200]}")
        return time.perf_counter() - begun

    async def stop(self) -> None:
        if self._http is not None:
            await self._http.close()
        await super().stop()


class Nanobot(HttpPeer):
    """nanobot-ai, as `nanobot serve`."""

    name = "nanobot-ai 0.3.5"
    how = "`nanobot serve`, HTTP API"

    def __init__(self, home: Path, model: str) -> None:
        super().__init__(home)
        binary = str(install("nanobot-ai-0.3.5", "nanobot-ai[api]==0.3.5") / "nanobot")
        config = home / "config.json"
        defaults = {"model": "mock", "provider": "custom", "workspace": str(home / "workspace")}
        provider = {"apiKey": "none", "apiBase": model}
        config.write_text(json.dumps({"agents": {"defaults": defaults}, "providers": {"custom": provider}}))
        self.command = [binary, "serve", "--port", str(self.port), "--config", str(config)]

    @property
    def help_command(self) -> list[str]:
        return [self.command[0], "--help"]


class Hermes(HttpPeer):
    """hermes-agent, as `hermes gateway run` with its API server platform."""

    name = "hermes-agent 0.19.0"
    how = "`hermes gateway run` with the API server platform, HTTP API"

    def __init__(self, home: Path, model: str) -> None:
        super().__init__(home)
        binary = str(install("hermes-agent-0.19.0", "hermes-agent==0.19.0", "aiohttp==3.14.1") / "hermes")
        state = home / ".hermes"
        state.mkdir(mode=0o700)
        chosen = {"default": "mock", "provider": "custom", "base_url": model, "api_key": "none",
                  "context_length": 131072}  # fmt: skip
        (state / "config.yaml").write_text(json.dumps({"model": chosen}))
        self.env |= {"HERMES_HOME": str(state), "API_SERVER_ENABLED": "true", "API_SERVER_PORT": str(self.port),
                     "API_SERVER_KEY": KEY}  # fmt: skip
        self.command = [binary, "gateway", "run"]

    @property
    def help_command(self) -> list[str]:
        return [self.command[0], "--help"]


class Homarus(System):
    """This tree, as `homarus gateway run`."""

    name = "Homarus"
    how = "`homarus gateway run`, WebSocket"

    def __init__(self, home: Path, model: str, more: Mapping[str, object] | None = None) -> None:
        super().__init__(home)
        provider = {"baseUrl": model, "api": "openai-completions", "apiKey": "none",
                    "models": [{"id": "mock", "name": "Mock", "contextWindow": 131072, "maxTokens": 1000}]}  # fmt: skip
        config = {
            "models": {"providers": {"mock": provider}},
            "agents": {"defaults": {"model": "mock/mock"}},
            **(more or {}),
        }
        (home / "homarus.json").write_text(json.dumps(config))
        (home / "homarus.json").chmod(0o600)
        self.env |= {"HOMARUS_HOME": str(home), "HOMARUS_GATEWAY_TOKEN": KEY}
        self.model = model
        self.url = ""
        self._client: GatewayClient | None = None
        self._finals: dict[str, asyncio.Future[None]] = {}
        self._follower: asyncio.Task[None] | None = None

    @property
    def help_command(self) -> list[str]:
        return [sys.executable, "-m", "homarus", "--help"]

    async def start(self) -> float:
        begun = time.perf_counter()
        command = (sys.executable, "-m", "homarus", "gateway", "run", "--port", "0")
        self._process = await asyncio.create_subprocess_exec(*command, env=self.env, stdout=asyncio.subprocess.PIPE)
        if self._process.stdout is None:
            raise AssertionError("asked for a pipe")
        async with asyncio.timeout(60):
            line = (await self._process.stdout.readline()).decode()
        ready = time.perf_counter() - begun
        self.url = line.split()[1].replace("http", "ws", 1)
        return ready

    def client(self, number: int = 0) -> GatewayClient:
        """Return a client with an identity of its own."""
        return GatewayClient(self.url, identity=self.home / "identity" / f"bench-{number}.json", token=KEY)

    async def connect(self) -> None:
        """Connect the client that the turns use."""
        self._client = self.client()
        await self._client.connect()
        self._follower = asyncio.create_task(self._follow(self._client))
        await asyncio.sleep(0)

    async def _follow(self, client: GatewayClient) -> None:
        async for event in client.events("chat"):
            if event.payload.get("state") in ("final", "error", "aborted"):
                waiting = self._finals.pop(str(event.payload.get("runId")), None)
                if waiting is None or waiting.done():
                    continue
                if event.payload["state"] == "final":
                    waiting.set_result(None)
                else:
                    waiting.set_exception(RuntimeError(f"a turn failed: {event.payload}"))

    async def turn(self, session: str = "main", message: str = "ping") -> float:
        if self._client is None:
            await self.connect()
        if self._client is None:
            raise AssertionError("connected above")
        run_id = str(uuid4())
        final = self._finals[run_id] = asyncio.get_running_loop().create_future()
        begun = time.perf_counter()
        await self._client.call("chat.send", {"sessionKey": session, "message": message, "idempotencyKey": run_id})
        async with asyncio.timeout(60):
            await final
        return time.perf_counter() - begun

    async def stop(self) -> None:
        if self._follower is not None:
            self._follower.cancel()
        if self._client is not None:
            await self._client.close()
        self._client = self._follower = None
        await super().stop()
