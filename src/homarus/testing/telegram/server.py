"""A Bot API server inside the test process, with every fault a real one shows.

It keeps updates until they are confirmed, holds long polls, calls webhooks, and reads markup and limits as strictly as
the cloud server. People act through `People`; `sent`, `reactions` and `actions` show what bots did. Nothing in it waits
by the clock except where a fault says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from types import TracebackType
from typing import Self, cast

import aiohttp
from aiohttp import web

from homarus.clock import SystemClock
from homarus.testing.telegram.faults import Fault, FaultKind, Faults
from homarus.testing.telegram.methods import Arguments, Methods, Refusal
from homarus.testing.telegram.world import Json, Sent, TestBot, TestChat

TOKEN = "123456789:AAtestTESTtestTESTtestTESTtestTESTte"  # noqa: S105 - of this test server only
PATIENCE = 45.0
"""Seconds after which a wait fails the test."""


class TelegramServer:
    """The server. `calls` holds the name of every method called, in order; `sent` what bots sent.

    `repeat` gives every update of a batch so many times, `is_reversed` gives batches backwards.
    """

    def __init__(self, *, token: str = TOKEN, username: str = "homarus_bot") -> None:
        self.faults = Faults()
        self.bots: dict[str, TestBot] = {}
        self.chats: dict[int, TestChat] = {}
        self.sent: list[Sent] = []
        self.calls: list[str] = []
        self.reactions: dict[tuple[int, int, int], list[str]] = {}
        self.presses: set[str] = set()
        self.actions: list[tuple[int, int | None, str]] = []
        self.files: dict[str, tuple[str, bytes]] = {}
        self.largest_download = 20 * 1024 * 1024
        self.allows_http_webhooks = True
        self.repeat = 1
        self.is_reversed = False
        self.now = SystemClock().now_ms() // 1000
        self.bot = self.add_bot(token, username)
        self._ids: dict[int, list[int]] = {}
        self._seen = 0
        self._methods = Methods(self)
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        """Start on a free loopback port."""
        app = web.Application(client_max_size=60 * 1024 * 1024)
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        app.router.add_get("/file/bot{token}/{path:.+}", self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drop everybody and stop."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.cut()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def root(self) -> str:
        """Return the address to give as apiRoot."""
        return f"http://127.0.0.1:{self._port}"

    def add_bot(self, token: str, username: str) -> TestBot:
        """Create another bot."""
        bot = TestBot(token, int(token.partition(":")[0]), username)
        self.bots[token] = bot
        return bot

    async def stop_listening(self) -> None:
        """Take no more connections and drop the open ones: the machine is away."""
        for site in list(self._runner.sites) if self._runner is not None else []:
            await site.stop()
        self.cut()

    def cut(self) -> None:
        """Drop every connection without a word."""
        server = self._runner.server if self._runner is not None else None
        for handler in server.connections if isinstance(server, web.Server) else ():
            if isinstance(handler.transport, asyncio.Transport):
                handler.transport.abort()

    async def changed(self) -> None:
        """Wait until anything happens."""
        async with self._news:
            await self._news.wait()

    async def next_sent(self) -> Sent:
        """Return the next message that a bot sent. Raises TimeoutError after PATIENCE."""
        async with asyncio.timeout(PATIENCE), self._news:
            while len(self.sent) <= self._seen:
                await self._news.wait()
        self._seen += 1
        return self.sent[self._seen - 1]

    async def called(self, method: str, times: int = 1) -> None:
        """Wait until a method was called so often. Raises TimeoutError after PATIENCE."""
        async with asyncio.timeout(PATIENCE), self._news:
            while self.calls.count(method) < times:
                await self._news.wait()

    async def confirmed(self, count: int, bot: TestBot | None = None) -> None:
        """Wait until so many updates were confirmed. Raises TimeoutError after PATIENCE."""
        async with asyncio.timeout(PATIENCE), self._news:
            while (bot or self.bot).confirmed < count:
                await self._news.wait()

    async def hooked(self, bot: TestBot | None = None) -> None:
        """Wait until a bot has set a webhook. Raises TimeoutError after PATIENCE."""
        async with asyncio.timeout(PATIENCE), self._news:
            while not (bot or self.bot).webhook_url:
                await self._news.wait()

    def next_message_id(self, chat: int) -> int:
        """Return the number of the next message in a chat."""
        ids = self._ids.setdefault(chat, [])
        ids.append((ids[-1] if ids else 10) + 1)
        return ids[-1]

    def message(self, bot: TestBot, sent: Sent) -> Json:
        """Return the Message object of something a bot sent."""
        return self._methods.message(bot, sent)

    def message_ids(self, chat: int) -> list[int]:
        """Return the numbers of all messages in a chat."""
        return self._ids.get(chat, [])

    def record(self, bot: TestBot, sent: Sent) -> None:  # noqa: ARG002 - one list for all bots
        """Keep what a bot sent."""
        self.sent.append(sent)
        self.tell()

    def set_allowed(self, bot: TestBot, arguments: Arguments) -> None:
        """Remember which kinds of updates a bot wants; without the parameter the last setting stays."""
        if "allowed_updates" in arguments.values:
            bot.allowed = frozenset(str(item) for item in arguments.items("allowed_updates"))

    def tell(self) -> None:
        """Wake whoever waits for something to happen."""
        self._start(self._notify())

    def start_webhook(self, bot: TestBot) -> None:
        """Deliver the updates of a bot to its webhook from now on."""
        self.tell()
        if bot.webhook_url and self._runner is not None:
            self._start(self._deliver(bot, bot.webhook_url))

    async def _notify(self) -> None:
        async with self._news:
            self._news.notify_all()

    def _start(self, work: object) -> None:
        task = asyncio.get_running_loop().create_task(work)  # pyright: ignore[reportArgumentType, reportUnknownVariableType]
        self._tasks.add(cast("asyncio.Task[None]", task))
        cast("asyncio.Task[None]", task).add_done_callback(self._tasks.discard)

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        self.calls.append(method)
        self.tell()
        arguments = await _arguments(request)
        fault = self.faults.take(method)
        if fault is not None and (early := await self._fail_early(request, fault)) is not None:
            return early
        answer = await self._answer(request.match_info["token"], method, arguments)
        if fault is not None and fault.kind in {FaultKind.LOSE, FaultKind.HALF}:
            return await _lose(request, answer, is_half=fault.kind is FaultKind.HALF)
        return web.json_response(answer, status=cast("int", answer.get("error_code", 200)))

    async def _fail_early(self, request: web.Request, fault: Fault) -> web.StreamResponse | None:
        if fault.kind is FaultKind.REFUSE:
            return _refusal(fault.code, fault.description, fault.parameters)
        if fault.kind is FaultKind.PAGE:
            page = "<html><h1>Bad Gateway</h1></html>"
            return web.Response(status=fault.code, text=page, content_type="text/html")
        if fault.kind is FaultKind.CUT:
            _abort(request)
            return web.Response()
        if fault.kind is FaultKind.STALL:
            await asyncio.Event().wait()
        if fault.kind is FaultKind.DELAY:
            await asyncio.sleep(fault.seconds)
        return None

    async def _answer(self, token: str, method: str, arguments: Arguments) -> Json:
        bot = self.bots.get(token)
        if bot is None or bot.is_revoked:
            return {"ok": False, "error_code": 401, "description": "Unauthorized"}
        try:
            if method.lower() == "getupdates":
                return {"ok": True, "result": await self._updates(bot, arguments)}
            return {"ok": True, "result": self._methods.answer(method, bot, arguments)}
        except Refusal as error:
            answer: Json = {"ok": False, "error_code": error.code, "description": str(error)}
            return answer | ({"parameters": error.parameters} if error.parameters else {})

    async def _updates(self, bot: TestBot, arguments: Arguments) -> list[Json]:
        if bot.webhook_url:
            raise Refusal(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook first")
        if bot.poll is not None:
            bot.poll.set()
        ended = bot.poll = asyncio.Event()
        offset = arguments.number("offset") or 0
        if offset < 0:
            bot.keep_last(-offset)
        else:
            bot.confirm(offset)
        self.set_allowed(bot, arguments)
        self.tell()
        try:
            await self._wait_for_update(bot, ended, arguments.number("timeout") or 0)
        finally:
            if bot.poll is ended:
                bot.poll = None
        if ended.is_set():
            raise Refusal(
                409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
            )
        batch = [update for update in bot.updates[: arguments.number("limit") or 100] for _ in range(self.repeat)]
        return batch[::-1] if self.is_reversed else batch

    async def _wait_for_update(self, bot: TestBot, ended: asyncio.Event, seconds: int) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not bot.updates and not ended.is_set():
                    bot.news.clear()
                    await _first(bot.news, ended)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        self.calls.append("file")
        fault = self.faults.take("file")
        if fault is not None and (early := await self._fail_early(request, fault)) is not None:
            return early
        known = dict(self.files.values())
        path = request.match_info["path"]
        if request.match_info["token"] not in self.bots or path not in known:
            return _refusal(404, "Not Found", {})
        return web.Response(body=known[path])

    async def _deliver(self, bot: TestBot, url: str) -> None:
        """Call the webhook with one update after the other until it is changed; each until it is answered with 2xx."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            while bot.webhook_url == url:
                if not bot.updates:
                    bot.news.clear()
                    await bot.news.wait()
                    continue
                if await self._push(session, bot, url):
                    bot.confirmed += 1
                    bot.updates.pop(0)
                    self.tell()
                else:
                    await asyncio.sleep(0.05)

    async def _push(self, session: aiohttp.ClientSession, bot: TestBot, url: str) -> bool:
        headers = {"X-Telegram-Bot-Api-Secret-Token": bot.webhook_secret} if bot.webhook_secret else {}
        try:
            async with session.post(url, json=bot.updates[0], headers=headers) as response:
                if response.status // 100 == 2:
                    return True
                bot.webhook_error = f"Wrong response from the webhook: {response.status}"
        except (aiohttp.ClientError, TimeoutError) as error:
            bot.webhook_error = f"Connection failed: {type(error).__name__}"
        return False


