"""Runs a gateway under steady load and records memory, descriptors and threads once a minute.

    python benchmarks/soak.py --minutes 60 --rate 2

The load is turns of the built-in model over WebSocket, spread over 100 sessions. Prints one line a minute and, at the
end, how much each figure grew between the end of the first tenth and the end.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from msgspec import Struct

from homarus.protocol.client import GatewayClient

TOKEN = "soak-token-0123456789"
SESSIONS = 100


class Sample(Struct):
    minute: float
    turns: int
    rss_mb: float
    descriptors: int
    threads: int


async def start(home: Path) -> tuple[asyncio.subprocess.Process, str]:
    command = (sys.executable, "-m", "homarus", "gateway", "run", "--port", "0", "--token", TOKEN)
    environment = {**os.environ, "HOMARUS_HOME": str(home)}
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    while line := (await process.stdout.readline()).decode():
        if line.startswith("ready "):
            return process, line.split()[1].replace("http", "ws", 1)
    raise SystemExit("the gateway did not start")


def sample(pid: int, began: float, turns: int) -> Sample:
    status = Path(f"/proc/{pid}/status").read_text()
    rss = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    return Sample((time.monotonic() - began) / 60, turns, rss / 1024, descriptors, threads)


async def soak(minutes: float, rate: float) -> list[Sample]:
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        process, url = await start(home / "state")
        client = GatewayClient(url, identity=home / "device.json", token=TOKEN)
        await client.connect()
        began, turns = time.monotonic(), 0
        while (passed := time.monotonic() - began) < minutes * 60:
            params = {"sessionKey": f"agent:main:s{turns % SESSIONS}", "message": "what time is it"}
            run_id = f"soak-{turns}"
            await client.call("chat.send", {**params, "idempotencyKey": run_id})
            await client.call("agent.wait", {"runId": run_id, "timeoutMs": 30_000})
            turns += 1
            if passed // 60 > (samples[-1].minute if samples else -1):
                samples.append(sample(process.pid, began, turns))
                print(samples[-1], flush=True)
            await asyncio.sleep(max(0.0, turns / rate - (time.monotonic() - began)))
        samples.append(sample(process.pid, began, turns))
        await client.close()
        process.send_signal(signal.SIGTERM)
        await process.wait()
    return samples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=2, help="turns per second")
    options = parser.parse_args()
    samples = asyncio.run(soak(options.minutes, options.rate))
    early, last = samples[len(samples) // 10], samples[-1]
    print(f"turns {last.turns}")
    print(f"RSS {early.rss_mb:.1f} -> {last.rss_mb:.1f} MB")
    print(f"descriptors {early.descriptors} -> {last.descriptors}, threads {early.threads} -> {last.threads}")


if __name__ == "__main__":
    main()
