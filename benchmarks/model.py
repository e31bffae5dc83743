"""The instant model of a benchmark, in a process of its own; prints its address, then a size for each line it reads.

Usage: python benchmarks/model.py. A line on standard input is answered with the bytes of the newest request body.
"""

from __future__ import annotations

import asyncio
import sys

from homarus.testing.model_server import ModelServer


async def main() -> None:
    """Serve until standard input ends."""
    async with ModelServer() as server:
        print(server.base_url, flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(server.requests[-1].size if server.requests else 0, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
