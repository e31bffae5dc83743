"""A real gateway process on a free loopback port, forked and ended by a test."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct
from tests.e2e.forked import Forked, fork
from tests.e2e.waiting import until

from homarus.protocol.client import GatewayClient

TOKEN = "test-token-0123456789"


class GatewayProcess(Struct):
    """A running gateway. `url` is http://127.0.0.1:PORT, `token` its shared secret."""

    process: Forked
    url: str
    token: str
    home: Path

    @property
    def ws_url(self) -> str:
        return self.url.replace("http://", "ws://", 1)

    def client(self) -> GatewayClient:
        """Return a client with a device of its own, not yet connected."""
        return GatewayClient(self.ws_url, identity=self.home / "test-device.json", token=self.token)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)

    async def stop(self) -> int:
        """End it politely and return its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 45)


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a gateway under test: nothing of the caller's configuration."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    return {**keep, "HOMARUS_HOME": str(home), "PYTHONUNBUFFERED": "1", **(extra or {})}


def gateway_environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a gateway that takes TOKEN."""
    return environment(home, {"HOMARUS_GATEWAY_TOKEN": TOKEN, **(extra or {})})


def write_config(home: Path, config: Mapping[str, object]) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "homarus.json").write_text(json.dumps(config))


@asynccontextmanager
async def gateway(
    home: Path, extra: Mapping[str, str] | None = None, arguments: tuple[str, ...] = ()
) -> AsyncGenerator[GatewayProcess]:
    """Run a gateway in `home` until the block ends, on any free port unless `arguments` name one."""
    async with serving(home, gateway_environment(home, extra), arguments) as process:
        yield process


@asynccontextmanager
async def serving(
    home: Path, env: Mapping[str, str], arguments: tuple[str, ...] = ()
) -> AsyncGenerator[GatewayProcess]:
    """Run a gateway with a whole environment until the block ends."""
    home.mkdir(parents=True, exist_ok=True)
    out, errors = home / "stdout.txt", home / "stderr.txt"
    out.write_bytes(b"")
    port = () if "--port" in arguments else ("--port", "0")
    process = fork(("gateway", "run", *port, *arguments), env, Path(os.devnull), out, errors)
    try:
        await until(lambda: url_in(out) or process.returncode is not None, "the gateway is ready")
        url = url_in(out)
        assert url, f"exit code {process.returncode}\n{out.read_text()}\n{errors.read_text()}"
        yield GatewayProcess(process, url, TOKEN, home)
    finally:
        process.kill()
        await process.wait()


def url_in(out: Path) -> str:
    """Return the address that a gateway printed, empty before that."""
    printed = [line for line in out.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return next((line.split()[1].rstrip("/") for line in printed if line.startswith("ready ")), "")
