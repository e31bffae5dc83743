from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from aiohttp import web

from homarus.channels.telegram.channel import TelegramChannel
from homarus.channels.telegram.webhook import LARGEST_BODY
from homarus.errors import ConfigError, Transient
from homarus.testing.ingress import MemoryIngress
from homarus.testing.manual_clock import ManualClock
from homarus.testing.telegram.launch import Build, Start
from homarus.testing.telegram.people import INES, People
from homarus.testing.telegram.server import TelegramServer

URL = "https://bot.example.org/tg"
SECRET = "s3cret-Value_1"
GOOD = {"X-Telegram-Bot-Api-Secret-Token": SECRET, "Content-Type": "application/json"}


def update(people: People, text: str) -> bytes:
    return json.dumps({"update_id": 5, "message": people.say(INES, text)}).encode()


async def test_an_update_is_committed_before_it_is_answered(
    start: Start, people: People, ingress: MemoryIngress
) -> None:
    ingress.gate.clear()
    async with start(webhookUrl=URL, webhookSecret=SECRET) as (channel, _):
        call = asyncio.create_task(channel.handle_webhook(GOOD, update(people, "hello")))
        await ingress.wait_for_calls(1)
        assert not call.done()
        ingress.gate.set()
        assert await call == 200
    assert [message.text for message in ingress.messages] == ["hello"]


@pytest.mark.parametrize("secret", ["", "wrong", "s3cret-Value_", "s3cret-Value_12", "S3CRET-VALUE_1", "\udcff\xe9"])
async def test_a_wrong_secret_is_refused_and_nothing_is_taken(
    start: Start, people: People, ingress: MemoryIngress, secret: str
) -> None:
    async with start(webhookUrl=URL, webhookSecret=SECRET) as (channel, _):
        headers = {"x-telegram-bot-api-secret-token": secret} if secret else {}
        assert await channel.handle_webhook(headers, update(people, "x")) == 401
        assert await channel.handle_webhook(headers, b"x" * (LARGEST_BODY + 1)) == 401
    assert ingress.calls == []


async def test_the_name_of_the_header_may_be_written_in_any_case(start: Start, people: People) -> None:
    async with start(webhookUrl=URL, webhookSecret=SECRET) as (channel, _):
        headers = {"x-TELEGRAM-bot-api-secret-TOKEN": "s3cret-Value_1"}
        assert await channel.handle_webhook(headers, update(people, "x")) == 200


async def test_an_oversized_body_is_refused(start: Start, ingress: MemoryIngress) -> None:
    async with start(webhookUrl=URL, webhookSecret=SECRET) as (channel, _):
        assert await channel.handle_webhook(GOOD, b" " * (LARGEST_BODY + 1)) == 413
    assert ingress.calls == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"{}", b'{"update_id": "x"}', b"\xff\xfe", b"[" * 100_000])
async def test_what_is_no_update_is_a_bad_request(start: Start, ingress: MemoryIngress, body: bytes) -> None:
    async with start(webhookUrl=URL, webhookSecret=SECRET) as (channel, _):
        assert await channel.handle_webhook(GOOD, body) == 400
    assert ingress.calls == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"update_id": 5}',
        b'{"update_id": 5, "poll": {"id": "1"}}',
        b'{"update_id": 5, "message": {"message_id": "x"}}',
        b'{"update_id": 5, "message": {"message_id": 1, "chat": {"id": 1, "type": "private"}}}',
    ],
)
async def test_an_update_without_anything_to_answer_is_taken_off_telegrams_hands(
    start: Start, ingress: MemoryIngress, body: bytes
) -> None:
    async with start(webhookUrl=URL, webhookSecret=SECRET) as (channel, _):
        assert await channel.handle_webhook(GOOD, body) == 200
    assert ingress.calls == []


async def test_a_journal_that_cannot_be_written_makes_telegram_call_again(
    start: Start, people: People, ingress: MemoryIngress
) -> None:
    ingress.failures = 1
    async with start(webhookUrl=URL, webhookSecret=SECRET) as (channel, _):
        body = update(people, "keep me")
        assert await channel.handle_webhook(GOOD, body) == 503
        assert await channel.handle_webhook(GOOD, body) == 200
        assert await channel.handle_webhook(GOOD, body) == 200
    assert [message.text for message in ingress.messages] == ["keep me"]


async def test_calls_are_refused_while_the_channel_does_not_run(start: Start, build: Build, people: People) -> None:
    assert await build(webhookUrl=URL, webhookSecret=SECRET).handle_webhook(GOOD, update(people, "early")) == 503
    async with start(webhookUrl=URL, webhookSecret=SECRET) as (channel, _):
        pass
    assert await channel.handle_webhook(GOOD, update(people, "late")) == 503


