from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from tests.models.scripted import abandon

import homarus.models
from homarus.clock import SystemClock
from homarus.config.secret import Secret
from homarus.errors import ConfigError
from homarus.models.contract import (
    Completed,
    Failed,
    FailureKind,
    ModelEvent,
    ModelInfo,
    ModelRequest,
    Text,
    TextDelta,
    ToolSpec,
    Usage,
    UserMessage,
)
from homarus.models.http import HttpClient, Timeouts
from homarus.models.openai_chat import Endpoint, OpenAIChatModel
from homarus.models.settings import SecretText
from homarus.testing.model_server import Cut, Endless, Hang, ModelServer, Raw, Refuse, Reply, Say, Stall

INFO = ModelInfo("acme", "mock", "Mock", 1000, 100)
REQUEST = ModelRequest("acme/mock", "be brief", (UserMessage((Text("ping"),)),))
KEY = "sk-test-0123456789abcdef"


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(Timeouts(connect=2.0, first=0.2, idle=0.2, total=5.0))
    yield client
    await client.close()


def model_at(base_url: str, http: HttpClient, key: SecretText | None = None) -> OpenAIChatModel:
    return OpenAIChatModel(INFO, Endpoint(base_url, key or Secret(KEY)), http, SystemClock())


async def ask(server: ModelServer, http: HttpClient, *replies: Reply) -> list[ModelEvent]:
    server.will(*replies)
    return [event async for event in model_at(server.base_url, http).stream(REQUEST)]


async def test_an_answer_streams_with_usage(server: ModelServer, http: HttpClient) -> None:
    events = await ask(server, http)
    last = events[-1]
    assert isinstance(last, Completed)
    assert last.message.text == "echo: ping"
    assert last.usage == Usage(7, 3, 2)
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["echo:", " ping"]


async def test_the_key_travels_in_its_header_only(server: ModelServer, http: HttpClient) -> None:
    await ask(server, http)
    received = server.requests[0]
    assert received.headers["Authorization"] == f"Bearer {KEY}"
    assert received.body["model"] == "mock"
    assert KEY not in str(received.body)


async def test_a_request_is_compact(server: ModelServer, http: HttpClient) -> None:
    await ask(server, http)
    assert server.requests[0].size < 200


async def test_parallel_tool_calls_arrive_whole(server: ModelServer, http: HttpClient) -> None:
    events = await ask(server, http, Say(calls=(("read", '{"path":"a"}'), ("list", "{}"))))
    last = events[-1]
    assert isinstance(last, Completed)
    assert [(call.name, call.arguments) for call in last.message.tool_calls] == [
        ("read", '{"path":"a"}'),
        ("list", "{}"),
    ]


FAULTS: list[tuple[Reply, FailureKind, str]] = [
    (Hang(), FailureKind.TIMEOUT, ""),
    (Stall("half an"), FailureKind.TIMEOUT, "half an"),
    (Cut("half an"), FailureKind.CONNECTION, "half an"),
    (Cut(), FailureKind.CONNECTION, ""),
    (Refuse(401, f"bad key {KEY}"), FailureKind.AUTH, ""),
    (Refuse(403), FailureKind.AUTH, ""),
    (Refuse(402), FailureKind.BILLING, ""),
    (Refuse(429), FailureKind.RATE_LIMIT, ""),
    (Refuse(400, "too long", "context_length_exceeded"), FailureKind.CONTEXT_OVERFLOW, ""),
    (Refuse(404, "no such model"), FailureKind.BAD_REQUEST, ""),
    (Refuse(500), FailureKind.OVERLOADED, ""),
    (Refuse(503, body=b"<html>busy", content_type="text/html"), FailureKind.OVERLOADED, ""),
    (Refuse(307, headers={"Location": "http://127.0.0.1:1/"}), FailureKind.BAD_REQUEST, ""),
    (Raw(b"<html>login</html>", "text/html"), FailureKind.GARBAGE, ""),
    (Raw(b"\x00\xff\x00\xff"), FailureKind.GARBAGE, ""),
    (Raw(b""), FailureKind.GARBAGE, ""),
    (Raw(b'{"choices":', "application/json"), FailureKind.GARBAGE, ""),
    (Endless(b": x" * 20_000 + b"\n"), FailureKind.GARBAGE, ""),
    (Endless(b"x" * 60_000), FailureKind.GARBAGE, ""),
]


