from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from homarus.errors import Transient, UserError
from homarus.security.internet import is_public
from homarus.security.safe_fetch import FetchRules, fetch

HERE = FetchRules(may_be_private=True, timeout=20)
MOST = 1000


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.1.2.3", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254",
        "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "::", "::1", "::ffff:10.0.0.1",
        "::ffff:127.0.0.1", "::127.0.0.1", "fd00::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2001:db8::1",
        "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:0:0:0:0:80ff:fffe",
        "no address", "",
    ],
)  # fmt: skip
def test_what_is_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


class Site:
    """A web server on loopback that counts who comes."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[web.Request] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        match request.path:
            case "/large":
                return web.Response(body=b"x" * (MOST + 1))
            case "/endless":
                return await self._endless(request)
            case "/loop":
                raise web.HTTPFound("/loop")
            case "/away":
                raise web.HTTPFound(request.query["to"])
            case "/nowhere":
                return web.Response(status=302)
            case "/silent":
                await asyncio.Event().wait()
            case "/gone":
                raise web.HTTPNotFound
            case _:
                pass
        return web.Response(body=b"the tides", headers={"Set-Cookie": "a=b"})

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 500)
        except ConnectionError:
            return response


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    found = Site()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.port = runner.addresses[0][1]
    yield found
    await runner.cleanup()


async def refused(address: str, rules: FetchRules = HERE, most: int = MOST) -> str:
    with pytest.raises(UserError) as caught:
        await fetch(address, rules, most)
    return caught.value.message


async def test_a_file_is_fetched_with_nothing_of_ours(site: Site) -> None:
    found = await fetch(f"http://127.0.0.1:{site.port}/away?to=/tides.txt", HERE, MOST)
    assert (found.name, found.content) == ("tides.txt", b"the tides")
    for request in site.requests:
        assert not {"Authorization", "Cookie", "Referer"} & set(request.headers)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "0", "0x7f.1", "2130706433", "017700000001", "localhost", "localhost.", "LOCALHOST", "[::1]",
     "[::ffff:127.0.0.1]", "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3"],
)  # fmt: skip
async def test_no_way_to_write_this_machine_leads_to_it(site: Site, host: str) -> None:
    rules = FetchRules(timeout=20)
    with pytest.raises((UserError, Transient)):
        await fetch(f"http://{host}:{site.port}/x", rules, MOST)
    assert site.requests == []


async def test_a_redirect_is_checked_like_the_first_address(site: Site) -> None:
    rules = FetchRules(hosts=frozenset({"localhost"}), timeout=20)
    here = f"http://localhost:{site.port}"
    assert "not of the internet" in await refused(f"{here}/away?to=http://127.0.0.1:{site.port}/secret", rules)
    assert "no http or https address" in await refused(f"{here}/away?to=file:///etc/passwd", rules)
    assert "must not carry a name" in await refused(f"{here}/away?to=http://u:p@localhost:{site.port}/", rules)
    assert [request.path for request in site.requests] == ["/away"] * 3


async def test_a_name_that_changes_leads_to_what_was_checked_or_nowhere(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def resolve(host: str, port: int, **_options: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        await asyncio.sleep(0)
        where = "192.0.0.8" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (where, port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve, raising=False)
    with pytest.raises((UserError, Transient)):
        await fetch(f"http://rebind.example:{site.port}/", FetchRules(timeout=5), MOST)
    assert site.requests == []


async def test_size_time_and_redirects_have_an_end(site: Site) -> None:
    here = f"http://127.0.0.1:{site.port}"
    assert "larger than 1000 bytes" in await refused(f"{here}/large")
    assert "larger than 1000 bytes" in await refused(f"{here}/endless")
    assert "at most 3 redirects" in await refused(f"{here}/loop")
    assert "does not say where" in await refused(f"{here}/nowhere")
    assert "answered 404" in await refused(f"{here}/gone?key=secret")
    with pytest.raises(Transient, match="did not answer within"):
        await fetch(f"{here}/silent?key=secret", FetchRules(may_be_private=True, timeout=0.2), MOST)


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "gopher://x/", "ftp://example.org/a", "http://", "http:///x", "//example.org/x",
     "javascript:1", "http://good.example@127.0.0.1/", "http://a\nb/", "http://example.org/" + "x" * 2100,
     "http://[::1", "http://x:99999/"],
)  # fmt: skip
async def test_what_is_no_web_address_is_refused(address: str) -> None:
    with pytest.raises(UserError):
        await fetch(address, HERE, MOST)
