"""`send`: what it refuses, and what its answer says."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from tests.gateway.conftest import Running
from tests.gateway.operations.desk import desk
from tests.gateway.raw_client import Frame, connected

from homarus.storage.outbound import select_parts

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


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


async def test_a_file_of_the_workspace_or_of_the_caller_goes_out_and_is_shown_in_the_transcript(
    gateway: Running,
) -> None:
    (gateway.folder / "workspace" / "boat.png").write_bytes(PNG)
    notes = f"data:text/plain;name=no%20tes.txt;base64,{b64encode(b'hi').decode()}"
    given = {"mediaUrl": "boat.png", "mediaUrls": [notes]}
    async with connected(gateway.url) as client:
        answer = await client.call("send", params(message=None, sessionKey="main", **given))
        history = (await client.call("chat.history", {"sessionKey": "main"}))["payload"]["messages"]
    assert answer["payload"]["state"] == "queued"
    parts = await gateway.server.core.services.database.read(select_parts, "send:k1")
    assert [(part.media.name, part.media.mime, part.media.size) for part in parts if part.media] == [
        ("boat.png", "image/png", len(PNG)),
        ("no tes.txt", "text/plain", 2),
    ]
    picture, text = history[0]["content"]
    assert (picture["type"], picture["mimeType"], picture["size"]) == ("file", "image/png", len(PNG))
    async with aiohttp.ClientSession(gateway.http) as site:
        async with site.get(picture["url"]) as response:
            assert (await response.read(), response.headers["Content-Disposition"]) == (PNG, "inline")
        async with site.get(text["url"]) as response:
            assert (await response.read(), response.headers["X-Content-Type-Options"]) == (b"hi", "nosniff")
            assert response.headers["Content-Disposition"].startswith("attachment")
        async with site.get(f"/media/{'0' * 32}/boat.png") as response:
            assert response.status == 404


async def test_a_file_can_come_beside_its_name_and_answer_a_message(gateway: Running) -> None:
    given = {"buffer": b64encode(b"hi").decode(), "filename": "no tes; 1.txt", "contentType": "text/plain"}
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as client:
        assert (await client.call("send", params(message=None, replyToId=77, **given)))["ok"]
    [part] = await gateway.server.core.services.database.read(select_parts, "send:k1")
    assert part.media is not None
    assert (part.media.name, part.media.mime, part.media.size, part.reply_to) == (
        "no tes; 1.txt",
        "text/plain",
        2,
        "77",
    )


async def test_a_file_of_the_web_goes_out_from_hosts_that_may_be_asked(tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=PNG if request.path == "/pictures/boat.png" else bytes(2000))

    runner = web.AppRunner(web.Application())
    runner.app.router.add_get("/{path:.*}", answer)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://localhost:{runner.addresses[0][1]}"
    guard = {"fetch": {"ssrfPolicy": {"allowedHostnames": ["LocalHost"]}, "timeoutSeconds": 20}}
    config = json.dumps({"tools": {"web": guard}})
    async with desk(tmp_path, config) as there:
        await there.ok("send", params(message=None, mediaUrl=f"{base}/pictures/boat.png?key=secret"))
        parts = await there.services.database.read(select_parts, "send:k1")
        assert [(part.media.name, part.media.mime, part.media.size) for part in parts if part.media] == [
            ("boat.png", "image/png", len(PNG)),
        ]
        assert "larger than 1000 bytes" in await there.refusal("send", params(mediaUrl=f"{base}/large"))
        other = base.replace("localhost", "127.0.0.1")
        assert "not of the internet" in await there.refusal("send", params(mediaUrl=f"{other}/pictures/boat.png"))
    await runner.cleanup()


async def test_a_link_out_of_the_workspace_is_not_followed(gateway: Running) -> None:
    (gateway.folder / "secret.txt").write_text("secret")
    (gateway.folder / "workspace" / "link.txt").symlink_to(gateway.folder / "secret.txt")
    async with connected(gateway.url) as client:
        answer = await client.call("send", params(mediaUrl="link.txt"))
    assert answer["error"]["code"] == "INVALID_REQUEST"
    assert "outside the workspace" in answer["error"]["message"]


async def test_a_file_that_the_channel_does_not_take_is_refused(gateway: Running) -> None:
    (gateway.folder / "workspace" / "large.bin").write_bytes(bytes(1001))
    large = f"data:text/plain;base64,{b64encode(bytes(1003)).decode()}"
    async with connected(gateway.url) as client:
        for given in ("large.bin", large):
            answer = await client.call("send", params(mediaUrl=given))
            assert "larger than 1000 bytes" in answer["error"]["message"]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"channel": "webchat"}, "unsupported channel: webchat"),
        ({"channel": "carrier-pigeon"}, "unsupported channel: carrier-pigeon"),
        ({"accountId": "other"}, "unknown account"),
        ({"message": " "}, "message required"),
        ({"message": None}, "message required"),
        ({"mediaUrl": "http://127.0.0.1/a.png"}, "not of the internet"),
        ({"mediaUrl": "HTTP://[::1]/a.png"}, "not of the internet"),
        ({"mediaUrl": "http://localhost/a.png"}, "tools.web.fetch.ssrfPolicy"),
        ({"mediaUrl": "https://user:word@host.example/a.png"}, "must not carry a name or password"),
        ({"mediaUrl": "ftp://host.example/a.png"}, "http(s) or data: URL"),
        ({"mediaUrl": "../secret.txt"}, "outside the workspace"),
        ({"mediaUrl": "/etc/passwd"}, "outside the workspace"),
        ({"mediaUrl": "missing.png"}, "does not exist"),
        ({"mediaUrl": "data:image/png,abc"}, "data:TYPE;name=FILE;base64"),
        ({"mediaUrl": "data:image/png;base64,*"}, "not valid base64"),
        ({"mediaUrls": ["a"] * 11}, "mediaUrls"),
        ({"buffer": "*"}, "not valid base64"),
        ({"buffer": b64encode(bytes(2000)).decode()}, "larger than 1000 bytes"),
        ({"buffer": "aGk=", "contentType": "text/plain\r\nX: y"}, "data:TYPE;name=FILE;base64"),
        ({"replyToId": ""}, "replyToId"),
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
