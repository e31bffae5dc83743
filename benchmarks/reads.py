"""How long pages wait for what they read at their start, with ten thousand sessions stored.

Usage: python benchmarks/reads.py [--sessions N] [--calls N]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from figures import Measured
from systems import Homarus

from homarus.clock import SystemClock
from homarus.ids import AgentId
from homarus.protocol.client import GatewayClient
from homarus.storage.database import Connection
from homarus.storage.opening import open_database
from homarus.storage.records import Session
from homarus.storage.sessions import ensure_session

Params = dict[str, object]
PAGE: Params = {"limit": 200, "includeDerivedTitles": True, "includeLastMessage": True, "configuredAgentsOnly": True}
"""What the page of 2026.9.6 asks for first."""
READS: tuple[tuple[str, Params, float], ...] = (
    ("sessions.list", {**PAGE, "agentId": "main"}, 15.0),
    ("sessions.list", PAGE, 15.0),
    ("sessions.list", {**PAGE, "search": "4711"}, 15.0),
    ("sessions.describe", {"key": "agent:main:bench-5000"}, 5.0),
    ("chat.startup", {"sessionKey": "main", "limit": 80}, 15.0),
    ("config.get", {}, 5.0),
)
"""Method, parameters, and the most milliseconds it may take."""


async def store_sessions(home: Path, count: int) -> None:
    """Store sessions as runs leave them, in one commit."""
    database = await open_database(None, home, SystemClock())
    now = SystemClock().now_ms()

    def insert(connection: Connection) -> None:
        for number in range(count):
            key, at = f"agent:main:bench-{number}", now - number * 1000
            session = Session(
                key, AgentId("main"), f"{number:08d}-bench", "direct", at, at, title=f"Talk {number}",
                last_preview="What was said last, as long as a line of the list shows " * 2, status="done",
                meta={"thinkingLevel": "low", "lastReadAt": at}, input_tokens=number, total_tokens=number,
                started_at=at, ended_at=at + 500,
            )  # fmt: skip
            ensure_session(connection, session)

    await database.write(insert)
    await database.close()


async def read_figures(system: Homarus, sessions: int, calls: int) -> list[Measured]:
    """Return how long each read takes at the median, on a gateway that is not running yet."""
    await store_sessions(system.home, sessions)
    await system.start()
    client = system.client()
    await client.connect()
    try:
        return [await _measure(client, *read, calls=calls) for read in READS]
    finally:
        await client.close()
        await system.stop()


async def _measure(client: GatewayClient, method: str, params: Params, budget: float, *, calls: int) -> Measured:
    times: list[float] = []
    for number in range(calls + 3):
        begun = time.perf_counter()
        await client.call(method, params)
        if number >= 3:  # the first ones load modules and build schemas
            times.append((time.perf_counter() - begun) * 1000)
    what = {name: value for name, value in params.items() if name in {"agentId", "search", "key", "sessionKey"}}
    shown = f" {' '.join(f'{name}={value}' for name, value in what.items())}" if what else ""
    return Measured(f"{method}{shown} over WebSocket, median", statistics.median(times), "ms", budget)


def main() -> None:
    """Measure in a scratch folder and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--calls", type=int, default=50)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="homarus-bench-") as folder:
        home = Path(folder) / "home"
        system = Homarus(home, "http://127.0.0.1:9/v1")
        print(*asyncio.run(read_figures(system, given.sessions, given.calls)), sep="\n")


if __name__ == "__main__":
    main()
