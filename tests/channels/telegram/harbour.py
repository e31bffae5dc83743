"""A real gateway process beside a model server and the Bot API server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct
from tests.e2e.cli import homarus
from tests.e2e.process import write_config

from homarus.testing.model_server import JsonObject, ModelServer, Reply, Say, last_user_text
from homarus.testing.telegram.people import INES, People
from homarus.testing.telegram.server import TelegramServer
from homarus.testing.telegram.world import Sent

PATIENCE = 45.0


class Harbour(Struct):
    """A state folder with one Telegram bot and one model, and the people who write to it."""

    home: Path
    server: TelegramServer
    model: ModelServer
    people: People

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something has become true on the server."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.wait_for(self.server.changed(), PATIENCE)

    async def sent(self, count: int) -> Sent:
        """Wait until the bot has sent so many messages in all, and return the last of them."""
        await self.until(lambda: len(self.server.sent) >= count)
        assert len(self.server.sent) == count, [sent.text for sent in self.server.sent]
        return self.server.sent[-1]

    async def pair(self) -> None:
        """Let Ines in, as the owner does: with the code she was given, but without a word, so that answers count."""
        self.people.say(INES, "hello")
        code = re.search(r"code: (\S+)", (await self.sent(1)).text)
        assert code is not None
        finished = await homarus(self.home, "pairing", "approve", "telegram", code[1], "--no-notify")
        assert finished.code == 0, finished.err


def echo(body: JsonObject) -> Reply:
    """Say what was said."""
    return Say(f"you said: {last_user_text(body).rpartition('] ')[2]}")


@asynccontextmanager
async def open_harbour(
    root: Path,
    *,
    answer: Callable[[JsonObject], Reply] = echo,
    messages: JsonObject | None = None,
    agents: JsonObject | None = None,
    **telegram: object,
) -> AsyncGenerator[Harbour]:
    """Write a configuration whose bot has these keys, and run the servers it names."""
    async with TelegramServer() as server, ModelServer(answer=answer) as model:
        home = root / "home"
        provider = {"baseUrl": model.base_url, "apiKey": "none", "api": "openai-completions",
                    "models": [{"id": "mock", "name": "Mock", "input": ["text", "image"]}]}  # fmt: skip
        write_config(
            home,
            {
                "models": {"providers": {"mock": provider}},
                "agents": {"defaults": {"model": "mock/mock"} | (agents or {})},
                "messages": {"queue": {"debounceMs": 0}} | (messages or {}),
                "channels": {"telegram": {"botToken": server.bot.token, "apiRoot": server.root} | telegram},
            },
        )
        yield Harbour(home, server, model, People(server))
