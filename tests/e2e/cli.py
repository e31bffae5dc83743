"""The command line as a person uses it: a process of its own, judged by what it prints and its exit code."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from tests.e2e.process import TOKEN, environment

TIMEOUT = 60.0


class Finished(Struct, frozen=True):
    """A command that has ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return what it printed under --json."""
        assert self.code == 0, self
        return json.loads(self.out)


async def homarus(
    home: Path,
    *arguments: str,
    text: str = "",
    token: str | None = TOKEN,
    extra: Mapping[str, str] | None = None,
) -> Finished:
    """Run `homarus …` on a state folder; `text` is its standard input, without `token` it has to find one itself."""
    known = {} if token is None else {"HOMARUS_GATEWAY_TOKEN": token}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "homarus", *arguments),
        env=environment(home, {**known, **(extra or {})}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(TIMEOUT):
            out, err = await process.communicate(text.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return Finished(process.returncode, out.decode(), err.decode())
