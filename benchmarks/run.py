"""Measure what a user feels: start, memory, the command line, and a turn. Prints one line for each, with its budget.

Usage: python benchmarks/run.py
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from homarus.protocol.client import GatewayClient

TOKEN = "benchmark-token-0123456789"
TURNS = 40
REPEATS = 5
HOMARUS = (sys.executable, "-m", "homarus")


@dataclass(frozen=True)
class Measured:
    """One figure and the most it may be."""

    name: str
    value: float
    unit: str
    budget: float

    def __str__(self) -> str:
        """Return one line of the report."""
        verdict = "met" if self.value <= self.budget else "missed"
        return f"{self.name:<38} {self.value:>8.2f} {self.unit:<4} (budget {self.budget:g}, {verdict})"


def environment(home: str) -> dict[str, str]:
    """Return an environment with nothing of the caller's configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HOMARUS_", "OPENCLAW_"))}
    return {**kept, "HOMARUS_HOME": home, "HOMARUS_GATEWAY_TOKEN": TOKEN}


def cpu_of(arguments: tuple[str, ...], env: dict[str, str]) -> float:
    """Return the least CPU seconds a command takes, over some runs."""
    spent: list[float] = []
    for _ in range(REPEATS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*HOMARUS, *arguments], env=env, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent)


def wall_of(arguments: tuple[str, ...], env: dict[str, str]) -> float:
    """Return the least seconds a command takes, over some runs."""
    spent: list[float] = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        subprocess.run([*HOMARUS, *arguments], env=env, check=True, stdout=subprocess.DEVNULL)
        spent.append(time.perf_counter() - begun)
    return min(spent)


@asynccontextmanager
async def gateway(env: dict[str, str]) -> AsyncGenerator[tuple[int, str, float]]:
    """Run a gateway; yields its process id, its address, and the seconds until it was ready."""
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *HOMARUS, "gateway", "run", "--port", "0", env=env, stdout=asyncio.subprocess.PIPE
    )
    if process.stdout is None:
        raise AssertionError("asked for a pipe")
    try:
        async with asyncio.timeout(60):
            line = (await process.stdout.readline()).decode()
        yield process.pid, line.split()[1], time.perf_counter() - begun
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def turns(url: str, identity: Path) -> list[float]:
    """Return the milliseconds of warm turns with the built-in model, from the message to the final event."""
    async with GatewayClient(url.replace("http", "ws", 1), identity=identity, token=TOKEN) as client:
        spent = [await one_turn(client) for _ in range(TURNS + REPEATS)]
    return spent[REPEATS:]


async def one_turn(client: GatewayClient) -> float:
    """Return the milliseconds of one turn."""
    run_id = str(uuid4())
    events = client.events("chat")
    follower = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    begun = time.perf_counter()
    await client.call("chat.send", {"sessionKey": "main", "message": "ping", "idempotencyKey": run_id})
    event = await follower
    while event.payload.get("runId") != run_id or event.payload.get("state") != "final":
        event = await anext(events)
    return (time.perf_counter() - begun) * 1000


async def measure(home: str) -> list[Measured]:
    """Return every figure."""
    env = environment(home)
    async with gateway(env):
        pass
    async with gateway(env) as (pid, url, ready):
        await asyncio.sleep(1)
        idle = resident_mib(pid)
        warm = await turns(url, Path(home) / "identity" / "benchmark.json")
        after = resident_mib(pid)
        health = await asyncio.to_thread(wall_of, ("gateway", "call", "health"), env)
        shown = await asyncio.to_thread(cpu_of, ("--help",), env)
    return [
        Measured("ready, warm", ready, "s", 0.8),
        Measured("resident, idle", idle, "MiB", 75),
        Measured(f"resident after {TURNS} turns", after, "MiB", 90),
        Measured("warm turn over WebSocket, median", statistics.median(warm), "ms", 10),
        Measured("warm turn over WebSocket, 99 %", statistics.quantiles(warm, n=100)[98], "ms", 25),
        Measured("homarus --help, CPU", shown, "s", 0.15),
        Measured("homarus gateway call health", health, "s", 0.4),
    ]


def main() -> None:
    """Measure in a scratch folder and print the report."""
    with tempfile.TemporaryDirectory(prefix="homarus-bench-") as home:
        for figure in asyncio.run(measure(home)):
            print(figure)


if __name__ == "__main__":
    main()
