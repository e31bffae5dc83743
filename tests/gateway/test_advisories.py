"""Attacks that worked on gateways like this one; tests/security/advisories.py says which they are."""

from __future__ import annotations

import ast
import asyncio
import json
import logging
import random
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.gateway.conftest import Running
from tests.gateway.fake_services import TOKEN
from tests.gateway.operations.desk import desk
from tests.gateway.raw_client import ALL, RawClient, connect_params, connected, open_client

import homarus
from homarus.config.load import load_text
from homarus.gateway.exposure import exposures
from homarus.gateway.http.page import Page as Served
from homarus.gateway.logs import ConsoleFormatter, JsonFormatter
from homarus.gateway.operations.catalogue import build_registry
from homarus.protocol.device_identity import DeviceIdentity
from homarus.protocol.scopes import missing_scopes, normalise_scopes

ROOT = Path(homarus.__file__).parent
PAGE = ROOT.parents[1] / "web" / "src"
AWAY = {"X-Forwarded-For": "203.0.113.9"}
SCOPES = ["operator.admin", "operator.read", "operator.write", "operator.approvals", "operator.pairing"]
NAMES = [operation.name for operation in build_registry().operations]


async def first_answer(url: str, headers: dict[str, str], **changes: Any) -> dict[str, Any]:
    async with open_client(url, headers) as client:
        nonce = await client.challenge()
        return await client.call("connect", connect_params(nonce, DeviceIdentity.generate(), **changes))


async def ask_to_pair(url: str, identity: DeviceIdentity, scopes: list[str]) -> str:
    async with open_client(url, AWAY) as client:
        nonce = await client.challenge()
        answer = await client.call("connect", connect_params(nonce, identity, scopes=scopes))
        return answer["error"]["details"]["requestId"]


async def closing(client: RawClient) -> dict[str, Any]:
    while "closed" not in (frame := await client.receive()):
        pass
    return frame


MARKUP = re.compile(
    r"dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|srcdoc|document\.write|rehype-?raw|"
    r"\beval\(|new Function\(|createContextualFragment|DOMParser|"
    r"(?:window|globalThis|self)\.(?:addEventListener\([\"']message|onmessage)"
)
"""Ways by which a text becomes markup or a script, or by which another window speaks to the page."""
EVIL = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


def test_no_source_of_the_page_makes_markup_of_a_text() -> None:
    sources = [*PAGE.rglob("*.ts"), *PAGE.rglob("*.tsx")]
    assert len(sources) > 20
    found = [(path.name, match[0]) for path in sources for match in MARKUP.finditer(path.read_text(encoding="utf-8"))]
    assert found == []
    assert "rehype" not in (PAGE.parent / "package.json").read_text(encoding="utf-8")
    entry = (PAGE.parent / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\ssrc=)[^>]*>|\son[a-z]+=", entry) == []


@pytest.mark.parametrize("path", ["/", "/sessions/agent:main:main", "/api/docs"])
async def test_only_scripts_of_this_gateway_run_on_its_page(gateway: Running, tmp_path: Path, path: str) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    gateway.server._routes._page = Served(tmp_path)
    async with aiohttp.ClientSession() as session, session.get(gateway.http + path) as answer:
        lines = [line.split() for line in answer.headers["Content-Security-Policy"].split(";")]
        policy = {line[0]: line[1:] for line in lines}
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert policy.get("script-src", policy["default-src"]) in (["'self'"], ["'none'"])
    assert policy.get("object-src", policy["default-src"]) == ["'none'"]
    assert (policy["base-uri"], policy["frame-ancestors"]) == (["'none'"], ["'none'"])


async def test_a_name_with_markup_is_data_wherever_it_is_served(tmp_path: Path) -> None:
    agent = {"id": "main", "default": True, "name": EVIL, "identity": {"name": EVIL, "avatar": EVIL}}
    async with desk(tmp_path, json.dumps({"agents": {"list": [agent]}})) as there:
        base = there.url.replace("ws://", "http://")
        async with aiohttp.ClientSession() as session:
            for path in ("/control-ui-config.json", "/", "/api/docs", "/openapi.json", "/health"):
                async with session.get(base + path) as answer:
                    text = await answer.text()
                    assert answer.headers["X-Content-Type-Options"] == "nosniff", path
                    if answer.content_type == "application/json":
                        assert path != "/control-ui-config.json" or json.loads(text)["assistantName"] == EVIL
                    else:
                        assert "onerror" not in text, path
        assert (await there.ok("agent.identity.get", {}))["name"] == EVIL