async def _first(*events: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _arguments(request: web.Request) -> Arguments:
    values: Json = dict(request.query)
    files: dict[str, tuple[str, bytes]] = {}
    if request.content_type == "application/json":
        values |= cast("Json", await request.json()) if request.can_read_body else {}
    elif request.can_read_body:
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                files[name] = (value.filename, value.file.read())
            else:
                values[name] = str(value)
    return Arguments(_attached(values, files), files)


def _attached(values: Json, files: dict[str, tuple[str, bytes]]) -> Json:
    """Give files that a parameter names by `attach://` the parameter's name."""
    for name, value in list(values.items()):
        if isinstance(value, str) and value.startswith("attach://") and value.removeprefix("attach://") in files:
            files[name] = files.pop(value.removeprefix("attach://"))
    return values


async def _lose(request: web.Request, answer: Json, *, is_half: bool) -> web.StreamResponse:
    if not is_half:
        _abort(request)
        return web.Response()
    body = json.dumps(answer).encode()
    response = web.StreamResponse(headers={"Content-Length": str(len(body)), "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


def _abort(request: web.Request) -> None:
    if isinstance(request.transport, asyncio.Transport):
        request.transport.abort()


def _refusal(code: int, description: str, parameters: dict[str, int]) -> web.Response:
    answer: Json = {"ok": False, "error_code": code, "description": description}
    return web.json_response(answer | ({"parameters": parameters} if parameters else {}), status=code)
