"""A gateway that took any free port names that one everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from tests.e2e.process import gateway

from homarus.storage.lock import find_holder


async def test_the_port_that_was_free_is_the_one_that_is_named(home: Path) -> None:
    async with gateway(home, arguments=("--port", "0")) as running:
        port = urlsplit(running.url).port
        holder = find_holder(home)
        assert holder is not None
        assert holder.port == port
        async with running.client() as client:
            info: Any = await client.call("system.info", {})
        assert info["port"] == port
        async with aiohttp.ClientSession() as session, session.get(f"{running.url}/api/docs") as page:
            assert f"127.0.0.1:{port}/" in await page.text()
