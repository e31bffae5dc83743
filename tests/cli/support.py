"""Running the command line as people do: as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from msgspec import Struct

TIMEOUT = 60.0


class Done(Struct, frozen=True):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> object:
        return json.loads(self.out)


def environment(home: Path, **extra: str) -> dict[str, str]:
    """Return an environment with nothing of the caller's configuration."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**keep, "HOMARUS_HOME": str(home), **extra}


async def homarus(home: Path, *arguments: str, stdin: str = "", **extra: str) -> Done:
    """Run one command to its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "homarus",
        *arguments,
        env=environment(home, **extra),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(TIMEOUT):
            out, err = await process.communicate(stdin.encode())
    except BaseException:
        process.kill()
        await process.wait()
        raise
    return Done(process.returncode or 0, out.decode(), err.decode())