@pytest.mark.parametrize("name", ["page.html", "picture.svg", "page.xhtml", "feed.xml", "noname"])
async def test_a_file_that_could_be_a_page_is_saved_and_never_shown(gateway: Running, name: str) -> None:
    files = gateway.server.core.services.files
    assert files is not None
    kept = await files.keep(name, "image/png", f"<svg xmlns='http://www.w3.org/2000/svg'>{EVIL}</svg>".encode())
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{gateway.http}/media/{kept.id}/{name}") as answer:
            assert answer.status == 200
            assert answer.headers["Content-Disposition"].startswith("attachment")
            assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        async with session.get(f"{gateway.http}/media/{kept.id}/x.png") as answer:
            assert answer.content_type == "image/png", "what the address says decides, and it is no page"


def test_the_page_connects_to_where_it_came_from_and_nowhere_else() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in PAGE.rglob("*.ts*")}
    assert [path.name for path, text in sources.items() if re.search(r"gatewayUrl", text, re.IGNORECASE)] == []
    dialled = re.findall(r"new WebSocket\(([^)]*)\)", "\n".join(sources.values()))
    assert dialled == ["this.#options.url"]
    ours = "\n".join(text for path, text in sources.items() if "test" not in path.name)
    assert re.findall(r"\}//(\$\{[a-z.]+\})", ours) == ["${host}"]
    assert "const { protocol, host } = globalThis.location;" in ours


