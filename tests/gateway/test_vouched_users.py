"""Users somebody else vouches for, on real connections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.gateway.conftest import Running, start, stop
from tests.gateway.fake_services import TOKEN
from tests.gateway.raw_client import Frame, connect_params, connected, open_client

from homarus.gateway.settings import (
    AuthSettings,
    BrowserSettings,
    GatewaySettings,
    ProxySettings,
    TailscaleSettings,
)
from homarus.protocol.device_identity import DeviceIdentity
from homarus.testing.tailscaled import FakeTailscaled, fake_tailscaled

SECRET = "proxy-secret-0123456789"
PAGE = {"id": "openclaw-control-ui", "version": "1", "platform": "linux", "mode": "webchat"}
THROUGH = {
    "X-User": "ann@example.org",
    "X-Homarus-Proxy-Secret": SECRET,
    "X-Forwarded-For": "203.0.113.9",
    "Origin": "https://home.example",
}
ANN = "100.101.102.103"
SERVED = {
    "X-Forwarded-For": ANN,
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "box.example.ts.net",
    "Tailscale-User-Login": "ann@example.org",
}


@pytest.fixture
async def proxied(tmp_path: Path) -> AsyncIterator[Running]:
    proxy = ProxySettings("x-user", users=frozenset({"ann@example.org"}), secret=SECRET)
    settings = GatewaySettings(
        auth=AuthSettings("trusted-proxy", token=TOKEN, proxy=proxy),
        browser=BrowserSettings(origins=frozenset({"https://home.example"})),
        trusted_proxies=frozenset({"127.0.0.1"}),
    )
    running = await start(tmp_path, settings)
    yield running
    await stop(running)


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[FakeTailscaled]:
    async with fake_tailscaled(tmp_path, {ANN: "ann@example.org"}) as running:
        yield running


@pytest.fixture
async def served(tmp_path: Path, daemon: FakeTailscaled) -> AsyncIterator[Running]:
    settings = GatewaySettings(
        auth=AuthSettings(token=TOKEN),
        browser=BrowserSettings(is_on_tailnet=True),
        tailscale=TailscaleSettings("serve", takes_identities=True, socket=daemon.socket),
        trusted_proxies=frozenset({"127.0.0.1", "::1"}),
    )
    running = await start(tmp_path, settings)
    yield running
    await stop(running)


async def refusal(url: str, headers: dict[str, str], identity: DeviceIdentity | None = None, **changes: Any) -> Frame:
    async with open_client(url, headers) as client:
        nonce = await client.challenge()
        answer = await client.call("connect", connect_params(nonce, identity or DeviceIdentity.generate(), **changes))
        assert not answer["ok"], answer
        return answer["error"]


async def get(url: str, headers: dict[str, str]) -> int:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status


async def test_a_user_behind_the_owners_proxy_is_in_without_secret_and_pairing(proxied: Running) -> None:
    for version in (3, 4):
        versions: dict[str, Any] = {"minProtocol": version, "maxProtocol": version}
        async with connected(proxied.url, headers=THROUGH, client=PAGE, token=None, **versions) as page:
            assert (await page.call("status"))["ok"]


@pytest.mark.parametrize(
    "changes",
    [{"X-Homarus-Proxy-Secret": "forged"}, {"X-User": "eve@example.org"}, {"X-User": ""}, {"X-User": "a" * 500}],
)
async def test_whoever_is_not_the_proxy_or_not_admitted_stays_out(proxied: Running, changes: dict[str, str]) -> None:
    for auth in ({}, {"token": TOKEN}):
        error = await refusal(proxied.url, {**THROUGH, **changes}, client=PAGE, auth=auth)
        assert (error["message"], error["details"]["code"]) == ("unauthorized", "AUTH_UNAUTHORIZED")


async def test_the_owners_own_commands_show_the_token_of_this_machine(proxied: Running) -> None:
    async with connected(proxied.url) as cli:
        assert (await cli.call("status"))["ok"]
    forged = {"X-User": "ann@example.org"}
    assert (await refusal(proxied.url, forged, token=None))["details"]["code"] == "AUTH_TOKEN_MISSING"


async def test_a_proxy_may_narrow_what_its_user_may_do(proxied: Running) -> None:
    headers = {**THROUGH, "X-OpenClaw-Scopes": "operator.read"}
    async with connected(proxied.url, headers=headers, client=PAGE, token=None) as page:
        assert (await page.call("status"))["ok"]
        refused = await page.call("device.pair.list")
        assert "missing scope" in refused["error"]["message"]


async def test_a_page_without_device_gets_no_scopes_from_the_proxy(proxied: Running) -> None:
    async with open_client(proxied.url, THROUGH) as client:
        nonce = await client.challenge()
        assert (await client.call("connect", connect_params(nonce, client=PAGE, token=None)))["ok"]
        assert "missing scope" in (await client.call("status"))["error"]["message"]


async def test_requests_of_other_sites_do_not_use_the_users_standing_at_the_proxy(proxied: Running) -> None:
    own = {name: value for name, value in THROUGH.items() if name != "Origin"}
    url = f"{proxied.http}/metrics"
    assert await get(url, own) == 200
    assert await get(url, THROUGH) == 200
    assert await get(url, {**own, "Origin": "https://evil.example"}) == 401
    assert await get(url, {**own, "Sec-Fetch-Site": "cross-site"}) == 401
    assert await get(url, {**own, "X-Homarus-Proxy-Secret": "forged"}) == 401


async def test_a_tailnet_user_authenticates_by_tailscale_and_still_has_to_be_paired(served: Running) -> None:
    identity = DeviceIdentity.generate()
    for version in (3, 4):
        versions: dict[str, Any] = {"minProtocol": version, "maxProtocol": version}
        waiting = await refusal(served.url, SERVED, identity, token=None, **versions)
        assert waiting["details"]["code"] == "PAIRING_REQUIRED"
    async with connected(served.url) as owner:
        assert (await owner.call("device.pair.approve", {"requestId": waiting["details"]["requestId"]}))["ok"]
    async with connected(served.url, identity, SERVED, token=None, minProtocol=4, maxProtocol=4) as client:
        assert client.hello["auth"]["method"] == "tailscale"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Tailscale-User-Login": "eve@example.org"}, "AUTH_TAILSCALE_IDENTITY_MISMATCH"),
        ({"X-Forwarded-For": "100.77.0.1"}, "AUTH_TAILSCALE_WHOIS_FAILED"),
        ({"X-Forwarded-For": "nonsense"}, "AUTH_TAILSCALE_PROXY_MISSING"),
        ({"Tailscale-User-Login": ""}, "AUTH_TOKEN_MISSING"),
    ],
)
async def test_a_tailscale_header_by_itself_opens_nothing(served: Running, changes: dict[str, str], code: str) -> None:
    error = await refusal(served.url, {**SERVED, **changes}, token=None)
    assert error["details"]["code"] == code


async def test_requests_are_not_authenticated_by_tailscale(served: Running) -> None:
    assert await get(f"{served.http}/metrics", SERVED) == 401
    assert await get(f"{served.http}/metrics", {**SERVED, "Authorization": f"Bearer {TOKEN}"}) == 200


async def test_the_page_is_served_under_the_tailnet_name_and_no_other(served: Running) -> None:
    assert await get(f"{served.http}/health", {**SERVED, "Host": "box.example.ts.net"}) == 200
    assert await get(f"{served.http}/health", {"Host": "rebind.example"}) == 421
    origin = {"Origin": "https://box.example.ts.net", "Host": "box.example.ts.net"}
    error = await refusal(served.url, {**SERVED, **origin}, client=PAGE, token=None)
    assert error["details"]["code"] == "PAIRING_REQUIRED"
    error = await refusal(served.url, {**SERVED, **origin, "Host": "other.ts.net"}, client=PAGE, token=None)
    assert error["details"]["code"] == "CONTROL_UI_ORIGIN_NOT_ALLOWED"
    error = await refusal(served.url, origin, client=PAGE)
    assert error["details"]["code"] == "CONTROL_UI_ORIGIN_NOT_ALLOWED"


async def test_version_4_wants_to_know_whose_connection_a_proxy_passes_on(tmp_path: Path) -> None:
    running = await start(tmp_path, GatewaySettings(auth=AuthSettings(token=TOKEN)))
    try:
        headers = {"X-Forwarded-For": "203.0.113.9"}
        error = await refusal(running.url, headers, minProtocol=3, maxProtocol=4)
        assert error["details"]["code"] == "PROXY_ATTRIBUTION_REQUIRED"
        assert "gateway.trustedProxies" in error["message"]
        assert (await refusal(running.url, headers))["details"]["code"] == "PAIRING_REQUIRED"
    finally:
        await stop(running)
