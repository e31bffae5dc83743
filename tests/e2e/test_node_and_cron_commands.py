"""The commands of nodes, approvals and the scheduler, typed against a real gateway with a real node host."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.e2e.cli import Finished, homarus
from tests.e2e.process import TOKEN, GatewayProcess, environment, gateway, write_config


@pytest.fixture
async def running(tmp_path: Path) -> AsyncGenerator[GatewayProcess]:
    async with gateway(tmp_path / "home") as process:
        yield process


@asynccontextmanager
async def node_host(running: GatewayProcess, home: Path) -> AsyncGenerator[None]:
    """Run a node host with a state folder of its own."""
    home.mkdir(exist_ok=True)
    port = str(urlsplit(running.url).port)
    where = ("--host", "127.0.0.1", "--port", port, "--token", TOKEN, "--display-name", "shed")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "homarus", *("node", "run"), *where), env=environment(home)
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def waiting_node(home: Path) -> str:
    """Return the request of the node that waits for approval, once it does."""
    async with asyncio.timeout(45):
        while True:
            found: Any = (await homarus(home, "nodes", "pending", "--json")).json()
            if found["pending"]:
                return found["pending"][0]["requestId"]


async def test_a_node_is_approved_named_used_and_shown(running: GatewayProcess, tmp_path: Path) -> None:
    home = running.home
    async with node_host(running, tmp_path / "shed"):
        request = await waiting_node(home)
        assert (await homarus(home, "nodes", "approve", request)).code == 0
        [node] = (await homarus(home, "nodes", "list", "--json")).json()["nodes"]
        asked = await homarus(home, "nodes", "invoke", node["nodeId"], "system.which", "--params", '{"bins": ["sh"]}')
        assert "/sh" in asked.out, asked
        refused = await homarus(
            home, "nodes", "invoke", node["nodeId"], "system.run", "--params", '{"command": ["id"]}'
        )
        assert refused.code == 1, refused
        assert (await homarus(home, "nodes", "rename", node["nodeId"], "barn")).code == 0
        assert "barn" in (await homarus(home, "nodes", "describe", node["nodeId"])).out
    unknown = await homarus(home, "nodes", "reject", "no-such-request")
    assert (unknown.code, unknown.err.startswith("error: ")) == (1, True)


async def test_a_node_tells_where_it_is_once_both_sides_allow_it(tmp_path: Path) -> None:
    write_config(tmp_path / "home", {"gateway": {"nodes": {"allowCommands": ["location.get"]}}})
    async with gateway(tmp_path / "home") as running:
        home, shed = running.home, tmp_path / "shed"
        write_config(shed, {"nodeHost": {"location": {"lat": 52.5, "lon": 13.4, "accuracyMeters": 20}}})
        async with node_host(running, shed):
            await homarus(home, "nodes", "approve", await waiting_node(home))
            [node] = (await homarus(home, "nodes", "list", "--json")).json()["nodes"]
            assert "location" in node["caps"]
            found = await homarus(home, "nodes", "invoke", node["nodeId"], "location.get")
            assert '"lat": 52.5' in found.out, found
            refused = await homarus(home, "nodes", "invoke", node["nodeId"], "camera.snap")
            assert (refused.code, "not in the allowlist" in refused.err) == (1, True)


async def test_questions_are_listed_and_answered_and_rules_shown(running: GatewayProcess) -> None:
    home = running.home

    async def ask(number: int) -> Finished:
        params = f'{{"id": "q{number}", "command": "rm notes", "timeoutMs": 60000}}'
        return await homarus(home, "gateway", "call", "exec.approval.request", "--params", params)

    for number, (answer, decision) in enumerate((("allow", "allow-once"), ("deny", "deny"))):
        asking = asyncio.create_task(ask(number))
        async with asyncio.timeout(45):
            while f"q{number}" not in (await homarus(home, "approvals", "list", "--json")).out:
                pass
        ended = await homarus(
            home, *(("approvals", "allow") if answer == "allow" else ("approvals", "deny")), f"q{number}"
        )
        assert ended.code == 0, ended
        assert decision in (await asking).out
    assert '"version"' in (await homarus(home, "approvals", "get")).out


async def test_a_job_is_added_changed_run_and_removed(running: GatewayProcess) -> None:
    home = running.home
    what = ("--name", "clock", "--every", "1h", "--message", "what time is it", "--no-deliver")
    job = (await homarus(home, *("cron", "add"), *what, "--json")).json()["id"]
    assert "clock" in (await homarus(home, "cron", "list")).out
    assert (await homarus(home, "cron", "edit", job, "--name", "watch")).code == 0
    assert (await homarus(home, "cron", "disable", job)).code == 0
    assert (await homarus(home, "cron", "enable", job)).code == 0
    assert "watch" in (await homarus(home, "cron", "list", "--json")).out
    assert (await homarus(home, "cron", "run", job)).code == 0
    async with asyncio.timeout(45):
        while '"status": "ok"' not in (await homarus(home, "cron", "runs", job, "--json")).out:
            pass
    assert '"enabled": true' in (await homarus(home, "cron", "status", "--json")).out
    assert (await homarus(home, "cron", "rm", job, "--yes")).code == 0
    assert job not in (await homarus(home, "cron", "list", "--json")).out
