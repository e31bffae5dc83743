"""A port of the webhook's own."""

from __future__ import annotations

import asyncio
import io
import json

import aiohttp
import pytest
from tests.ports import reserved_port

from homarus.channels.telegram.config import TelegramConfig
from homarus.channels.telegram.settings import settings_of
from homarus.channels.telegram.webhook import LARGEST_BODY
from homarus.errors import ConfigError
from homarus.testing.ingress import MemoryIngress
from homarus.testing.telegram.launch import Build, Start
from homarus.testing.telegram.people import INES, People
from homarus.testing.telegram.server import TOKEN, TelegramServer

SECRET = "s3cret-Value_1"
HEADER = "X-Telegram-Bot-Api-Secret-Token"


async def test_updates_are_taken_at_the_port_and_everything_else_is_refused(
    start: Start, server: TelegramServer, people: People, ingress: MemoryIngress
) -> None:
    with reserved_port() as port:
        url = f"http://127.0.0.1:{port}/tg"
        async with start(webhookUrl=url, webhookSecret=SECRET, webhookPort=port):
            people.say(INES, "hello")
            assert (await ingress.wait()).text == "hello"
            async with aiohttp.ClientSession() as client:
                update = json.dumps({"update_id": 5, "message": {}}).encode()
                for secret, path, body, status in (
                    ("wrong", "/tg", update, 401),
                    ("wrong", "/tg", b"x" * 100_000, 401),
                    (SECRET, "/tg", b"x" * (LARGEST_BODY + 2), 413),
                    (SECRET, "/tg", b"no update", 400),
                    (SECRET, "/", update, 404),
                ):
                    at = url.replace("/tg", path)
                    async with client.post(at, data=io.BytesIO(body), headers={HEADER: secret}) as answer:
                        assert answer.status == status
        with pytest.raises(OSError, match="Connect"):
            await asyncio.open_connection("127.0.0.1", port)


async def test_a_port_that_is_taken_is_named_with_what_to_do(build: Build, ingress: MemoryIngress) -> None:
    other = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = int(other.sockets[0].getsockname()[1])
    channel = build(webhookUrl="https://bot.example.org/tg", webhookSecret=SECRET, webhookPort=port)
    async with other:
        with pytest.raises(ConfigError, match="nothing can listen") as caught:
            await channel.run(ingress)
    await channel.close()
    assert caught.value.path == "channels.telegram.webhookPort"


def test_only_this_machine_is_listened_to_unless_a_host_is_named() -> None:
    keys = {"botToken": TOKEN, "webhookUrl": "https://bot.example.org/tg", "webhookSecret": SECRET}
    for more, listen in (
        ({}, None),
        ({"webhookPort": 9000}, ("127.0.0.1", 9000)),
        ({"webhookHost": "0.0.0.0"}, ("0.0.0.0", 8787)),  # noqa: S104 - what a container sets
    ):
        webhook = settings_of(TelegramConfig.model_validate(keys | more), "default").webhook
        assert webhook is not None
        assert webhook.listen == listen
