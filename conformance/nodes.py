"""What the checks of both node hosts share."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final, cast

from conformance.report import Mismatch
from conformance.stage import TOKEN, Gateway
from homarus.protocol.client import GatewayClient

RULES: Final = {"version": 1, "defaults": {"security": "full", "ask": "off"}, "agents": {}}
"""Rules of a node's machine that let everything run without asking."""
PATIENCE: Final = 180.0
PAUSE: Final = 0.5


async def wait_for_node(gateway: Gateway, identity: Path) -> dict[str, Any]:
    """Look at the nodes of a gateway until one is connected. Raises Mismatch."""
    identity.parent.mkdir(exist_ok=True, parents=True, mode=0o700)
    rows: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(PATIENCE), GatewayClient(gateway.url, identity=identity, token=TOKEN) as client:
            while True:
                found = cast("dict[str, Any]", await client.call("node.list"))
                rows = cast("list[dict[str, Any]]", found["nodes"])
                for row in rows:
                    if row.get("connected"):
                        return row
                await asyncio.sleep(PAUSE)
    except TimeoutError:
        raise Mismatch(f"no node is connected after {PATIENCE:g} s: {rows}") from None