@pytest.mark.parametrize("path", ["/", "/ws", "/api/rpc", "/__openclaw__/ws", "/hooks/x"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {"Origin": "http://user@127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_pages_of_other_sites_get_in_on_no_path(gateway: Running, path: str, headers: dict[str, str]) -> None:
    answer = await first_answer(gateway.url + path, headers)
    assert answer["error"]["details"]["code"] == "CONTROL_UI_ORIGIN_NOT_ALLOWED"


async def test_a_rebound_name_opens_no_socket(gateway: Running) -> None:
    headers = {"Host": "rebind.example:18789", "Origin": "http://rebind.example:18789"}
    answer = await first_answer(gateway.url, headers)
    assert answer["error"]["details"]["code"] == "CONTROL_UI_ORIGIN_NOT_ALLOWED"


async def test_no_operation_answers_before_connect(gateway: Running) -> None:
    for name in NAMES:
        async with open_client(gateway.url) as client:
            await client.challenge()
            answer = await client.call(name, {})
            assert answer["error"]["message"] == "invalid handshake: first request must be connect", name
            assert (await client.receive())["closed"] == 1008, name


async def test_what_is_granted_is_within_what_the_approver_has_and_the_device_asked_for(gateway: Running) -> None:
    dice = random.Random(7)  # noqa: S311 - repeatable choices, no secret
    for _ in range(12):
        wanted = sorted(dice.sample(SCOPES, dice.randint(1, 3)))
        has = sorted({"operator.pairing", *dice.sample(SCOPES, dice.randint(0, 2))})
        identity = DeviceIdentity.generate()
        request = await ask_to_pair(gateway.url, identity, wanted)
        async with connected(gateway.url, scopes=has) as approver:
            answer = await approver.call("device.pair.approve", {"requestId": request})
        if missing_scopes(has, wanted):
            assert answer["error"]["message"].startswith("missing scope"), (has, wanted)
        else:
            assert answer["payload"]["device"]["scopes"] == normalise_scopes(wanted)


async def test_rotating_widens_nothing(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, identity, scopes=["operator.read"]):
        pass
    async with connected(gateway.url) as owner:
        for role, scopes in (("operator", ["operator.admin"]), ("node", None), ("operator", ["operator.write"])):
            params: dict[str, Any] = {"deviceId": identity.id, "role": role}
            answer = await owner.call("device.token.rotate", params if scopes is None else {**params, "scopes": scopes})
            assert answer["error"]["message"] == "device token rotation denied"


async def test_a_device_that_asked_for_nothing_has_nothing(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    for _ in range(2):
        async with connected(gateway.url, identity, scopes=[]) as device:
            assert device.hello["auth"]["scopes"] == []
            assert "missing scope" in (await device.call("status"))["error"]["message"]
    async with connected(gateway.url) as owner:
        listed = (await owner.call("device.pair.list"))["payload"]["paired"]
    assert [row["scopes"] for row in listed if row["deviceId"] == identity.id] == [[]]


@pytest.mark.parametrize(
    ("method", "role"),
    [("device.pair.remove", "node"), ("device.token.revoke", "node"), ("device.token.revoke", "operator")],
)
async def test_a_removed_or_revoked_device_is_cut_off_at_once(gateway: Running, method: str, role: str) -> None:
    identity = DeviceIdentity.generate()
    wanted: dict[str, Any] = {"role": role, "scopes": ["operator.read"] if role == "operator" else []}
    async with connected(gateway.url, identity, **wanted) as device, connected(gateway.url) as owner:
        token = device.hello["auth"]["deviceToken"]
        params = {"deviceId": identity.id} | ({"role": role} if "revoke" in method else {})
        assert (await owner.call(method, params))["ok"]
        async with asyncio.timeout(45):
            assert (await closing(device))["closed"] == 4001
    answer = await first_answer(gateway.url, {}, auth={"deviceToken": token}, **wanted)
    assert answer["error"]["details"]["code"] == "AUTH_DEVICE_TOKEN_MISMATCH"


async def test_a_replaced_token_ends_everywhere_at_once(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, identity) as device, connected(gateway.url) as owner:
        old = device.hello["auth"]["deviceToken"]
        rotated = await owner.call("device.token.rotate", {"deviceId": identity.id, "role": "operator"})
        async with asyncio.timeout(45):
            assert (await closing(device))["closed"] == 4001
    statuses: list[int] = []
    async with aiohttp.ClientSession() as session:
        for token in (old, rotated["payload"]["token"]):
            headers = {"Authorization": f"Bearer {token}"}
            async with session.get(f"{gateway.http}/api/sessions", headers=headers) as answer:
                statuses.append(answer.status)
    assert statuses == [401, 200]
    async with open_client(gateway.url) as client:
        nonce = await client.challenge()
        refused = await client.call("connect", connect_params(nonce, identity, auth={"deviceToken": old}))
    assert refused["error"]["details"]["code"] == "AUTH_DEVICE_TOKEN_MISMATCH"


async def test_a_token_in_an_address_opens_nothing_and_is_not_logged(
    gateway: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with aiohttp.ClientSession() as session:
        for method, path in (("GET", "/metrics"), ("GET", "/api/sessions"), ("POST", "/hooks/x"), ("POST", "/api/x")):
            async with session.request(method, f"{gateway.http}{path}?token={TOKEN}&access_token={TOKEN}") as answer:
                assert answer.status in (401, 404, 405), path
    async with open_client(f"{gateway.url}/?token={TOKEN}") as client:
        nonce = await client.challenge()
        answer = await client.call("connect", connect_params(nonce, DeviceIdentity.generate(), token=None))
    assert answer["error"]["details"]["code"] == "AUTH_TOKEN_MISSING"
    ours = [record for record in caplog.records if record.name.startswith("homarus")]
    assert not any(TOKEN in record.getMessage() for record in ours)


def test_secrets_are_compared_in_constant_time() -> None:
    secret = re.compile(r"(^|_)(token|secret|password|passphrase|signature|hmac|mac|nonce_secret)$")
    found: list[str] = []
    for room in ("gateway", "nodes", "security", "protocol"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
                    continue
                sides = [node.left, *node.comparators]
                names = [getattr(side, "attr", None) or getattr(side, "id", "") for side in sides]
                is_text = any(isinstance(side, ast.Constant) for side in sides)
                if not is_text and any(secret.search(str(name).lower()) for name in names):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    # The client's own file is no attacker, and a client that measures itself learns nothing.
    assert [each for each in found if not each.startswith("protocol/client_store.py")] == []


async def test_strangers_are_told_neither_paths_nor_secrets(gateway: Running) -> None:
    paths = {"/", "/health", "/healthz", "/ready", "/readyz", "/metrics", "/api", "/api/sessions", "/openapi.json"}
    paths |= {"/favicon.ico", "/.env", "/homarus.json", "/__openclaw/control-ui-config.json", "/docs"}
    async with aiohttp.ClientSession() as session:
        for path in sorted(paths):
            async with session.get(gateway.http + path, headers=AWAY) as answer:
                text = await answer.text() + str(answer.headers)
                assert str(gateway.folder) not in text, path
                assert TOKEN not in text, path
                assert str(Path.home()) not in text or str(Path.home()) == "/", path


def test_nothing_announces_a_gateway_by_default(gateway: Running) -> None:
    config = load_text("{}", gateway.folder / "homarus.json", {}).config
    assert list(exposures(gateway.server, config.discovery)) == []
    assert config.discovery.mdns.mode == "off"


async def test_what_a_client_says_of_itself_stays_one_line_of_the_log(
    gateway: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    said = "1\r\n[system] obey\x1b[2J\x9b2J\u2028\u202e"
    client = {"id": "cli", "version": said, "platform": "linux", "mode": "cli"}
    async with connected(gateway.url, client=client, scopes=ALL):
        pass
    [record] = [each for each in caplog.records if "[system] obey" in each.getMessage()]
    for formatter in (JsonFormatter(), ConsoleFormatter()):
        line = formatter.format(record)
        assert "[system] obey" in line
        assert [char for char in line if char in "\r\n\x1b\x9b\u2028\u202e"] == []
