"""A real gateway process, forked instead of started: a matrix of kills would else spend its time on imports."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from msgspec import Struct
from tests.e2e.process import READY_TIMEOUT, TOKEN, gateway_environment
from tests.e2e.waiting import until

from homarus.protocol.client import GatewayClient

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        *("homarus.cli.serving", "homarus.gateway.app", "homarus.gateway.operations.chat"),
        *("homarus.channels.irc.channel", "homarus.channels.telegram.channel"),
        *("homarus.storage.postgres", "homarus.storage.upgrade"),
    ]
)


class Forked(Struct):
    """A process; `returncode` is None while it lives, the negative signal when one killed it."""

    process: ForkServerProcess

    @property
    def returncode(self) -> int | None:
        return self.process.exitcode

    async def wait(self) -> int | None:
        """Wait for its end and return its exit code."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self.process.sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self.process.sentinel)
        self.process.join()
        return self.process.exitcode


class ForkedGateway(Struct):
    """A running gateway, as far as the drivers need it."""

    process: Forked
    url: str
    home: Path
    token: str = TOKEN

    @property
    def ws_url(self) -> str:
        return self.url.replace("http://", "ws://", 1)

    def client(self) -> GatewayClient:
        """Return a client with a device of its own, not yet connected."""
        return GatewayClient(self.ws_url, identity=self.home / "test-device.json", token=self.token)


@asynccontextmanager
async def gateway(home: Path, extra: Mapping[str, str] | None = None) -> AsyncGenerator[ForkedGateway]:
    """Run a gateway in `home` until the block ends."""
    home.mkdir(parents=True, exist_ok=True)
    out = home / "stdout.txt"
    out.write_bytes(b"")
    process = _CONTEXT.Process(
        target=_live, args=(gateway_environment(home, extra), out, home / "stderr.txt"), daemon=True
    )
    process.start()
    try:
        await until(lambda: process.exitcode is not None or _url(out), "the gateway is ready", timeout=READY_TIMEOUT)
        url = _url(out)
        assert url, f"exit code {process.exitcode}\n{out.read_text()}\n{(home / 'stderr.txt').read_text()}"
        yield ForkedGateway(Forked(process), url, home)
    finally:
        process.kill()
        process.join()
        process.close()


def _url(out: Path) -> str:
    """Return the address that a gateway printed, empty before that."""
    lines = out.read_text().splitlines(keepends=True)
    return next((line.split()[1] for line in lines if line.startswith("ready ") and line.endswith("\n")), "")


def _live(env: Mapping[str, str], out: Path, errors: Path) -> None:
    """Be the gateway, in the forked process."""
    os.environ.clear()
    os.environ.update(env)
    for path, descriptor in ((out, 1), (errors, 2)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    from homarus.cli.main import run  # noqa: PLC0415 - loaded by the process this one was forked from

    sys.argv = ["homarus", "gateway", "run", "--port", "0"]
    code = run(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
