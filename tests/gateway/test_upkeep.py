from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.gateway.conftest import DEFAULTS, Running
from tests.gateway.fake_clock import FakeClock
from tests.gateway.fake_services import make_services
from tests.gateway.raw_client import connected
from tests.storage.test_retention import DAY, entry, fill, message, session

from homarus.gateway.app import UPKEEP_AFTER, keep_up_later
from homarus.gateway.server import GatewayServer
from homarus.gateway.upkeep import EVERY
from homarus.storage import inbound, sessions


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def aged(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Running]:
    """A gateway of an agent that somebody talked to forty days ago, and with a sub-agent."""
    services, runs = make_services(tmp_path, clock=clock)
    server = GatewayServer(services, DEFAULTS)
    await server.start(port=0)
    old = clock.now_ms() - 40 * DAY
    for key in ("main", "quiet", "subagent:1"):
        await fill(services.database, session(key, old), entry(f"e-{key}", f"id-{key}", old))
    await fill(services.database, message("m", old, "delivered"), entry("e", "before-reset", old))
    yield Running(server, runs, tmp_path)
    await server.stop()
    await services.database.close()


async def test_a_cleanup_says_first_and_does_then_what_it_was_told_to(aged: Running) -> None:
    async with connected(aged.url) as client:
        assert (await client.call("sessions.subscribe"))["payload"] == {"subscribed": True}
        said = (await client.call("sessions.cleanup", {"dryRun": True}))["payload"]
        warned = (await client.call("sessions.cleanup", {}))["payload"]
        done = (await client.call("sessions.cleanup", {"enforce": True}))["payload"]
        told = {row["sessionKey"]: row["reason"] for row in [await client.event("sessions.changed") for _ in range(2)]}
        listed = (await client.call("sessions.list", {}))["payload"]["sessions"]
        away = (await client.call("sessions.list", {"archived": True}))["payload"]["sessions"]
    assert (said["dryRun"], said["archived"], said["deleted"]) == (
        True,
        ["agent:main:quiet"],
        ["agent:main:subagent:1"],
    )
    assert (said["transcripts"], said["journalRows"], said["beforeCount"], said["afterCount"]) == (1, 1, 3, 1)
    assert (warned["mode"], warned["archivedCount"], warned["transcripts"], warned["journalRows"]) == ("warn", 0, 0, 1)
    assert (done["mode"], done["archived"], done["deleted"]) == ("enforce", said["archived"], said["deleted"])
    assert done["transcripts"] == 1
    assert told == {"agent:main:quiet": "patch", "agent:main:subagent:1": "delete"}
    assert [row["key"] for row in listed] == ["agent:main:main"]
    assert [(row["key"], row["archiveReason"]) for row in away] == [("agent:main:quiet", "age-retention")]


async def test_a_cleanup_of_an_unknown_agent_is_refused(aged: Running) -> None:
    async with connected(aged.url) as client:
        answer = await client.call("sessions.cleanup", {"agent": "ghost", "enforce": True})
    assert "ghost" in answer["error"]["message"]
    assert await aged.server.core.services.sessions.count() == 3


async def test_what_a_person_put_away_is_marked_as_such(aged: Running) -> None:
    async with connected(aged.url) as client:
        away = (await client.call("sessions.patch", {"key": "quiet", "archived": True}))["payload"]["entry"]
        back = (await client.call("sessions.patch", {"key": "quiet", "archived": False}))["payload"]["entry"]
    assert away["archiveReason"] == "manual"
    assert "archiveReason" not in back


async def test_the_gateway_looks_by_itself_a_while_after_its_start_and_again(aged: Running, clock: FakeClock) -> None:
    core = aged.server.core
    database = core.services.database
    task = asyncio.create_task(keep_up_later(core))
    await asyncio.sleep(0)
    clock.advance(UPKEEP_AFTER)
    await _gone(aged, "m")
    await fill(database, message("m2", clock.now_ms() - 40 * DAY, "delivered"))
    clock.advance(EVERY)
    await _gone(aged, "m2")
    assert await database.read(sessions.select_session, "agent:main:quiet") is not None
    task.cancel()


async def _gone(running: Running, name: str) -> None:
    async with asyncio.timeout(30):
        while await running.server.core.services.database.read(inbound.select_message, name) is not None:
            await asyncio.sleep(0.005)
