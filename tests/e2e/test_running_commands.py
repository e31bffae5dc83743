"""A command while it runs, as clients see it: its process, and what waits behind it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, cast

from tests.e2e.process import gateway, write_config

from homarus.protocol.client import GatewayClient
from homarus.testing.model_server import ModelServer, Say

LINE = "echo ready; while [ ! -e go ]; do sleep 0.02; done"


async def test_its_process_number_is_true_and_those_who_wait_are_counted(tmp_path: Path) -> None:
    async with ModelServer() as model:
        provider = {"baseUrl": model.base_url, "apiKey": "none", "api": "openai-completions",
                    "models": [{"id": "mock", "name": "Mock"}]}  # fmt: skip
        defaults = {"model": "mock/mock", "maxConcurrent": 1, "workspace": str(tmp_path / "work")}
        config = {"models": {"providers": {"mock": provider}}, "agents": {"defaults": defaults}}
        write_config(tmp_path / "home", config)
        model.will(Say(calls=(("exec", json.dumps({"command": LINE})),)), Say("done"), Say("done as well"))
        async with gateway(tmp_path / "home") as running:
            identity = running.home / "test-device.json"
            watcher = GatewayClient(running.ws_url, identity=identity, token=running.token, has_tool_events=True)
            async with watcher:
                update = asyncio.create_task(_update(watcher))
                await asyncio.sleep(0)  # the listener registers with its first step
                await _say(watcher, "agent:main:one", "r1")
                details = await asyncio.wait_for(update, 40)
                status = Path(f"/proc/{details['pid']}/status").read_text()
                assert next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[-1] == "1"
                assert details["cwd"] == str(tmp_path / "work")
                await _say(watcher, "agent:main:two", "r2")
                lanes = cast("dict[str, Any]", await watcher.call("diagnostics.lanes", {}))["lanes"]
                assert lanes == [{"lane": "main", "activeCount": 1, "queuedCount": 1, "maxConcurrent": 1}]
                (tmp_path / "work" / "go").touch()
                for run in ("r1", "r2"):
                    ended = cast("dict[str, Any]", await watcher.call("agent.wait", {"runId": run}, timeout=40))
                    assert ended["status"] == "ok"
                lanes = cast("dict[str, Any]", await watcher.call("diagnostics.lanes", {}))["lanes"]
                assert lanes[0]["queuedCount"] == 0


async def _say(client: GatewayClient, key: str, run_id: str) -> None:
    await client.call("chat.send", {"sessionKey": key, "message": "go on", "idempotencyKey": run_id})


async def _update(client: GatewayClient) -> dict[str, Any]:
    """Return what the first live output of a command says beside it."""
    async for event in client.events("agent"):
        data: dict[str, Any] = cast("dict[str, Any]", event.payload)["data"]
        if event.payload.get("stream") == "tool" and data.get("phase") == "update":
            return data["partialResult"]["details"]
    raise AssertionError("the connection ended first")
