from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.gateway.conftest import Running
from tests.gateway.fake_clock import FakeClock
from tests.gateway.fake_services import TOKEN, make_services
from tests.gateway.raw_client import connected

from homarus.gateway.http.page import Page
from homarus.gateway.server import GatewayServer
from homarus.gateway.settings import AuthSettings, GatewaySettings
from homarus.gateway.tokens import LOGIN_CODE_TTL_MS

PAGE = "<!doctype html><title>page</title>"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Running]:
    """A gateway with a built page and a clock of its own."""
    root = tmp_path / "static"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text(PAGE)
    (root / "assets" / "app-3f9a.js").write_text("1")
    (tmp_path / "secret.txt").write_text("secret")
    (root / "leak.txt").symlink_to(tmp_path / "secret.txt")
    services, runs = make_services(tmp_path, clock=FakeClock())
    server = GatewayServer(services, GatewaySettings(auth=AuthSettings(token=TOKEN)), Page(root))
    await server.start(port=0)
    yield Running(server, runs, tmp_path)
    await server.stop()
    await services.database.close()


async def fetch(url: str, method: str = "GET", **options: Any) -> tuple[int, str, dict[str, str]]:
    async with aiohttp.ClientSession() as session, session.request(method, url, **options) as response:
        return response.status, await response.text(), dict(response.headers)


async def login(site: Running, code: object, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    status, text, _headers = await fetch(f"{site.http}/api/login", "POST", json={"code": code}, headers=headers)
    return status, json.loads(text)


async def test_health_has_the_shape_of_the_specification(site: Running) -> None:
    status, text, headers = await fetch(f"{site.http}/health")
    body = json.loads(text)
    assert status == 200
    assert (body["status"], body["version"], body["uptime"]) == ("healthy", "0.1.0", 0)
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_ready_says_so_and_probes_take_get_only(site: Running) -> None:
    status, text, _headers = await fetch(f"{site.http}/ready")
    assert (status, json.loads(text)["ready"]) == (200, True)
    assert (await fetch(f"{site.http}/healthz", "POST"))[0] == 405


async def test_page_is_served_with_a_strict_policy(site: Running) -> None:
    for path in ("/", "/sessions/agent:main:main", "/deep/link"):
        status, text, headers = await fetch(site.http + path)
        assert (status, text) == (200, PAGE)
        assert headers["Cache-Control"] == "no-cache"
        assert "script-src 'self';" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "no-referrer"


async def test_each_answer_with_the_page_admits_style_elements_by_a_nonce_of_its_own(site: Running) -> None:
    (site.folder / "static" / "index.html").write_text('<meta name="style-nonce" content="__STYLE_NONCE__">')
    seen: set[str] = set()
    for path in ("/", "/index.html", "/chat", "/"):
        _status, text, headers = await fetch(site.http + path)
        [nonce] = re.findall(r"style-src 'self' 'nonce-([\w-]{20,})';", headers["Content-Security-Policy"])
        assert text == f'<meta name="style-nonce" content="{nonce}">'
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert not {"ETag", "Last-Modified"} & headers.keys()
        seen.add(nonce)
    assert len(seen) == 4


async def test_hashed_assets_are_cached_for_ever(site: Running) -> None:
    status, text, headers = await fetch(f"{site.http}/assets/app-3f9a.js")
    assert (status, text) == (200, "1")
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["Content-Type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "path", ["/missing.js", "/leak.txt", "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt"]
)
async def test_nothing_outside_the_page_is_served(site: Running, path: str) -> None:
    from yarl import URL  # noqa: PLC0415 - as sent, not normalised

    status, text, _headers = await fetch(str(URL(site.http + path, encoded=True)))
    assert status in (400, 404)
    assert "secret" not in text


async def test_unbuilt_page_says_how_to_build_it(gateway: Running, tmp_path: Path) -> None:
    gateway.server._routes._page = Page(tmp_path / "nowhere")
    status, text, _headers = await fetch(f"{gateway.http}/")
    assert status == 503
    assert "make web" in text


async def test_unknown_api_routes_answer_json(site: Running) -> None:
    status, text, _headers = await fetch(f"{site.http}/api/nothing")
    assert (status, json.loads(text)["error"]["type"]) == (404, "not_found")


async def test_foreign_host_names_are_not_answered(site: Running) -> None:
    status, _text, _headers = await fetch(f"{site.http}/health", headers={"Host": "rebound.example:18789"})
    assert status == 421
    assert (await fetch(f"{site.http}/health", headers={"Host": "localhost:18789"}))[0] == 200


async def test_login_code_gives_a_token_that_signs_the_page_in(site: Running) -> None:
    url = site.server.create_login_url()
    assert url is not None
    status, body = await login(site, url.partition("#code=")[2], {"Origin": site.http})
    assert status == 200
    assert body["token"] != TOKEN
    page = {"id": "openclaw-control-ui", "version": "1", "platform": "linux", "mode": "webchat"}
    async with connected(site.url, headers={"Origin": site.http}, token=body["token"], client=page) as client:
        assert client.hello["auth"]["role"] == "operator"


async def test_browser_token_is_a_shared_secret_until_it_is_revoked(gateway: Running) -> None:
    code = gateway.server.core.logins.create()
    _status, body = await login(gateway, code)
    async with connected(gateway.url, token=body["token"]) as client:
        assert client.hello["auth"]["role"] == "operator"
    assert await gateway.server.core.browsers.revoke_all() == 1
    assert not await gateway.server.core.browsers.is_valid(body["token"])


async def test_login_code_works_once(site: Running) -> None:
    code = site.server.core.logins.create()
    assert (await login(site, code))[0] == 200
    status, body = await login(site, code)
    assert (status, body["error"]["type"]) == (401, "unauthorized")


async def test_login_code_is_too_old_after_ten_minutes(site: Running) -> None:
    code = site.server.core.logins.create()
    clock = site.server.core.services.clock
    assert isinstance(clock, FakeClock)
    clock.advance(LOGIN_CODE_TTL_MS / 1000 + 1)
    assert (await login(site, code))[0] == 401


async def test_wrong_codes_of_a_page_are_limited(site: Running) -> None:
    headers = {"Origin": site.http}
    for _ in range(10):
        assert (await login(site, "wrong", headers))[0] == 401
    status, text, answered = await fetch(f"{site.http}/api/login", "POST", json={"code": "wrong"}, headers=headers)
    assert (status, json.loads(text)["error"]["type"]) == (429, "rate_limited")
    assert int(answered["Retry-After"]) > 0


@pytest.mark.parametrize("body", ["", "[]", "{", '{"code":5}', '{"code":""}', '{"code":"' + "x" * 5000 + '"}'])
async def test_malformed_logins_are_refused(site: Running, body: str) -> None:
    status, text, _headers = await fetch(f"{site.http}/api/login", "POST", data=body)
    assert status in (400, 413)
    assert "error" in json.loads(text)


async def test_other_sites_may_not_sign_in(site: Running) -> None:
    status, body = await login(site, site.server.core.logins.create(), {"Origin": "http://evil.example"})
    assert (status, body["error"]["type"]) == (403, "forbidden")
