"""Many clients watch many runs: what the gateway adds to the time from the model's piece of text to the client.

Usage: python benchmarks/fanout.py [--clients N] [--runs N] [--seconds N] [--all]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import cast

import aiohttp
import uvloop
from aiohttp import web
from figures import Measured, cpu_seconds, resident_mib
from msgspec import Struct, field
from systems import KEY, Homarus

INTERVAL = 0.1
"""Seconds between two pieces of one stream: longer than the gateway's pacing, so that its wait is not counted."""
_PIECE = re.compile(r'"deltaText":"(?:\d+ )*?(\d+) "')
_SEQ = re.compile(r'"seq":(\d+)\}$')
_HEALTH_CALLS = 1000


class Load(Struct, frozen=True):
    """How many clients watch how many streams for how long; `is_wide` lets each client hear all of them."""

    clients: int = 500
    runs: int = 50
    seconds: float = 10.0
    is_wide: bool = False


class Heard(Struct):
    """What the clients got: latencies in ms, frames, and how many numbers were missing."""

    latencies: list[float] = field(default_factory=list[float])
    frames: int = 0
    gaps: int = 0


class PacedModel:
    """A model that streams the time, a piece every tenth of a second, until it is told to stop."""

    def __init__(self) -> None:
        self._ends = 0.0
        self._runner: web.AppRunner | None = None
        self.url = ""

    def run_for(self, seconds: float) -> None:
        """Let streams go on for so long from now."""
        self._ends = time.monotonic() + seconds

    async def __aenter__(self) -> PacedModel:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        while time.monotonic() < self._ends:
            await stream.write(_chunk({"content": f"{time.monotonic_ns()} "}))
            await asyncio.sleep(INTERVAL)
        await stream.write(_chunk({}, "stop") + b"data: [DONE]\n\n")
        await stream.write_eof()
        return stream


def _chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    body = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "mock",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}  # fmt: skip
    return b"data: " + json.dumps(body).encode() + b"\n\n"


@asynccontextmanager
async def connection(url: str, caps: list[str]) -> AsyncGenerator[aiohttp.ClientWebSocketResponse]:
    """A client of version 4 without device, as command lines on this machine are."""
    async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0) as socket:
        await socket.receive()
        client = {"id": "cli", "version": "bench", "platform": "linux", "mode": "cli"}
        scopes = ["operator.read", "operator.write"]
        params: dict[str, object] = {
            "minProtocol": 4,
            "maxProtocol": 4,
            "client": client,
            "scopes": scopes,
            "caps": caps,
            "auth": {"token": KEY},
        }
        await call(socket, "connect", params)
        yield socket


async def call(socket: aiohttp.ClientWebSocketResponse, method: str, params: dict[str, object]) -> None:
    """Make one call and wait for its answer. Raises RuntimeError for a refusal."""
    await socket.send_json({"type": "req", "id": method, "method": method, "params": params})
    while True:
        frame = cast("dict[str, object]", json.loads((await socket.receive()).data))
        if frame.get("id") == method:
            if not frame.get("ok"):
                raise RuntimeError(f"{method} was refused: {frame}")
            return


async def listen(socket: aiohttp.ClientWebSocketResponse, heard: Heard) -> None:
    """Take frames until cancelled, noting how old the newest text of each is."""
    last = 0
    async for message in socket:
        now = time.monotonic_ns()
        text = cast("str", message.data)
        heard.frames += 1
        number = _SEQ.search(text[-24:])
        if number is not None:
            heard.gaps += last > 0 and int(number[1]) != last + 1
            last = int(number[1])
        piece = _PIECE.search(text)
        if piece is not None:
            heard.latencies.append((now - int(piece[1])) / 1e6)


async def watch_streams(system: Homarus, model: PacedModel, load: Load) -> list[Measured]:
    """Return what the clients of a running gateway saw of streaming runs."""
    heard = Heard()
    async with AsyncExitStack() as stack:
        caps = [] if load.is_wide else ["session-scoped-events"]
        sockets = [await stack.enter_async_context(connection(system.url, caps)) for _ in range(load.clients)]
        for index, socket in enumerate(sockets):
            await call(socket, "sessions.messages.subscribe", {"key": _key(index % load.runs)})
        tasks = [asyncio.create_task(listen(socket, heard)) for socket in sockets]
        asker = await stack.enter_async_context(connection(system.url, ["session-scoped-events"]))
        model.run_for(load.seconds + 5)
        for index in range(load.runs):
            send = {"sessionKey": _key(index), "message": "go", "idempotencyKey": f"fan-{index}-{time.monotonic_ns()}"}
            await call(asker, "chat.send", cast("dict[str, object]", send))
        await asyncio.sleep(3)
        heard.latencies.clear()
        heard.frames, before, spent = 0, resident_mib(system.pid), cpu_seconds(system.pid)
        await asyncio.sleep(load.seconds)
        spent, grown = cpu_seconds(system.pid) - spent, resident_mib(system.pid) - before
        latencies, frames = list(heard.latencies), heard.frames
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    cuts = statistics.quantiles(latencies, n=100)
    name = f"{load.clients} clients, {load.runs} streams" + (", each hears all" if load.is_wide else "")
    note = f"median {cuts[49]:.1f} ms, {frames / load.seconds:,.0f} frames/s, CPU {spent / load.seconds:.0%}"
    return [
        Measured(f"{name}: added, 99 %", cuts[98], "ms", 50, note=note),
        Measured(f"{name}: frames lost", heard.gaps, "", 0),
        Measured(f"{name}: memory grown", grown, "MiB", 5),
    ]


async def health_time(system: Homarus) -> Measured:
    """Return how long `health` takes over an open connection, the client's share included."""
    async with connection(system.url, []) as socket:
        times: list[float] = []
        for _ in range(_HEALTH_CALLS):
            begun = time.perf_counter()
            await call(socket, "health", {})
            times.append((time.perf_counter() - begun) * 1000)
    return Measured("health over WebSocket, median", statistics.median(times), "ms", 0.5)


async def fan_out(load: Load) -> list[Measured]:
    """Return the figures of a gateway of its own."""
    with tempfile.TemporaryDirectory(prefix="homarus-fanout-") as folder:
        async with PacedModel() as model:
            system = Homarus(Path(folder) / "home", model.url)
            _allow_runs(system.home, load.runs)
            await system.start()
            try:
                return [await health_time(system), *await watch_streams(system, model, load)]
            finally:
                await system.stop()


def _allow_runs(home: Path, runs: int) -> None:
    path = home / "homarus.json"
    config = json.loads(path.read_text())
    config["agents"]["defaults"]["maxConcurrent"] = runs
    path.write_text(json.dumps(config))


def _key(index: int) -> str:
    return f"agent:main:fan-{index}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--all", action="store_true", help="let every client hear every run")
    given = parser.parse_args()
    for figure in uvloop.run(fan_out(Load(given.clients, given.runs, given.seconds, given.all))):
        print(figure)


if __name__ == "__main__":
    main()
