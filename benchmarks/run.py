"""Measure Homarus against its budgets and against two peers, side by side, with the same instant model.

Usage: python benchmarks/run.py [--write] [--turns N] [--clients N] [--long N] [--no-peers]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop
from fanout import Load, fan_out
from figures import KIB, MIB, Measured, cpu_seconds, resident_mib, spend
from load import accept_messages, compare_crowded, idle_clients, run_sessions
from msgspec import Struct
from reads import read_figures
from report import budget_table, machine, peer_table, plot, write_section
from systems import Hermes, Homarus, Nanobot, System

HERE = Path(__file__).parent
WARM_UP = 3
STARTS = 3
"""Starts of each system; the least time counts, and the first fills caches of compiled code."""
STORED_SESSIONS = 10_000
"""Sessions in the database while reads are measured."""
TURN_SESSIONS = 25
"""Sessions the measured turns are spread over: of a conversation of hundreds of messages most time is its reading."""


class Options(Struct, frozen=True):
    """How much to measure."""

    turns: int
    clients: int
    long: int
    messages: int
    seconds: float


class Model:
    """The instant model in its own process."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self._process = process
        self.url = url

    async def newest_size(self) -> float:
        """Return the bytes of the newest request."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("asked for pipes")
        self._process.stdin.write(b"\n")
        return float(await self._process.stdout.readline())


@asynccontextmanager
async def running_model() -> AsyncGenerator[Model]:
    """Run the model."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, str(HERE / "model.py"), stdin=pipe, stdout=pipe)
    if process.stdout is None or process.stdin is None:
        raise AssertionError("asked for pipes")
    try:
        yield Model(process, (await process.stdout.readline()).decode().strip())
    finally:
        process.stdin.close()
        await process.wait()


async def compare(systems: list[System], model: Model, turns: int) -> dict[str, list[float | str]]:
    """Return the figures of the systems, in turn at every step so that a busy moment of the machine hits all."""
    ready = [[0.0] * STARTS for _ in systems]
    for number in range(STARTS):
        for index, system in enumerate(systems):
            ready[index][number] = await system.start()
            if number < STARTS - 1:
                await system.stop()
    await asyncio.sleep(2)
    idle = [resident_mib(system.pid) for system in systems]
    size: list[float] = []
    for system in systems:
        await system.turn()
        size.append(await model.newest_size() / 1000)
        for _ in range(WARM_UP):
            await system.turn()
    wall: list[list[float]] = [[] for _ in systems]
    cpu = [0.0 for _ in systems]
    for _ in range(turns):
        for index, system in enumerate(systems):
            before = cpu_seconds(system.pid)
            wall[index].append(await system.turn() * 1000)
            cpu[index] += cpu_seconds(system.pid) - before
    after = [resident_mib(system.pid) for system in systems]
    shown = [min(spend(system.help_command, system.env)[0] for _ in range(3)) for system in systems]
    return {
        "ready, best start, s": [min(values) for values in ready],
        "resident, idle, MiB": [*idle],
        f"resident after {turns + WARM_UP + 1} turns, MiB": [*after],
        "warm turn, wall median, ms": [statistics.median(values) for values in wall],
        "warm turn, CPU mean, ms": [value / turns * 1000 for value in cpu],
        "'ping' sent to the model, kB": [*size],
        "--help, CPU, s": [*shown],
    }


async def own_figures(system: Homarus, model: Model, options: Options) -> AsyncGenerator[Measured]:
    """Yield the figures of a gateway with a fresh database, each as soon as it is known."""
    yield Measured("ready, warm", min([await restart(system) for _ in range(4)][1:]), "s", 0.8)
    await asyncio.sleep(2)
    idle = resident_mib(system.pid)
    yield Measured("resident, idle", idle * MIB / 1e6, "MB", 75, note=f"of 1,000,000 bytes; {idle:.1f} MiB")
    for _ in range(WARM_UP):
        await system.turn()
    size = await model.newest_size() / 1000
    for _ in range(40):
        await system.turn("agent:main:one")
    yield Measured("resident after 40 turns", resident_mib(system.pid), "MiB", 90)
    before = cpu_seconds(system.pid)
    more = [await system.turn(f"agent:main:two-{number % TURN_SESSIONS}") * 1000 for number in range(options.turns)]
    note = f"CPU {(cpu_seconds(system.pid) - before) / options.turns * 1000:.1f} ms"
    yield Measured("warm turn over WebSocket, median", statistics.median(more), "ms", 10, note=note)
    yield Measured("warm turn over WebSocket, 99 %", statistics.quantiles(more, n=100)[98], "ms", 25)
    yield Measured("'ping' sent to the model", size, "kB", 10)
    _, rate = await run_sessions(system, sessions=32, at_once=32, turns=32 * 20, seconds=options.seconds)
    yield Measured("32 sessions at once", rate, "turns/s", 100, is_floor=True)
    await run_sessions(system, sessions=100, at_once=8, turns=100, seconds=options.seconds)
    yield await crowding(system, options.turns * 2)
    done, _ = await run_sessions(system, sessions=100, at_once=8, turns=options.long, seconds=options.seconds)
    yield Measured(f"resident after {done:,} turns in 100 sessions", resident_mib(system.pid), "MiB", 130)
    async for figure in edge_figures(system, options):
        yield figure