@pytest.mark.parametrize(("reply", "kind", "partial"), FAULTS, ids=lambda value: type(value).__name__)
async def test_a_fault_is_one_failure_that_names_the_provider(
    server: ModelServer, http: HttpClient, reply: Reply, kind: FailureKind, partial: str
) -> None:
    last = (await ask(server, http, reply))[-1]
    assert isinstance(last, Failed)
    assert (last.kind, last.partial) == (kind, partial)
    assert last.message.startswith("acme ")
    assert KEY not in last.message


async def test_the_provider_works_again_after_a_fault(server: ModelServer, http: HttpClient) -> None:
    await ask(server, http, Cut("x"))
    assert isinstance((await ask(server, http))[-1], Completed)


async def test_retry_after_is_passed_on(server: ModelServer, http: HttpClient) -> None:
    last = (await ask(server, http, Refuse(429, headers={"Retry-After": "7"})))[-1]
    assert isinstance(last, Failed)
    assert last.retry_after == 7.0


async def test_a_server_that_never_closes_after_finishing_has_still_answered(
    server: ModelServer, http: HttpClient
) -> None:
    last = (await ask(server, http, Stall("all said", finish="stop")))[-1]
    assert isinstance(last, Completed)
    assert last.message.text == "all said"


async def test_no_answer_outlasts_the_total_time(server: ModelServer) -> None:
    http = HttpClient(Timeouts(first=5.0, idle=5.0, total=0.2))
    last = (await ask(server, http, Stall("x")))[-1]
    await http.close()
    assert isinstance(last, Failed)
    assert last.kind is FailureKind.TIMEOUT


@pytest.mark.parametrize(
    ("base_url", "kind"),
    [
        ("http://127.0.0.1:1/v1", FailureKind.CONNECTION),
        ("not a url", FailureKind.BAD_REQUEST),
        ("ftp://127.0.0.1/v1", FailureKind.BAD_REQUEST),
    ],
)
async def test_an_address_that_does_not_work_is_a_failure(base_url: str, kind: FailureKind, http: HttpClient) -> None:
    events = [event async for event in model_at(base_url, http).stream(REQUEST)]
    assert [event.kind for event in events if isinstance(event, Failed)] == [kind]


async def test_a_peer_that_does_not_speak_http_is_a_failure(http: HttpClient) -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"220 smtp ready\r\n")
        writer.close()

    async with await asyncio.start_server(shout, "127.0.0.1", 0) as peer:
        port = cast("int", peer.sockets[0].getsockname()[1])
        events = [event async for event in model_at(f"http://127.0.0.1:{port}/v1", http).stream(REQUEST)]
    assert [event.kind for event in events if isinstance(event, Failed)] == [FailureKind.GARBAGE]


async def test_a_key_that_cannot_be_read_is_a_failure_without_a_request(server: ModelServer, http: HttpClient) -> None:
    class Missing:
        def reveal(self) -> str:
            raise ConfigError("the variable ACME_KEY is not set")

    events = [event async for event in model_at(server.base_url, http, Missing()).stream(REQUEST)]
    assert [event.kind for event in events if isinstance(event, Failed)] == [FailureKind.AUTH]
    assert not server.requests


async def test_a_key_that_cannot_be_a_header_is_a_failure(server: ModelServer, http: HttpClient) -> None:
    events = [event async for event in model_at(server.base_url, http, Secret("a\nb")).stream(REQUEST)]
    assert [event.kind for event in events if isinstance(event, Failed)] == [FailureKind.AUTH]
    assert not server.requests


async def test_an_abandoned_stream_gives_its_connection_back(server: ModelServer, http: HttpClient) -> None:
    server.will(Stall("half"))
    stream = model_at(server.base_url, http).stream(REQUEST)
    assert await abandon(stream) == TextDelta("half")
    gc.collect()


async def test_tools_reach_the_server(server: ModelServer, http: HttpClient) -> None:
    request = ModelRequest("m", "", REQUEST.messages, (ToolSpec("read", "Read", {"type": "object"}),))
    _ = [event async for event in model_at(server.base_url, http).stream(request)]
    tool = {"name": "read", "description": "Read", "parameters": {"type": "object"}}
    assert server.requests[0].body["tools"] == [{"type": "function", "function": tool}]


async def test_a_message_with_half_a_character_is_sent(server: ModelServer, http: HttpClient) -> None:
    request = ModelRequest("m", "", (UserMessage((Text("\ud800"),)),))
    events = [event async for event in model_at(server.base_url, http).stream(request)]
    assert isinstance(events[-1], Completed)


def test_only_one_file_uses_the_http_library() -> None:
    folder = Path(homarus.models.__path__[0])
    users = [path.name for path in folder.rglob("*.py") if "import aiohttp" in path.read_text()]
    assert users == ["http.py"]
