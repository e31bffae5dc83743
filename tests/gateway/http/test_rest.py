"""REST: every declared route leads to its operation, behind the same checks as everything else."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from msgspec.structs import replace
from tests.gateway.conftest import Running, start, stop
from tests.gateway.fake_services import TOKEN, make_services
from tests.gateway.raw_client import connected
from yarl import URL

from homarus.gateway.http.rates import CallerRates
from homarus.gateway.http.refusal import HttpRefusal
from homarus.gateway.http.route_table import RouteTable
from homarus.gateway.operations.catalogue import build_registry
from homarus.gateway.server import GatewayServer
from homarus.gateway.settings import AuthSettings, BrowserSettings, GatewaySettings, LimitSettings
from homarus.protocol.scopes import ALL_SCOPES, Scope
from homarus.testing.manual_clock import ManualClock

OWNER = {"Authorization": f"Bearer {TOKEN}"}
ROUTED = [each for each in build_registry().operations if each.rest is not None]
NAMES = [each.name for each in ROUTED]
PAGE = "https://panel.example.org"


async def fetch(url: str, method: str = "GET", **options: Any) -> tuple[int, Any, dict[str, str]]:
    async with aiohttp.ClientSession() as session, session.request(method, url, **options) as response:
        text = await response.text()
        return response.status, json.loads(text) if text else None, dict(response.headers)


def address(gateway: Running, each: Any) -> tuple[str, str]:
    path = "/".join("x" if part.startswith("{") else part for part in each.rest.path.split("/"))
    return gateway.http + path, each.rest.verb


@pytest.fixture
async def listed(tmp_path: Path) -> AsyncIterator[Running]:
    """A gateway whose owner listed a page."""
    browser = BrowserSettings(origins=frozenset({PAGE}))
    running = await start(tmp_path, GatewaySettings(auth=AuthSettings(token=TOKEN), browser=browser))
    yield running
    await stop(running)


async def limited(folder: Path, calls: int) -> Running:
    services, runs = make_services(folder, json.dumps({"gateway": {"http": {"rateLimit": {"maxRequests": calls}}}}))
    server = GatewayServer(services, GatewaySettings(auth=AuthSettings(token=TOKEN)))
    await server.start(port=0)
    return Running(server, runs, folder)


@pytest.mark.parametrize("each", ROUTED, ids=NAMES)
async def test_every_route_wants_a_secret_and_the_scope_of_its_operation(gateway: Running, each: Any) -> None:
    url, verb = address(gateway, each)
    status, body, headers = await fetch(url, verb)
    assert (status, body["error"]["type"], headers["WWW-Authenticate"]) == (401, "unauthorized", "Bearer")
    assert (await fetch(url, verb, headers={"Authorization": "Bearer wrong"}))[0] == 401
    if each.scope is None:
        return
    for held in ALL_SCOPES:
        opens = held in (each.scope, Scope.ADMIN) or (held == Scope.WRITE and each.scope is Scope.READ)
        status, body, _ = await fetch(url, verb, headers={**OWNER, "x-openclaw-scopes": held}, data=b"{")
        assert (status != 403) == opens, (held, body)
        if not opens:
            wanted = {"code": "MISSING_SCOPE", "missingScope": each.scope, "requiredScopes": [each.scope]}
            assert body["error"]["details"] == wanted


@pytest.mark.parametrize("each", ROUTED, ids=NAMES)
async def test_every_route_takes_its_own_verbs_only(gateway: Running, each: Any) -> None:
    url, verb = address(gateway, each)
    status, _, headers = await fetch(url, "PUT", headers=OWNER)
    assert status == 405
    assert verb in headers["Allow"].split(", ")


async def test_a_session_is_written_to_read_and_deleted(gateway: Running) -> None:
    made = await fetch(f"{gateway.http}/api/sessions", "POST", headers=OWNER, json={"label": "notes"})
    key = made[1]["key"]
    below = f"{gateway.http}/api/sessions/{quote(key, safe='')}"
    status, run, _ = await fetch(f"{below}/messages", "POST", headers=OWNER, json={"message": "hello"})
    assert (status, run["status"]) == (200, "started")
    listed = await fetch(f"{gateway.http}/api/sessions?limit=5&includeDerivedTitles=true", headers=OWNER)
    assert [row["key"] for row in listed[1]["sessions"]] == [key]
    assert (await fetch(f"{below}?deleteTranscript=true", "DELETE", headers=OWNER))[1]["deleted"] is True


async def test_an_idempotency_key_comes_from_body_header_or_nowhere(gateway: Running) -> None:
    url, body = f"{gateway.http}/api/chat/send", {"sessionKey": "main", "message": "hello"}
    assert (await fetch(url, "POST", headers=OWNER, json={**body, "idempotencyKey": "a"}))[1]["runId"] == "a"
    keyed = {**OWNER, "Idempotency-Key": "b"}
    assert (await fetch(url, "POST", headers=keyed, json=body))[1] == {"runId": "b", "status": "started"}
    assert (await fetch(url, "POST", headers=keyed, json=body))[1]["status"] in {"in_flight", "ok"}
    fresh = {(await fetch(url, "POST", headers=OWNER, json=body))[1]["runId"] for _ in range(2)}
    assert len(fresh) == 2


async def test_a_device_token_opens_what_the_device_may(gateway: Running) -> None:
    async with connected(gateway.url, scopes=["operator.read"]) as client:
        token = client.hello["auth"]["deviceToken"]
    headers = {"Authorization": f"Bearer {token}"}
    assert (await fetch(f"{gateway.http}/api/sessions", headers=headers))[0] == 200
    assert (await fetch(f"{gateway.http}/api/chat/send", "POST", headers=headers, json={}))[0] == 403
    wider = {**headers, "x-openclaw-scopes": "operator.admin,operator.write"}
    assert (await fetch(f"{gateway.http}/api/chat/send", "POST", headers=wider, json={}))[0] == 403
    core = gateway.server.core
    await core.devices.revoke((await core.devices.list())[0].id, "operator")
    assert (await fetch(f"{gateway.http}/api/sessions", headers=headers))[0] == 401


async def test_an_empty_scope_header_leaves_nothing(gateway: Running) -> None:
    status, _, _ = await fetch(f"{gateway.http}/api/sessions", headers={**OWNER, "x-openclaw-scopes": ""})
    assert status == 403


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("limit=many", "at /limit: must be integer"),
        ("limit=0", "at /limit: must be >= 1"),
        ("includeGlobal=yes", "at /includeGlobal: must be boolean"),
        ("bogus=1", "unexpected property 'bogus'"),
        ("token=hunter2", "unexpected property 'token'"),
        ("limit=1&limit=2", "the query parameter 'limit' is given more than once"),
    ],
)
async def test_wrong_query_parameters_are_named(gateway: Running, query: str, problem: str) -> None:
    status, body, _ = await fetch(f"{gateway.http}/api/sessions?{query}", headers=OWNER)
    assert (status, body["error"]["code"], body["error"]["type"]) == (400, "INVALID_REQUEST", "invalid_request_error")
    assert problem in body["error"]["message"]
    assert "hunter2" not in json.dumps(body)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"a":NaN}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b"{}", "application/merge-patch+json", 400),
        (b"x" * (1024 * 1024 + 1), "application/json", 413),
    ],
)
async def test_bodies_that_are_no_small_json_object_are_refused(
    gateway: Running, body: bytes, kind: str, status: int
) -> None:
    url = f"{gateway.http}/api/pairing/approve"
    answer = await fetch(url, "POST", headers={**OWNER, "Content-Type": kind}, data=io.BytesIO(body))
    assert (answer[0], set(answer[1])) == (status, {"error"})


async def test_a_body_without_a_length_is_cut_off_at_the_limit(gateway: Running) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b" " * 64 * 1024

    headers = {**OWNER, "Content-Type": "application/json"}
    status, _, _ = await fetch(f"{gateway.http}/api/pairing/approve", "POST", headers=headers, data=endless())
    assert status == 413


async def test_a_body_that_is_not_what_its_encoding_says_is_refused(gateway: Running) -> None:
    headers = {**OWNER, "Content-Type": "application/json", "Content-Encoding": "gzip"}
    status, _, _ = await fetch(f"{gateway.http}/api/pairing/approve", "POST", headers=headers, data=b"no gzip")
    assert status == 400


async def test_messages_with_pictures_may_be_larger(gateway: Running) -> None:
    body = io.BytesIO(json.dumps({"sessionKey": "main", "message": "x" * 2_000_000}).encode())
    headers = {**OWNER, "Content-Type": "application/json"}
    assert (await fetch(f"{gateway.http}/api/chat/send", "POST", headers=headers, data=body))[0] == 200


async def test_path_and_body_may_not_disagree(gateway: Running) -> None:
    url = f"{gateway.http}/api/sessions/main/messages"
    status, body, _ = await fetch(url, "POST", headers=OWNER, json={"key": "other", "message": "x"})
    assert (status, "differs" in body["error"]["message"]) == (400, True)


async def test_a_post_takes_no_query(gateway: Running) -> None:
    status, body, _ = await fetch(f"{gateway.http}/api/sessions?token=hunter2", "POST", headers=OWNER)
    assert (status, "not into the query" in body["error"]["message"]) == (400, True)


async def test_calls_are_limited_per_caller_with_the_time_to_wait(tmp_path: Path) -> None:
    running = await limited(tmp_path, 3)
    try:
        url = f"{running.http}/api/health"
        assert [(await fetch(url, headers=OWNER))[0] for _ in range(3)] == [200] * 3
        status, body, headers = await fetch(url, headers=OWNER)
        assert (status, body["error"]["type"]) == (429, "rate_limited")
        assert 1 <= int(headers["Retry-After"]) <= 20
        assert body["error"]["retryAfterMs"] == int(headers["Retry-After"]) * 1000
        other = {**OWNER, "X-Forwarded-For": "203.0.113.9"}
        assert (await fetch(url, headers=other))[0] == 429
    finally:
        await stop(running)


def test_calls_refill_evenly_and_other_callers_have_their_own() -> None:
    clock = ManualClock()
    rates = CallerRates(clock)
    rates.take("a", 2, 10.0, 2)
    with pytest.raises(HttpRefusal) as refusal:
        rates.take("a", 2, 10.0)
    assert refusal.value.headers == {"Retry-After": "5"}
    rates.take("b", 2, 10.0)
    clock.advance(5.0)
    rates.take("a", 2, 10.0)


def test_so_many_requests_at_once_and_no_more() -> None:
    rates = CallerRates(ManualClock())
    open_ones = [rates.working("a") for _ in range(64)]
    for each in open_ones:
        each.__enter__()
    with pytest.raises(HttpRefusal, match="at once"), rates.working("a"):
        pass
    open_ones[0].__exit__(None, None, None)
    with rates.working("a"):
        pass


async def test_guessing_over_rest_is_limited_like_any_login(tmp_path: Path) -> None:
    limits = LimitSettings(attempts=2, is_loopback_exempt=False)
    running = await start(tmp_path, GatewaySettings(auth=AuthSettings(token=TOKEN), limits=limits))
    try:
        for _ in range(2):
            assert (await fetch(f"{running.http}/api/status", headers={"Authorization": "Bearer no"}))[0] == 401
        status, body, headers = await fetch(f"{running.http}/api/status", headers=OWNER)
        assert (status, body["error"]["type"]) == (429, "rate_limited")
        assert int(headers["Retry-After"]) > 200
    finally:
        await stop(running)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_pages_of_other_origins_may_not_call_even_an_open_gateway(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    running = await start(tmp_path, GatewaySettings(auth=AuthSettings(mode="none")))
    try:
        assert (await fetch(f"{running.http}/api/status"))[0] == 200
        status, body, answered = await fetch(f"{running.http}/api/status", headers=headers)
        assert (status, body["error"]["type"]) == (403, "forbidden")
        assert "Access-Control-Allow-Origin" not in answered
    finally:
        await stop(running)


async def test_the_gateways_own_page_may_call(gateway: Running) -> None:
    status, _, answered = await fetch(f"{gateway.http}/api/status", headers={**OWNER, "Origin": gateway.http})
    assert status == 200
    assert "Access-Control-Allow-Origin" not in answered


async def test_a_listed_page_may_ask_call_and_read(listed: Running) -> None:
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    status, _, headers = await fetch(f"{listed.http}/api/chat/send", "OPTIONS", headers=asked)
    assert (status, headers["Access-Control-Allow-Origin"], headers["Vary"]) == (204, PAGE, "Origin")
    assert "POST" in headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in headers
    status, _, headers = await fetch(f"{listed.http}/api/status", headers={**OWNER, "Origin": PAGE})
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, PAGE)


async def test_an_unlisted_page_is_told_nothing_when_it_asks(listed: Running) -> None:
    status, _, headers = await fetch(
        f"{listed.http}/api/chat/send", "OPTIONS", headers={"Origin": "https://evil.example"}
    )
    assert (status, headers["Allow"]) == (204, "OPTIONS, POST")
    assert [name for name in headers if name.startswith("Access-Control")] == []


def test_two_operations_cannot_have_the_same_route() -> None:
    other = replace(ROUTED[0], name="another")
    with pytest.raises(ValueError, match="declared twice"):
        RouteTable((ROUTED[0], other))


def test_written_out_parts_win_over_parameters() -> None:
    table = RouteTable(build_registry().operations)
    assert table.find("/api/cron/runs")["GET"].operation.name == "cron.runs"
    assert table.find("/api/sessions/agent%3Amain%3Aa%2Fb/messages")["GET"].values == {"key": "agent:main:a/b"}
    assert table.find("/api/sessions//messages") == {}


async def test_a_session_begins_with_a_task(gateway: Running) -> None:
    status, made, _ = await fetch(f"{gateway.http}/api/sessions", "POST", headers=OWNER, json={"task": "count to ten"})
    assert (status, made["runStarted"]) == (200, True)
    assert [each.text for each in gateway.runs.submissions] == ["count to ten"]


@pytest.mark.parametrize("path", ["/api/messages/%0Ax", "/api/no%0Ane", "/api/%00"])
async def test_paths_with_control_characters_are_refused_like_others(gateway: Running, path: str) -> None:
    status, body, _ = await fetch(str(URL(gateway.http + path, encoded=True)), headers=OWNER)
    assert status in (400, 404)
    assert set(body["error"]) >= {"type", "code", "message"}


@pytest.mark.parametrize(("text", "status"), [("null", 400), ('"x"', 400), ("", 200), ("{}", 200)])
async def test_a_body_is_an_object_or_nothing(gateway: Running, text: str, status: int) -> None:
    headers = {**OWNER, "Content-Type": "application/json"}
    answer = await fetch(f"{gateway.http}/api/sessions", "POST", headers=headers, data=text)
    assert answer[0] == status


async def test_what_cannot_be_done_now_is_a_conflict_or_a_failure_further_on(manual_gateway: Running) -> None:
    url = f"{manual_gateway.http}/api/nodes/gone/invoke"
    status, body, _ = await fetch(url, "POST", headers=OWNER, json={"command": "system.which"})
    assert (status, body["error"]["type"], body["error"]["details"]["code"]) == (409, "conflict", "NOT_CONNECTED")
    runs, url = manual_gateway.runs, f"{manual_gateway.http}/api/agent"
    body = {"message": "hello", "agentId": "main", "idempotencyKey": "r1"}
    asking = asyncio.create_task(fetch(url, "POST", headers=OWNER, json=body))
    while not runs.submissions:
        await asyncio.sleep(0)
    runs.finish("r1", "failed", error="the model said no")
    status, failed, _ = await asking
    assert (status, failed["error"]["message"], failed["payload"]["status"]) == (502, "the model said no", "error")


async def test_a_call_with_the_shared_secret_does_not_look_for_devices(
    gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    async def look(token: str, _role: str) -> None:
        looked.append(token)

    monkeypatch.setattr(gateway.server.core.devices, "find_token", look)
    assert (await fetch(f"{gateway.http}/api/health", headers=OWNER))[0] == 200
    assert (await fetch(f"{gateway.http}/api/health", headers={"Authorization": "Bearer another"}))[0] == 401
    assert looked == ["another"]
