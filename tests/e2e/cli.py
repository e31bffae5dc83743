"""The command line as a person uses it: a process of its own, judged by what it prints and its exit code."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import Struct
from tests.e2e.forked import fork
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
    return await run(arguments, environment(home, {**known, **(extra or {})}), text)


async def run(arguments: tuple[str, ...], env: Mapping[str, str], text: str) -> Finished:
    """Run a command to its end."""
    with TemporaryDirectory() as folder:
        stdin, stdout, stderr = (Path(folder) / name for name in ("in", "out", "err"))
        stdin.write_text(text)
        process = fork(arguments, env, stdin, stdout, stderr)
        try:
            async with asyncio.timeout(TIMEOUT):
                code = await process.wait()
        finally:
            process.kill()
        return Finished(code, stdout.read_text(), stderr.read_text())
