"""A server that speaks OpenAI chat completions, with faults on demand.

    async with ModelServer() as server:
        server.will(Refuse(429, headers={"Retry-After": "2"}), Say("hello"))

Replies are used up in order; then every request is answered by `answer`, by default with an echo of its last user text.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import Self, cast

from aiohttp import web
from msgspec import Struct, field

_KEPT = 200
"""Requests remembered, the newest."""


class Say(Struct, frozen=True):
    """Answer with text, thinking and tool calls (name, arguments as JSON text), streamed word by word."""

    text: str = ""
    thinking: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    finish: str | None = None


class Refuse(Struct, frozen=True):
    """Answer with a status and a JSON error, or with `body` as it is."""

    status: int
    message: str = "refused on demand"
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None
    content_type: str = "application/json"


class Hang(Struct, frozen=True):
    """Accept the request and send nothing."""


class Stall(Struct, frozen=True):
    """Send text, then nothing more while the connection stays open."""

    text: str = ""
    finish: str | None = None


class Pause(Struct, frozen=True):
    """Send `first`, wait for `go`, then send `rest` and end well, or not at all."""

    first: str
    rest: str
    go: asyncio.Event
    has_end: bool = True


class Cut(Struct, frozen=True):
    """Send text, then drop the connection without an end."""

    text: str = ""


class Raw(Struct, frozen=True):
    """Answer with status 200 and these bytes."""

    body: bytes
    content_type: str = "text/event-stream"


class Endless(Struct, frozen=True):
    """Send this piece again and again for as long as the client listens."""

    piece: bytes = b": still here\n\n"


JsonObject = dict[str, object]
Reply = Say | Refuse | Hang | Stall | Pause | Cut | Raw | Endless


class Received(Struct, frozen=True):
    """A request as it came; `size` is the bytes of its body."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, object]
    size: int


class ModelServer:
    """Listens on a free loopback port. `requests` holds what was asked; `models` what is listed.

    `answer` makes the reply to a request's body when no reply is queued; it must depend on the body alone for a
    client that asks again after a crash to be answered alike.
    """

    def __init__(
        self, models: tuple[str, ...] = ("mock",), *, answer: Callable[[JsonObject], Reply] | None = None
    ) -> None:
        self.models = models
        self._answer = answer or _echo
        self.requests: deque[Received] = deque(maxlen=_KEPT)
        self.url = ""
        self._replies: deque[Reply] = deque()
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        """The address to configure as `baseUrl`."""
        return f"{self.url}/v1"

    def will(self, *replies: Reply) -> None:
        """Queue replies for the next requests."""
        self._replies.extend(replies)

    def drop_replies(self) -> None:
        """Forget replies that no request has used up."""
        self._replies.clear()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/v1/models", self._list_models)
        app.router.add_get("/api/tags", self._list_tags)
        self._runner = web.AppRunner(app, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = cast("tuple[str, int]", self._runner.addresses[0])
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _list_models(self, _request: web.Request) -> web.Response:
        rows = [{"id": name, "object": "model", "created": 0, "owned_by": "test"} for name in self.models]
        return web.json_response({"object": "list", "data": rows})

    async def _list_tags(self, _request: web.Request) -> web.Response:
        return web.json_response({"models": [{"name": name, "model": name} for name in self.models]})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = cast("dict[str, object]", json.loads(raw))
        self.requests.append(Received(request.path, dict(request.headers), body, len(raw)))
        reply = self._replies.popleft() if self._replies else self._answer(body)
        match reply:
            case Say():
                return await self._say(request, body, reply)
            case Refuse():
                return _refuse(reply)
            case Raw():
                return web.Response(body=reply.body, content_type=reply.content_type)
            case Hang():
                await self._closing.wait()
                return web.Response()
            case Endless():
                return await self._repeat(request, reply.piece)
            case Pause():
                return await self._pause(request, body, reply)
            case Stall() | Cut():
                return await self._break_off(request, body, reply)

    async def _say(self, request: web.Request, body: dict[str, object], reply: Say) -> web.StreamResponse:
        model = str(body.get("model", ""))
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10,
                 "prompt_tokens_details": {"cached_tokens": 2}}  # fmt: skip
        if not body.get("stream"):
            return web.json_response(_whole(model, reply, usage))
        stream = await _open(request)
        for delta in _deltas(reply):
            await _send(stream, _chunk(model, delta))
        await _send(stream, _chunk(model, {}, _finish_of(reply)))
        options = body.get("stream_options")
        if isinstance(options, dict) and cast("dict[str, object]", options).get("include_usage"):
            await _send(stream, {**_chunk(model, {}), "choices": [], "usage": usage})
        await stream.write(b"data: [DONE]\n\n")
        await stream.write_eof()
        return stream

    async def _pause(self, request: web.Request, body: dict[str, object], reply: Pause) -> web.StreamResponse:
        stream = await _open(request)
        model = str(body.get("model", ""))
        await _send(stream, _chunk(model, {"role": "assistant", "content": reply.first}))
        await reply.go.wait()
        await _send(stream, _chunk(model, {"content": reply.rest}))
        if not reply.has_end:
            await self._closing.wait()
        await _send(stream, _chunk(model, {}, "stop"))
        await stream.write(b"data: [DONE]\n\n")
        await stream.write_eof()
        return stream

    async def _break_off(self, request: web.Request, body: dict[str, object], reply: Stall | Cut) -> web.StreamResponse:
        stream = await _open(request)
        model = str(body.get("model", ""))
        for delta in _deltas(Say(reply.text)):
            await _send(stream, _chunk(model, delta))
        if isinstance(reply, Stall):
            if reply.finish:
                await _send(stream, _chunk(model, {}, reply.finish))
            await self._closing.wait()
        if request.transport is not None:
            request.transport.close()
        return stream

    async def _repeat(self, request: web.Request, piece: bytes) -> web.StreamResponse:
        stream = await _open(request)
        try:
            while not self._closing.is_set():
                await stream.write(piece)
        except ConnectionError:
            pass  # the client has had enough, which is the point
        return stream


