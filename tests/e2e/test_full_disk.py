"""A disk that fills up while the gateway runs: the kernel refuses every file that would grow."""

from __future__ import annotations

import resource
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.e2e.conversation import conversation
from tests.e2e.irc_user import IrcUser
from tests.e2e.process import GatewayProcess, gateway, write_config
from tests.e2e.test_bad_irc import config, has_joined
from tests.e2e.waiting import eventually, until

from homarus.errors import HomarusError
from homarus.testing.irc_behaviour import IRCV3, Behaviour
from homarus.testing.irc_server import IrcServer


@contextmanager
def full_disk(running: GatewayProcess) -> Generator[None]:
    """Let no file of the gateway grow until the block ends."""
    pid = running.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


async def states(running: GatewayProcess) -> list[tuple[str, str]]:
    async with running.client() as client:
        listed: Any = await client.call("messages.list", {})
    return [(row["text"], row["state"]) for row in reversed(listed["messages"])]


async def test_a_message_from_irc_waits_for_space_and_is_answered_once(home: Path) -> None:
    async with IrcServer(Behaviour(caps=dict(IRCV3))) as server, IrcUser(server.port, "ines") as ines:
        write_config(home, config(server.port))
        async with gateway(home) as running:
            await until(lambda: has_joined(server), "the gateway is on the server")
            async with running.client() as client:
                with full_disk(running):
                    ines.say("lob", "what time is it")
                    ines.say("lob", "what day is it")
                    await server.expect("PRIVMSG lob :what day is it")
                    assert await client.call("health", {}, timeout=10), "a full disk must not stop the gateway"
                    assert not [line for line in ines.heard if ":lob!" in line]
                await ines.expect(":lob!", "It is ")
                both = [("what time is it", "delivered"), ("what day is it", "delivered")]
                await eventually(lambda: states(running), both)
            assert running.process.returncode is None


async def test_a_message_from_the_page_is_refused_with_the_reason_and_taken_when_sent_again(home: Path) -> None:
    async with gateway(home) as running, conversation(running.client()) as session:
        assert (await session.say("what time is it")).status == "ok"
        with full_disk(running):
            with pytest.raises(HomarusError) as refused:
                await session.send("what day is it")
            assert "disk" in str(refused.value)
        again = await session.say("what day is it")
        assert again.status == "ok"
        roles = [message["role"] for message in await session.history()]
        assert roles == ["user", "assistant", "user", "assistant"]


async def readiness(running: GatewayProcess) -> int:
    async with aiohttp.ClientSession() as session, session.get(f"{running.url}/ready") as response:
        return response.status


async def test_a_gateway_that_could_not_commit_is_not_ready_until_it_can_again(home: Path) -> None:
    async with gateway(home) as running, conversation(running.client()) as session:
        await eventually(lambda: readiness(running), 200)
        with full_disk(running):
            with pytest.raises(HomarusError):
                await session.send("what day is it")
            await eventually(lambda: readiness(running), 503)
        await eventually(lambda: readiness(running), 200)
