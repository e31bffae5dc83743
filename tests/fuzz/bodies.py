"""HTTP requests to the gateway's routes, and the calls of a platform's webhook."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from random import Random
from typing import Any, cast
from unittest.mock import Mock

from aiohttp import StreamReader, web
from aiohttp.http import HttpVersion11, RawRequestMessage
from multidict import CIMultiDict, CIMultiDictProxy
from tests.fuzz.gateway import HOOK_PATH, Target, snapshot
from tests.fuzz.mutation import dump, spoil_bytes, spoil_tree
from tests.fuzz.texts import seeds
from tests.fuzz.watch import HANG_SECONDS, Findings
from yarl import URL

from homarus.channels.contract import Inbound
from homarus.channels.telegram.bot import Bot
from homarus.channels.telegram.inbound import Reader
from homarus.channels.telegram.intake import Intake
from homarus.channels.telegram.media import Media
from homarus.channels.telegram.objects import User
from homarus.channels.telegram.webhook import Receiver
from homarus.clock import SystemClock
from homarus.gateway.http.page import Page
from homarus.gateway.http.routes import MAX_BODY, Routes
from homarus.gateway.http.surfaces import DOCUMENTS
from homarus.testing.ingress import MemoryIngress

PATHS = (
    *("/api/login", "/api/login", HOOK_PATH, HOOK_PATH, "/health", "/ready", "/api/nothing", "/", "/../x.css"),
    *("/rpc", "/rpc", "/webhook/irc", "/webhook/irc", "/webhook/x", "/api/sessions", "/api/cron/%2e%2e", "/api/docs"),
)
METHODS = ("POST", "POST", "POST", "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH")
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"Origin": "http://evil.example"},
    {"Host": "evil.example"},
    {"X-Forwarded-For": "1.2.3.4, x"},
    {"Content-Type": "text/\xff"},
    {"Content-Length": "99999999"},
    {"Origin": "null", "Cookie": "a" * 3_000},
)
_TRANSPORT = Mock(**{"get_extra_info.return_value": ("127.0.0.1", 40_000)})
_PROTOCOL = Mock(_reading_paused=False, transport=_TRANSPORT, peername=("127.0.0.1", 40_000), ssl_context=None)
_WRITER = Mock()
_TASK = Mock()
SECRET = "webhook-secret"


async def fuzz_http(target: Target, random: Random, count: int, findings: Findings) -> int:
    """Send requests without credentials: an answer below 500 each, but for the page that is not built."""
    app = Routes(target.core, Page(Path("/nonexistent"))).application()
    app.freeze()
    corpus = [json.loads(entry) for entry in seeds("bodies.jsonl")]
    before = target.disk.look(snapshot)
    # The reference is made with the first request for it, once in the life of a process; only then it is an answer.
    for document in DOCUMENTS:
        await send(app, "GET", document, {"Host": "127.0.0.1"}, b"")
    for _ in range(count):
        method, path, body = random.choice(METHODS), random.choice(PATHS), _body(random, corpus)
        if random.random() < 0.2:
            path = "/" + spoil_bytes(random, path.encode()).decode("latin-1").replace(" ", "%20").lstrip("/")
        findings.input = f"{method} {path!r} {body!r}"
        began = time.process_time()
        try:
            async with asyncio.timeout(HANG_SECONDS):
                response = await send(app, method, path, {"Host": "127.0.0.1", **random.choice(HEADERS)}, body)
        except Exception as error:  # noqa: BLE001 - finding these is the purpose
            findings.note(f"raised {error!r}")
            continue
        findings.time(began)
        _check_response(response, findings)
    if target.disk.look(snapshot) != before:
        findings.note("something stored changed before authentication")
    return count


async def send(app: web.Application, method: str, path: str, headers: dict[str, str], body: bytes) -> web.Response:
    for each in (_TRANSPORT, _PROTOCOL, _WRITER, _TASK):
        each.reset_mock()  # they keep every call, and collecting a million of those is taken for a hang
    payload = StreamReader(_PROTOCOL, 2**16, loop=asyncio.get_running_loop())
    payload.feed_data(body)
    payload.feed_eof()
    fields = CIMultiDictProxy(CIMultiDict(headers))
    raw = tuple((name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in headers.items())
    head = RawRequestMessage(method, path, HttpVersion11, fields, raw, False, None, False, False, _url(path))
    loop = asyncio.get_running_loop()
    request = web.Request(head, payload, _PROTOCOL, _WRITER, _TASK, loop, client_max_size=MAX_BODY)
    return cast("web.Response", await app._handle(request))  # pyright: ignore[reportPrivateUsage]


def _url(path: str) -> URL:
    """Return what aiohttp's parser makes of a path."""
    plain, _, query = path.partition("?")
    return URL.build(path=plain, query_string=query, encoded=True)


def _check_response(response: web.Response, findings: Findings) -> None:
    if response.status >= 500 and response.status != 503:
        findings.note(f"answered {response.status}")
    if response.content_type == "application/json" and isinstance(response.body, bytes):
        try:
            json.loads(response.body)
        except ValueError:
            findings.note(f"answered something that is not JSON: {response.body[:200]!r}")


def _body(random: Random, corpus: list[Any]) -> bytes:
    roll = random.random()
    if roll < 0.4:
        return dump(spoil_tree(random, random.choice(corpus)))
    data = dump(random.choice(corpus))
    if roll < 0.45:
        return data * 200
    return spoil_bytes(random, data, b"\xff\xfe{}")


class NoMedia:
    """There are no files to fetch."""

    async def with_pictures(self, message: Inbound) -> Inbound:
        return message


class NoBot:
    """There is no Telegram to answer presses at."""

    async def answer_press(self, press: str) -> None:
        assert press


async def fuzz_webhook(random: Random, count: int, findings: Findings) -> int:
    """Call the Telegram webhook: a wrong secret commits nothing, nothing raises, every answer is a known status."""
    ingress = MemoryIngress()
    me = User(id=1, is_bot=True, first_name="me", username="homarusbot")
    media = cast("Media", NoMedia())
    reader, bot = Reader("default", me, frozenset({"start"})), cast("Bot", NoBot())
    intake = Intake(ingress, reader, media, SystemClock(), bot)
    receiver = Receiver(SECRET, intake, SystemClock(), album_wait=0.0)
    corpus = [json.loads(entry) for entry in seeds("updates.jsonl")]
    for _ in range(count):
        body, is_known = _update(random, corpus), random.random() < 0.9
        findings.input = body
        stored, began = len(ingress.messages), time.process_time()
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET if is_known else random.choice(("", "x", SECRET + "é"))}
        try:
            async with asyncio.timeout(HANG_SECONDS):
                status = await receiver.handle(headers, body)
        except Exception as error:  # noqa: BLE001 - finding these is the purpose
            findings.note(f"raised {error!r}")
            continue
        findings.time(began)
        if status not in (200, 400, 401, 413, 503) or (status == 401) == is_known:
            findings.note(f"answered {status}")
        if not is_known and len(ingress.messages) != stored:
            findings.note("a call without the secret was committed")
        if len(ingress.messages) > 5_000:
            ingress.messages.clear()
            ingress.calls.clear()
    await receiver.close()
    return count


def _update(random: Random, corpus: list[Any]) -> bytes:
    update = random.choice(corpus)
    if random.random() < 0.7:
        update = spoil_tree(random, update)
    data = dump(update)
    return spoil_bytes(random, data, dump(random.choice(corpus))) if random.random() < 0.4 else data