def last_user_text(body: Mapping[str, object]) -> str:
    """Return the text of the last user message of a request body."""
    messages = cast("list[dict[str, object]]", body.get("messages") or [])
    content = next((row.get("content") for row in reversed(messages) if row.get("role") == "user"), "")
    if isinstance(content, str):
        return content
    parts = cast("list[dict[str, object]]", content or [])
    return "\n".join(str(part["text"]) for part in parts if part.get("type") == "text")


def _echo(body: JsonObject) -> Reply:
    return Say(f"echo: {last_user_text(body)}")


def _refuse(reply: Refuse) -> web.Response:
    error = {"error": {"message": reply.message, "type": "error", "param": None, "code": reply.code or None}}
    body = json.dumps(error).encode() if reply.body is None else reply.body
    return web.Response(status=reply.status, body=body, headers=reply.headers, content_type=reply.content_type)


def _finish_of(reply: Say) -> str:
    return reply.finish or ("tool_calls" if reply.calls else "stop")


def _calls_of(reply: Say) -> list[dict[str, object]]:
    return [
        {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for number, (name, arguments) in enumerate(reply.calls)
    ]


def _deltas(reply: Say) -> list[dict[str, object]]:
    """Split a reply as servers do: words, and for a call its head, then its arguments in two halves."""
    deltas: list[dict[str, object]] = [{"role": "assistant", "content": ""}]
    deltas.extend({"reasoning_content": f"{word} "} for word in reply.thinking.split())
    words = reply.text.split(" ")
    deltas.extend({"content": word if number == 0 else f" {word}"} for number, word in enumerate(words) if reply.text)
    for number, (name, arguments) in enumerate(reply.calls):
        head = {"index": number, "id": f"call_{number}", "type": "function"}
        deltas.append({"tool_calls": [{**head, "function": {"name": name, "arguments": ""}}]})
        half = len(arguments) // 2
        pieces = (arguments[:half], arguments[half:])
        deltas.extend({"tool_calls": [{"index": number, "function": {"arguments": piece}}]} for piece in pieces)
    return deltas


def _chunk(model: str, delta: dict[str, object], finish: str | None = None) -> dict[str, object]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": model, "choices": [choice]}


def _whole(model: str, reply: Say, usage: Mapping[str, object]) -> dict[str, object]:
    message: dict[str, object] = {"role": "assistant", "content": reply.text or None, "refusal": None}
    if reply.calls:
        message["tool_calls"] = _calls_of(reply)
    choice = {"index": 0, "message": message, "finish_reason": _finish_of(reply), "logprobs": None}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": model, "choices": [choice],
            "usage": usage}  # fmt: skip


async def _open(request: web.Request) -> web.StreamResponse:
    stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await stream.prepare(request)
    return stream


async def _send(stream: web.StreamResponse, value: Mapping[str, object]) -> None:
    await stream.write(b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n")
