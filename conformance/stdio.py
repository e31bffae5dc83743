"""Programs that speak JSON-RPC 2.0 on their standard input and output, one message per line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from conformance.command import PATIENCE, end, start
from conformance.report import Mismatch


class JsonRpc:
    """Asks and waits; `heard` is every notification that came."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.heard: list[dict[str, Any]] = []
        self._last_id = 0

    async def ask(self, method: str, params: Mapping[str, Any], timeout: float = PATIENCE) -> Any:
        """Call a method and return its result. Raises Mismatch for an error or silence."""
        self._last_id += 1
        self._write({"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params})
        try:
            async with asyncio.timeout(timeout):
                return await self._answer(method)
        except TimeoutError:
            raise Mismatch(f"{method} was not answered within {timeout:g} s") from None

    def tell(self, method: str, params: Mapping[str, Any] | None = None) -> None:
        """Send a notification."""
        self._write({"jsonrpc": "2.0", "method": method, "params": params or {}})

    async def _answer(self, method: str) -> Any:
        if self.process.stdout is None:
            raise AssertionError("started with a pipe")
        while line := await self.process.stdout.readline():
            if not line.lstrip().startswith(b"{"):
                continue
            message: dict[str, Any] = json.loads(line)
            if "method" in message:
                self.heard.append(message)
            elif message.get("id") == self._last_id:
                if "error" in message:
                    raise Mismatch(f"{method}: {json.dumps(message['error'])[:300]}")
                return message["result"]
        raise Mismatch(f"it ended before answering {method}")

    def _write(self, message: Mapping[str, Any]) -> None:
        if self.process.stdin is None:
            raise AssertionError("started with a pipe")
        self.process.stdin.write(json.dumps(message).encode() + b"\n")


@asynccontextmanager
async def speaking(command: Sequence[str], env: Mapping[str, str]) -> AsyncGenerator[JsonRpc]:
    """Keep such a program running until the block ends; its standard error is dropped."""
    process = await start(command, env, stderr=asyncio.subprocess.DEVNULL)
    try:
        yield JsonRpc(process)
    finally:
        await end(process)
