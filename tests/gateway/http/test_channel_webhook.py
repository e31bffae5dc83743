"""POST /webhook/<channel>: signed over the raw body, fresh, once; never as somebody of the platform."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from tests.gateway.conftest import Running
from tests.gateway.fake_services import TOKEN, FakeChannels, make_services

from homarus.channels.contract import ChatKind
from homarus.config.load import load_text
from homarus.errors import ConfigError, StorageError
from homarus.gateway.http.channel_webhook import is_signed
from homarus.gateway.server import GatewayServer
from homarus.gateway.settings import AuthSettings, GatewaySettings
from homarus.ids import Address
from homarus.testing.manual_clock import ManualClock

SECRET = "webhook-secret-0123456789abcdef"
NOW = 1_763_712_000
CALL: dict[str, Any] = {
    "id": "d-1",
    "timestamp": NOW,
    "event": "message",
    "channel": "irc",
    "data": {"text": "disk full", "user": "monitor", "chat": "#ops", "group": True},
}


@pytest.fixture
async def hooked(tmp_path: Path) -> AsyncIterator[Running]:
    """A gateway on whose IRC channel a program may speak."""
    webhooks = {"irc": {"secret": SECRET}, "telegram": {"secret": SECRET}}
    config = json.dumps({"gateway": {"http": {"webhooks": webhooks}}})
    services, runs = make_services(tmp_path, config, clock=ManualClock())
    server = GatewayServer(services, GatewaySettings(auth=AuthSettings(token=TOKEN)))
    await server.start(port=0)
    yield Running(server, runs, tmp_path)
    await server.stop()
    await services.database.close()


def accepted(gateway: Running) -> dict[str, Any]:
    return cast("FakeChannels", gateway.server.core.services.channels).accepted


def sign(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def post(gateway: Running, call: object, channel: str = "irc", **headers: str) -> tuple[int, Any]:
    body = call if isinstance(call, bytes) else json.dumps(call).encode()
    signed = {"X-Webhook-Signature": sign(body), **headers}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{gateway.http}/webhook/{channel}", data=io.BytesIO(body), headers=signed) as answer,
    ):
        text = await answer.text()
        return answer.status, json.loads(text) if text.startswith("{") else text


async def test_a_signed_call_is_a_message_of_a_sender_of_its_own(hooked: Running) -> None:
    assert await post(hooked, CALL, Host="bot.example.org") == (200, {"ok": True, "duplicate": False})
    message = accepted(hooked)["webhook:d-1"]
    assert message.address == Address("irc", "default", "#ops", None)
    assert (message.sender.id, message.text, message.kind) == ("webhook:monitor", "disk full", ChatKind.GROUP)
    assert message.is_mentioned


async def test_without_a_chat_the_answer_goes_to_the_user(hooked: Running) -> None:
    await post(hooked, {**CALL, "data": {"text": "hi", "user": "ann"}})
    message = accepted(hooked)["webhook:d-1"]
    assert (message.address.chat, message.kind) == ("ann", ChatKind.DIRECT)


async def test_the_same_call_again_is_not_taken_again(hooked: Running) -> None:
    await post(hooked, CALL)
    assert await post(hooked, CALL) == (200, {"ok": True, "duplicate": True})
    assert len(accepted(hooked)) == 1


@pytest.mark.parametrize(
    "signature",
    ["", "sha256=", "sha256=" + "0" * 64, "sha1=abc", sign(b"{}"), sign(json.dumps(CALL).encode(), "other")],
)
async def test_a_wrong_signature_is_refused_and_nothing_is_taken(hooked: Running, signature: str) -> None:
    status, answer = await post(hooked, CALL, **{"X-Webhook-Signature": signature})
    assert (status, answer["error"]["type"]) == (401, "unauthorized")
    assert accepted(hooked) == {}


async def test_the_signature_is_of_the_bytes_and_not_of_what_they_mean(hooked: Running) -> None:
    body = json.dumps(CALL, indent=2).encode()
    assert (await post(hooked, body, **{"X-Webhook-Signature": sign(json.dumps(CALL).encode())}))[0] == 401
    assert (await post(hooked, body))[0] == 200


@pytest.mark.parametrize("skew", [-301, 301, -86_400, 10**12])
async def test_an_old_call_is_refused(hooked: Running, skew: int) -> None:
    status, answer = await post(hooked, {**CALL, "timestamp": NOW + skew})
    assert (status, "300 s away from now" in answer["error"]["message"]) == (401, True)
    assert accepted(hooked) == {}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"id": None}, "/id"),
        ({"id": "a b"}, "/id"),
        ({"id": "x" * 129}, "/id"),
        ({"timestamp": "now"}, "/timestamp"),
        ({"event": "other"}, "/event"),
        ({"channel": "telegram"}, "for the channel 'telegram'"),
        ({"data": {"user": "a"}}, "text"),
        ({"data": {"text": "", "user": "a"}}, "/data/text"),
        ({"data": {"text": "x", "user": "a\nb"}}, "/data/user"),
        ({"data": {"text": "x", "user": "a", "chat": "\x00"}}, "/data/chat"),
        ({"data": {"text": "x" * 70_000, "user": "a"}}, "/data/text"),
        ({"data": []}, "/data"),
    ],
)
async def test_a_malformed_call_is_told_what_is_wrong(hooked: Running, change: dict[str, Any], problem: str) -> None:
    status, answer = await post(hooked, {**CALL, **change})
    assert (status, answer["error"]["type"]) == (400, "invalid_request_error")
    assert problem in answer["error"]["message"]
    assert accepted(hooked) == {}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"timestamp":1e400}'])
async def test_what_is_no_call_is_refused(hooked: Running, body: bytes) -> None:
    assert (await post(hooked, body))[0] == 400


async def test_a_large_body_is_not_read(hooked: Running) -> None:
    assert (await post(hooked, b" " * (256 * 1024 + 1)))[0] == 413


async def test_guessing_signatures_is_limited_on_this_machine_too(hooked: Running) -> None:
    for _ in range(20):
        await post(hooked, CALL, **{"X-Webhook-Signature": "sha256=no"})
    assert (await post(hooked, CALL))[0] == 429
    cast("ManualClock", hooked.server.core.services.clock).advance(61)
    assert (await post(hooked, CALL))[0] == 200


async def test_a_channel_that_is_not_there_is_named(hooked: Running) -> None:
    status, answer = await post(hooked, {**CALL, "channel": "telegram"}, "telegram")
    assert (status, "telegram is not configured" in answer["error"]["message"]) == (409, True)


async def test_without_a_configured_secret_there_is_no_such_route(gateway: Running) -> None:
    status, answer = await post(gateway, CALL)
    assert (status, answer["error"]["type"]) == (404, "not_found")
    assert (await post(gateway, CALL, Host="bot.example.org"))[0] == 421
    assert accepted(gateway) == {}


async def test_a_message_that_could_not_be_stored_is_to_be_sent_again(
    hooked: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_message: object) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(hooked.server.core.services.channels, "accept", refuse)
    assert (await post(hooked, CALL))[0] == 503


async def test_a_changed_secret_counts_at_once(hooked: Running, tmp_path: Path) -> None:
    text = json.dumps({"gateway": {"http": {"webhooks": {"irc": {"secret": "another-secret-0123456789"}}}}})
    config: Any = hooked.server.core.services.config
    config.current = load_text(text, tmp_path / "homarus.json", {})
    assert (await post(hooked, CALL))[0] == 401


@pytest.mark.parametrize("secret", ["", "short", "x" * 15])
def test_a_short_secret_is_an_error_in_the_configuration(tmp_path: Path, secret: str) -> None:
    text = json.dumps({"gateway": {"http": {"webhooks": {"irc": {"secret": secret}}}}})
    with pytest.raises(ConfigError, match="at least 16 characters"):
        load_text(text, tmp_path / "homarus.json", {})


def test_signatures_compare_whole_in_either_case_and_with_junk() -> None:
    good = sign(b"x", "s")
    assert is_signed(b"x", good, "s")
    assert is_signed(b"x", good.removeprefix("sha256=").upper(), "s")
    assert not is_signed(b"x", good[:-1], "s")
    assert not is_signed(b"x", "é" * 64, "s")
    assert not is_signed(b"x", "\udcff", "s")


async def test_other_verbs_are_told_which_to_use(hooked: Running) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{hooked.http}/webhook/irc") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