async def crowding(system: Homarus, turns: int) -> Measured:
    """Return what 100 stored sessions change, against two gateways beside this one that have next to none.

    All begin anew with the same hashes: where dictionaries put their keys makes turns of like gateways differ by 3 %.
    """
    empty, control = (Homarus(system.home.with_name(name), system.model) for name in ("empty", "control"))
    try:
        for each in (system, empty, control):
            each.env["PYTHONHASHSEED"] = "0"
            await restart(each)
            await each.turn()
        found = await compare_crowded(system, empty, control, turns)
    finally:
        await all_of([empty.stop, control.stop])
        del system.env["PYTHONHASHSEED"]
    note = f"CPU time, turns in turn; two without sessions differ by {found.control:.1f} %; wall {found.wall:+.0f} %"
    return Measured("100 stored sessions slow a turn by", found.cpu, "%", 5, note=note)


async def restart(system: Homarus) -> float:
    """Stop and start a gateway; return the seconds until it was ready."""
    await system.stop()
    return await system.start()


async def edge_figures(system: Homarus, options: Options) -> AsyncGenerator[Measured]:
    """Yield the figures of the command line, the inbox and idle clients."""
    command = [sys.executable, "-m", "homarus"]
    shown = [await asyncio.to_thread(spend, [*command, "--help"], system.env) for _ in range(5)]
    yield Measured("homarus --help, CPU", min(cpu for cpu, _ in shown), "s", 0.15)
    health = [await asyncio.to_thread(spend, [*command, "gateway", "call", "health"], system.env) for _ in range(5)]
    yield Measured("homarus gateway call health, wall", min(wall for _, wall in health), "s", 0.4)
    durable = await asyncio.to_thread(uvloop.run, accept_messages(options.messages))
    yield Measured("durable inbound messages", durable, "/s", 5000, is_floor=True)
    await restart(system)
    await system.turn()
    count, each = await idle_clients(system, options.clients)
    note = f"{count:,} clients; {each * KIB / 1e3:.1f} kB of 1,000 bytes"
    yield Measured("idle WebSocket client", each, "KiB", 30, note=note)
    for figure in await fan_out(Load(clients=min(500, options.clients), seconds=min(10.0, options.seconds))):
        yield figure
    await system.stop()
    for figure in await read_figures(Homarus(system.home.with_name("reads"), system.model), STORED_SESSIONS, calls=50):
        yield figure


async def peers(home: Path, model: Model, turns: int) -> tuple[list[str], dict[str, list[float | str]]]:
    """Return the names of the systems and the figures side by side."""
    kinds: list[Callable[[Path, str], System]] = [Homarus, Nanobot, Hermes]
    systems = [kind(home / str(index), model.url) for index, kind in enumerate(kinds)]
    try:
        rows = await compare(systems, model, turns)
    finally:
        await all_of([system.stop for system in systems])
    return [system.name for system in systems], rows


async def all_of(stops: list[Callable[[], Awaitable[None]]]) -> None:
    """Stop every system."""
    for stop in stops:
        await stop()


async def measure(home: Path, options: Options, *, has_peers: bool, writes: bool) -> None:
    """Measure everything and print it; with `writes`, put it into README.md and ratios.svg."""
    load = os.getloadavg()[0]
    sections: list[str] = []
    figures: list[Measured] = []
    async with running_model() as model:
        system = Homarus(home / "own", model.url)
        try:
            async for figure in own_figures(system, model, options):
                print(figure, flush=True)
                figures.append(figure)
        finally:
            await system.stop()
        sections.append(budget_table(figures))
        if has_peers:
            names, rows = await peers(home, model, 20)
            sections.append(peer_table(names, rows))
            print("\n" + sections[-1])
            if writes:
                (HERE / "ratios.svg").write_text(plot(names, rows))
    where = machine(load)
    print("\n" + where)
    if writes:
        write_section(HERE / "README.md", "measured", "\n\n".join(["", where, *sections, ""]))


def main() -> None:
    """Measure in a scratch folder and print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=200, help="warm turns of Homarus")
    parser.add_argument("--clients", type=int, default=10_000, help="idle clients, as far as descriptors allow")
    parser.add_argument("--long", type=int, default=10_000, help="turns of the long run")
    parser.add_argument("--messages", type=int, default=20_000, help="messages for the inbox")
    parser.add_argument("--seconds", type=float, default=300, help="the most a load may last")
    parser.add_argument("--no-peers", action="store_true", help="measure Homarus alone")
    parser.add_argument("--write", action="store_true", help="put the figures into README.md and ratios.svg")
    given = parser.parse_args()
    options = Options(given.turns, given.clients, given.long, given.messages, given.seconds)
    with tempfile.TemporaryDirectory(prefix="homarus-bench-") as home:
        try:
            asyncio.run(measure(Path(home), options, has_peers=not given.no_peers, writes=given.write))
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"{error}. Try again, or leave the peers out with --no-peers.") from error


if __name__ == "__main__":
    main()
