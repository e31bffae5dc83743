"""A real gateway process on a free loopback port, started and ended by a test."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from homarus.protocol.client import GatewayClient

READY_TIMEOUT = 60.0
TOKEN = "test-token-0123456789"


class GatewayProcess(Struct):
    """A running gateway. `url` is http://127.0.0.1:PORT, `token` its shared secret."""

    process: asyncio.subprocess.Process
    url: str
    token: str
    home: Path
    login_url: str | None = None

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


async def launch(
    home: Path, extra: Mapping[str, str] | None = None, arguments: tuple[str, ...] = ()
) -> asyncio.subprocess.Process:
    """Start a gateway process on any free port, unless `arguments` name one."""
    port = () if "--port" in arguments else ("--port", "0")
    command = (sys.executable, "-m", "homarus", "gateway", "run", *port, *arguments)
    with (home / "stderr.txt").open("ab") as errors:
        return await asyncio.create_subprocess_exec(
            *command, env=gateway_environment(home, extra), stdout=asyncio.subprocess.PIPE, stderr=errors
        )


@asynccontextmanager
async def gateway(
    home: Path, extra: Mapping[str, str] | None = None, arguments: tuple[str, ...] = ()
) -> AsyncGenerator[GatewayProcess]:
    """Run a gateway in `home` until the block ends."""
    home.mkdir(parents=True, exist_ok=True)
    process = await launch(home, extra, arguments)
    try:
        yield await ready(process, home)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def ready(process: asyncio.subprocess.Process, home: Path) -> GatewayProcess:
    """Wait for the line `ready http://...` and return the running gateway."""
    assert process.stdout is not None
    lines: list[str] = []
    try:
        async with asyncio.timeout(READY_TIMEOUT):
            while line := (await process.stdout.readline()).decode():
                lines.append(line)
                if line.startswith("ready "):
                    return GatewayProcess(process, line.split()[1].rstrip("/"), TOKEN, home)
    except TimeoutError:
        pass
    errors = (home / "stderr.txt").read_text()
    end = f"exit code {process.returncode}" if await _has_ended(process) else f"not ready after {READY_TIMEOUT:g} s"
    raise AssertionError(f"the gateway did not start: {end}\n{''.join(lines)}\n{errors}")


async def _has_ended(process: asyncio.subprocess.Process) -> bool:
    try:
        await asyncio.wait_for(process.wait(), 1.0)
    except TimeoutError:
        return False
    return True