async def test_more_calls_than_are_worked_on_at_once_are_sent_away(
    start: Start, people: People, ingress: MemoryIngress
) -> None:
    ingress.gate.clear()
    async with start(webhookUrl=URL, webhookSecret=SECRET) as (channel, _):
        calls = [asyncio.create_task(channel.handle_webhook(GOOD, update(people, f"n{n}"))) for n in range(100)]
        await ingress.wait_for_calls(100)
        assert await channel.handle_webhook(GOOD, update(people, "too many")) == 503
        ingress.gate.set()
        assert set(await asyncio.gather(*calls)) == {200}
        assert await channel.handle_webhook(GOOD, update(people, "again")) == 200


async def test_the_parts_of_an_album_are_one_message_and_all_are_answered_after_its_commit(
    start: Start, people: People, ingress: MemoryIngress
) -> None:
    clock = ManualClock()
    async with start(clock=clock, webhookUrl=URL, webhookSecret=SECRET) as (channel, _):
        bodies = [
            json.dumps({"update_id": n, "message": people.photo(INES, b"p%d" % n, media_group_id="g")}).encode()
            for n in range(3)
        ]
        calls = [asyncio.create_task(channel.handle_webhook(GOOD, body)) for body in (*reversed(bodies), bodies[0])]
        await asyncio.wait_for(clock.sleeping(0.01), 45)
        calls[0].cancel()
        clock.advance(0.01)
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert results[1:] == [200, 200, 200]
    assert [item.data for item in ingress.messages[0].attachments] == [b"p0", b"p1", b"p2"]
    assert len(ingress.messages) == 1


async def test_an_album_that_was_not_complete_at_the_end_is_not_confirmed(
    start: Start, people: People, ingress: MemoryIngress
) -> None:
    clock = ManualClock()
    async with start(clock=clock, webhookUrl=URL, webhookSecret=SECRET) as (channel, _):
        body = json.dumps({"update_id": 1, "message": people.photo(INES, b"p", media_group_id="g")}).encode()
        call = asyncio.create_task(channel.handle_webhook(GOOD, body))
        await asyncio.wait_for(clock.sleeping(0.01), 45)
    assert await call == 503
    assert ingress.messages == []


async def test_telegram_is_told_the_address_the_secret_and_the_kinds_of_updates(
    start: Start, server: TelegramServer
) -> None:
    async with start(webhookUrl=URL, webhookSecret=SECRET) as (channel, _):
        assert channel.webhook_path == "/tg"
    assert server.bot.webhook_url == "https://bot.example.org/tg"
    assert server.bot.webhook_secret == "s3cret-Value_1"
    assert server.bot.allowed == {"message", "callback_query"}
    assert "getUpdates" not in server.calls


async def test_a_certificate_of_ones_own_is_handed_in(start: Start, server: TelegramServer, tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_bytes(b"-----BEGIN CERTIFICATE-----")
    async with start(webhookUrl=URL, webhookSecret=SECRET, webhookCertPath=str(tmp_path / "cert.pem")):
        pass
    assert server.bot.certificate == b"-----BEGIN CERTIFICATE-----"
    assert server.bot.webhook_secret == "s3cret-Value_1"
    assert server.bot.allowed == {"message", "callback_query"}


async def test_a_certificate_that_cannot_be_read_names_its_key(build: Build) -> None:
    channel = build(webhookUrl=URL, webhookSecret=SECRET, webhookCertPath="/nonexistent/cert.pem")
    with pytest.raises(ConfigError) as caught:
        await channel.run(MemoryIngress())
    await channel.close()
    assert caught.value.path == "channels.telegram.webhookCertPath"


async def test_a_webhook_taken_over_by_somebody_else_ends_the_run(start: Start, server: TelegramServer) -> None:
    clock = ManualClock()
    async with start(clock=clock, webhookUrl=URL, webhookSecret=SECRET) as (_, task):
        await asyncio.wait_for(clock.sleeping(900.0), 45)
        clock.advance(900.0)
        await server.called("getWebhookInfo")
        await asyncio.wait_for(clock.sleeping(900.0), 45)
        server.bot.webhook_url = "https://elsewhere.example/"
        clock.advance(900.0)
        with pytest.raises(Transient, match="changed by another program"):
            await asyncio.wait_for(task, 45)


async def test_messages_come_through_a_real_call_once_and_in_order(
    server: TelegramServer, people: People, build: Build, ingress: MemoryIngress
) -> None:
    channels: list[TelegramChannel] = []

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=await channels[0].handle_webhook(request.headers, await request.read()))

    app = web.Application()
    app.router.add_post("/tg", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    channels.append(build(webhookUrl=f"http://127.0.0.1:{runner.addresses[0][1]}/tg", webhookSecret="s"))
    ingress.failures = 2
    for number in range(10):
        people.say(INES, f"n{number}")
    task = asyncio.create_task(channels[0].run(ingress))
    await server.confirmed(10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await channels[0].close()
    await runner.cleanup()
    assert [message.text for message in ingress.messages] == [f"n{number}" for number in range(10)]
