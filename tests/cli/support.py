"""Running the command line as people do: as a process of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path

from msgspec import Struct
from tests.e2e.cli import run


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
    ended = await run(arguments, environment(home, **extra), stdin)
    return Done(ended.code, ended.out, ended.err)
