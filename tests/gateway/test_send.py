"""`send`: what it refuses, and what its answer says."""

from __future__ import annotations

import pytest
from tests.gateway.conftest import Running
from tests.gateway.raw_client import Frame, connected


def params(**more: object) -> Frame:
    return {"to": "ines", "message": "hello", "channel": "irc", "idempotencyKey": "k1", **more}


async def test_what_no_platform_has_taken_yet_is_queued(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        answer = await client.call("send", params())
        again = await client.call("send", params(to="irc:ines"))
    assert answer["ok"], answer
    payload = answer["payload"]
    assert (payload["runId"], payload["channel"], payload["chatId"], payload["state"]) == (
        "k1",
        "irc",
        "ines",
        "queued",
    )
    assert again["payload"]["messageId"] == payload["messageId"]


async def test_the_only_channel_need_not_be_named(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        assert (await client.call("send", params(channel=None)))["payload"]["channel"] == "irc"


async def test_a_session_is_told_what_was_said_in_its_name(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        assert (await client.call("send", params(sessionKey="main")))["ok"]
        assert (await client.call("send", params(sessionKey="main")))["ok"]
        history = (await client.call("chat.history", {"sessionKey": "main"}))["payload"]["messages"]
    assert [message["content"][0]["text"] for message in history] == ["hello"]
    assert history[0]["role"] == "assistant"


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"channel": "webchat"}, "unsupported channel: webchat"),
        ({"channel": "carrier-pigeon"}, "unsupported channel: carrier-pigeon"),
        ({"accountId": "other"}, "unknown account"),
        ({"message": " "}, "message required"),
        ({"message": None}, "message required"),
        ({"mediaUrl": "https://host.example/a.png"}, "media cannot be sent"),
        ({"to": "ines\r\nQUIT"}, "line breaks"),
        ({"to": " "}, "line breaks"),
        ({"threadId": "a\nb"}, "line breaks"),
        ({"to": ""}, "to"),
        ({"to": "x" * 513}, "to"),
        ({"message": "x" * 65_537}, "message"),
        ({"idempotencyKey": ""}, "idempotencyKey"),
        ({"sessionKey": "agent:nobody:main"}, "unknown agent"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_the_reason(gateway: Running, more: Frame, problem: str) -> None:
    async with connected(gateway.url) as client:
        answer = await client.call("send", params(**more))
    assert answer["error"]["code"] == "INVALID_REQUEST"
    assert problem in answer["error"]["message"]
