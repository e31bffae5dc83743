"""One release of OpenClaw beside one Homarus gateway, in a scratch folder that is removed afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance import command
from conformance.command import Finished, Running
from conformance.model import NAME
from conformance.releases import Node, Release
from conformance.report import Mismatch

TOKEN = "conformance-token-0123456789"
READY = 120.0
PAUSE = 0.3


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway of either side. `log` is what it printed."""

    port: int
    home: Path
    log: Running

    @property
    def url(self) -> str:
        """Return its WebSocket address."""
        return f"ws://127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True)
class Stage:
    """What a check can use. `model_url` is the model's base address, `shots` the folder for pictures of pages."""

    release: Release
    node: Node
    package: Path
    scratch: Path
    shots: Path
    model_url: str
    ours: Gateway

    def openclaw(self, *arguments: str) -> list[str]:
        """Return the command line of an OpenClaw program."""
        return [self.node.binary, str(self.package / "openclaw.mjs"), *arguments]

    def openclaw_env(self, home: str = "cli", extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of OpenClaw programs with a state folder of their own."""
        folder = self.scratch / f"openclaw-{home}"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        own = {"HOME": str(folder), "OPENCLAW_STATE_DIR": str(folder / ".openclaw"), "TERM": "xterm-256color"}
        return command.environment({**own, **(extra or {})}, first_on_path=self.node.bin)

    async def client(self, *arguments: str, token: str = TOKEN, timeout: float = command.PATIENCE) -> Finished:
        """Run an OpenClaw command with address and token of our gateway as options."""
        aimed = [*arguments, "--url", self.ours.url, "--token", token]
        return await command.run(self.openclaw(*aimed), self.openclaw_env(), timeout=timeout)

    async def remote_client(self, *arguments: str) -> Finished:
        """Run an OpenClaw command that finds our gateway in its configuration."""
        env = self.openclaw_env("remote")
        remote = {"mode": "remote", "remote": {"url": self.ours.url, "token": TOKEN}}
        _write(Path(env["OPENCLAW_STATE_DIR"]) / "openclaw.json", {"gateway": remote})
        return await command.run(self.openclaw(*arguments), env)

    async def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Call a method of our gateway through `openclaw gateway call`."""
        return (await self.client("gateway", "call", method, "--json", "--params", json.dumps(params))).json()

    async def homarus(self, *arguments: str, url: str | None = None, home: str = "homarus-cli") -> Finished:
        """Run a Homarus command against our gateway, or against the gateway at `url`."""
        return await command.run(homarus_command(*arguments), self.homarus_env(url or self.ours.url, home))

    def homarus_env(self, url: str, home: str) -> dict[str, str]:
        """Return the environment of Homarus programs that are to talk to a gateway."""
        aimed = {"HOMARUS_GATEWAY_URL": url, "HOMARUS_GATEWAY_TOKEN": TOKEN}
        return _homarus_env(self.scratch / home, aimed)


def homarus_command(*arguments: str) -> list[str]:
    """Return the command line of a Homarus program."""
    return [sys.executable, "-m", "homarus", *arguments]


@asynccontextmanager
async def our_gateway(home: Path, model_url: str) -> AsyncGenerator[Gateway]:
    """Run Homarus with defaults and the scripted model. Raises Mismatch when it does not start."""
    origins = {"controlUi": {"allowedOrigins": ["*"]}}
    _write(home / "homarus.json", {**_model_config(model_url), "gateway": origins})
    start = homarus_command("gateway", "run", "--port", "0", "--token", TOKEN)
    async with command.running(start, _homarus_env(home, {})) as program:
        line = await program.wait_for("ready http", READY)
        yield Gateway(int(line.rstrip("/").rpartition(":")[2]), home, program)


@asynccontextmanager
async def their_gateway(stage: Stage) -> AsyncGenerator[Gateway]:
    """Run OpenClaw's gateway with the scripted model. Raises Mismatch when it does not start."""
    port = _free_port()
    env = stage.openclaw_env("gateway", {"OPENCLAW_SKIP_CHANNELS": "1"})
    auth = {"mode": "local", "port": port, "bind": "loopback", "auth": {"mode": "token", "token": TOKEN}}
    state = Path(env["OPENCLAW_STATE_DIR"])
    _write(state / "openclaw.json", {**_model_config(stage.model_url), "gateway": auth})
    async with command.running(stage.openclaw("gateway", "run", "--port", str(port)), env) as program:
        await _accepts(port, program)
        yield Gateway(port, state, program)


async def _accepts(port: int, program: Running) -> None:
    """Wait until a port is listened on. Raises Mismatch."""
    try:
        async with asyncio.timeout(READY):
            while program.process.returncode is None:
                with contextlib.suppress(OSError):
                    _reader, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    return
                await asyncio.sleep(PAUSE)
    except TimeoutError:
        pass
    raise Mismatch(f"nothing listens on port {port}: {program.said[-400:]}")


def _model_config(url: str) -> dict[str, Any]:
    cost = {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}
    model = {"id": NAME, "name": "Mock", "reasoning": False, "input": ["text"], "cost": cost,
             "contextWindow": 128_000, "maxTokens": 4096}  # fmt: skip
    provider = {"baseUrl": url, "apiKey": "none", "api": "openai-completions", "models": [model]}
    return {"models": {"providers": {"mock": provider}}, "agents": {"defaults": {"model": {"primary": f"mock/{NAME}"}}}}


def _homarus_env(home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return command.environment(
        {"HOMARUS_HOME": str(home), "HOME": str(home), "PYTHONUNBUFFERED": "1", **extra},
    )


def _write(path: Path, value: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(json.dumps(value), encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
