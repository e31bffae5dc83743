"""A real gateway process and the test server: what a user of the Telegram channel lives through."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from homarus.testing.telegram.faults import Fault, FaultKind
from homarus.testing.telegram.people import INES, People
from homarus.testing.telegram.server import TelegramServer
from homarus.testing.telegram.world import Sent

pytestmark = pytest.mark.e2e

PATIENCE = 40.0


class Home:
    """A state folder with one Telegram bot; runs `homarus` on it."""

    def __init__(self, folder: Path, server: TelegramServer) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self._env = {**os.environ, "HOMARUS_HOME": str(folder)}
        telegram: dict[str, object] = {"botToken": server.bot.token, "apiRoot": server.root, "groups": {"*": {}}}
        gateway = {"port": port, "auth": {"mode": "token", "token": "a-token-for-this-test-only-0123456789"}}
        (folder / "homarus.json").write_text(json.dumps({"gateway": gateway, "channels": {"telegram": telegram}}))

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "homarus", *arguments, env=self._env, stdout=asyncio.subprocess.DEVNULL
        )

    @asynccontextmanager
    async def gateway(self) -> AsyncGenerator[asyncio.subprocess.Process]:
        process = await self.start("gateway", "run")
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.wait(), PATIENCE)


async def next_sent(server: TelegramServer) -> Sent:
    """Return the next message; a process under load needs more than the server's own patience."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(TimeoutError):
                return await server.next_sent()


async def pair(home: Home, server: TelegramServer, people: People) -> None:
    people.say(INES, "hello")
    code = re.search(r"code: (\S+)", (await next_sent(server)).text)
    assert code is not None
    approved = await home.start("pairing", "approve", "telegram", code.group(1))
    assert await asyncio.wait_for(approved.wait(), PATIENCE) == 0


async def test_a_stranger_pairs_is_answered_and_is_heard_in_a_topic_when_addressed(tmp_path: Path) -> None:
    async with TelegramServer() as server:
        people, home = People(server), Home(tmp_path, server)
        crew = people.group("Boat crew", is_forum=True, topics=(77,))
        async with home.gateway():
            await pair(home, server, people)
            people.say(INES, "hello again")
            assert (await next_sent(server)).chat == INES.id
            people.say(INES, "not for the bot", chat=crew, thread=77)
            asked = people.say(INES, "@homarus_bot hello", chat=crew, thread=77)
            answer = await next_sent(server)
        assert (answer.chat, answer.thread, answer.reply_to) == (crew.id, 77, asked["message_id"])
        assert len(server.sent) == 3
        assert server.bot.updates == []


async def test_a_kill_in_the_middle_of_a_reply_ends_in_exactly_one_message(tmp_path: Path) -> None:
    async with TelegramServer() as server:
        people, home = People(server), Home(tmp_path, server)
        async with home.gateway() as first:
            await pair(home, server, people)
            server.faults.add("sendMessage", Fault(FaultKind.STALL))
            people.say(INES, "hello again")
            async with asyncio.timeout(PATIENCE):
                while server.calls.count("sendMessage") < 2:
                    await server.changed()
            first.kill()
            await first.wait()
        assert len(server.sent) == 1
        async with home.gateway():
            answer = await next_sent(server)
            people.say(INES, "and now?")
            await next_sent(server)
        assert answer.text.startswith("(sent again after an interruption")
        assert len(server.sent) == 3
