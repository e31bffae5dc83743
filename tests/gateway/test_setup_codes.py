from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.conftest import Running, start, stop
from tests.gateway.fake_clock import FakeClock
from tests.gateway.fake_services import TOKEN, make_database, make_services
from tests.gateway.raw_client import Frame, connect_params, connected, open_client

from homarus.errors import ProtocolError, UserError
from homarus.gateway.server import GatewayServer
from homarus.gateway.settings import AuthSettings, GatewaySettings, LimitSettings, TlsSettings
from homarus.gateway.setup_codes import MAX_OPEN, PROFILES, SETUP_TTL_MS, IssuedSetupToken, SetupCodes
from homarus.gateway.setup_url import is_own, setup_url
from homarus.protocol.client import GatewayClient
from homarus.protocol.client_handshake import ClientFacts
from homarus.protocol.device_identity import DeviceIdentity
from homarus.protocol.scopes import Role
from homarus.protocol.setup_code import SetupCode, read_setup_code, write_setup_code

AWAY = {"X-Forwarded-For": "203.0.113.9"}
NODE = {"id": "node-host", "version": "1", "platform": "linux", "mode": "node"}
LIMITED = ["operator.approvals", "operator.read", "operator.talk.secrets", "operator.write"]


async def code_of(gateway: Running, **params: str) -> SetupCode:
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as owner:
        made = await owner.call("device.pair.setupCode", {"publicUrl": gateway.url, **params})
    assert made["ok"], made
    return read_setup_code(made["payload"]["setupCode"])


async def connect(gateway: Running, token: str, identity: DeviceIdentity, **changes: Any) -> Frame:
    wanted: dict[str, Any] = {"role": "node", "scopes": [], "client": NODE, **changes}
    async with open_client(gateway.url, AWAY) as client:
        nonce = await client.challenge()
        return await client.call("connect", connect_params(nonce, identity, auth={"bootstrapToken": token}, **wanted))


async def test_a_setup_code_names_the_port_that_is_served_when_any_free_one_was_wanted(tmp_path: Path) -> None:
    services, runs = make_services(tmp_path)
    settings = GatewaySettings(host="100.64.0.5", port=0, auth=AuthSettings(token=TOKEN))
    running = Running(GatewayServer(services, settings), runs, tmp_path)
    await running.server.start(host="127.0.0.1")
    try:
        async with connected(running.url, minProtocol=4, maxProtocol=4) as owner:
            made = await owner.call("device.pair.setupCode", {})
        assert made["ok"], made
        assert running.server.port > 0
        assert read_setup_code(made["payload"]["setupCode"]).url == f"ws://100.64.0.5:{running.server.port}"
    finally:
        await stop(running)


@pytest.mark.parametrize("version", [3, 4])
async def test_a_setup_code_pairs_a_device_elsewhere_as_its_profile_says(gateway: Running, version: int) -> None:
    identity, code = DeviceIdentity.generate(), await code_of(gateway)
    answer = await connect(gateway, code.token, identity, minProtocol=version, maxProtocol=version)
    auth = answer["payload"]["auth"]
    assert (auth["role"], auth["scopes"]) == ("node", [])
    [handed_off] = auth["deviceTokens"]
    assert (handed_off["role"], handed_off["scopes"]) == ("operator", LIMITED)
    operator: dict[str, Any] = {"token": None, "auth": {"deviceToken": handed_off["deviceToken"]}, "scopes": LIMITED}
    async with connected(gateway.url, identity, AWAY, **operator) as client:
        assert (await client.call("status"))["ok"]
        assert "missing scope" in (await client.call("device.pair.list"))["error"]["message"]


async def test_a_setup_code_works_once_even_for_two_at_the_same_time(gateway: Running) -> None:
    code = await code_of(gateway)
    answers = await asyncio.gather(*(connect(gateway, code.token, DeviceIdentity.generate()) for _ in range(4)))
    assert sorted(answer["ok"] for answer in answers) == [False, False, False, True]
    refused = next(answer for answer in answers if not answer["ok"])
    assert refused["error"]["details"]["code"] == "AUTH_BOOTSTRAP_TOKEN_INVALID"


@pytest.mark.parametrize(
    ("profile", "changes"),
    [
        ("limited", {"role": "operator", "scopes": ["operator.admin"], "client": {**NODE, "mode": "cli"}}),
        ("limited", {"role": "operator", "scopes": ["operator.pairing"], "client": {**NODE, "mode": "cli"}}),
        ("node", {"role": "operator", "scopes": ["operator.read"], "client": {**NODE, "mode": "cli"}}),
    ],
)
async def test_a_setup_code_never_grants_more_than_its_profile_and_is_used_up_by_trying(
    gateway: Running, profile: str, changes: Frame
) -> None:
    identity, code = DeviceIdentity.generate(), await code_of(gateway, bootstrapProfile=profile)
    assert (await connect(gateway, code.token, identity, **changes))["ok"] is False
    assert (await connect(gateway, code.token, identity))["ok"] is False


async def test_a_node_profile_hands_off_no_operator_token(gateway: Running) -> None:
    code = await code_of(gateway, bootstrapProfile="node")
    answer = await connect(gateway, code.token, DeviceIdentity.generate())
    assert "deviceTokens" not in answer["payload"]["auth"]


async def test_an_operator_token_of_a_setup_code_is_bounded_for_a_device_that_may_do_more(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, identity):
        pass
    code = await code_of(gateway)
    auth = (await connect(gateway, code.token, identity))["payload"]["auth"]
    assert auth["deviceTokens"][0]["scopes"] == LIMITED


async def test_only_admins_make_setup_codes(gateway: Running) -> None:
    scopes = ["operator.pairing", "operator.write"]
    async with connected(gateway.url, scopes=scopes, minProtocol=4, maxProtocol=4) as client:
        answer = await client.call("device.pair.setupCode", {"publicUrl": gateway.url})
    assert answer["error"]["message"] == "missing scope: operator.admin"


async def test_guessing_setup_codes_locks_the_address_out(tmp_path: Path) -> None:
    settings = GatewaySettings(
        auth=AuthSettings(token=TOKEN), limits=LimitSettings(attempts=2), trusted_proxies=frozenset({"127.0.0.1"})
    )
    running = await start(tmp_path, settings)
    try:
        codes = [
            (await connect(running, f"guess-{number}", DeviceIdentity.generate()))["error"]["details"]["code"]
            for number in range(3)
        ]
    finally:
        await stop(running)
    assert codes == ["AUTH_BOOTSTRAP_TOKEN_INVALID", "AUTH_BOOTSTRAP_TOKEN_INVALID", "AUTH_RATE_LIMITED"]


async def test_setup_codes_end_after_ten_minutes_and_only_so_many_are_open(tmp_path: Path) -> None:
    clock, database = FakeClock(), make_database(tmp_path / "db")
    codes = SetupCodes(database, clock)
    first = await codes.issue(PROFILES["node"])
    clock.advance(SETUP_TTL_MS / 1000)
    assert await codes.redeem(first.token, Role.NODE, ()) is None
    many: list[IssuedSetupToken] = []
    for _ in range(MAX_OPEN + 1):
        clock.advance(1)
        many.append(await codes.issue(PROFILES["node"]))
    assert await codes.redeem(many[0].token, Role.NODE, ()) is None
    assert await codes.redeem(many[-1].token, Role.NODE, ()) == PROFILES["node"]
    for nonsense in ("", "x" * 10_000, "\ud800"):
        assert await codes.redeem(nonsense, Role.NODE, ()) is None
    await database.close()


async def test_the_client_keeps_all_tokens_a_setup_code_brings(gateway: Running, tmp_path: Path) -> None:
    code, identity = await code_of(gateway), tmp_path / "phone" / "device.json"
    facts = ClientFacts(id="node-host", mode="node", role=Role.NODE)
    for _ in range(2):  # the second time with the token it was given
        node = GatewayClient(gateway.url, identity=identity, setup_token=code.token, facts=facts, scopes=())
        async with node:
            assert node.hello["type"] == "hello-ok"
    async with GatewayClient(gateway.url, identity=identity, scopes=("operator.read",)) as operator:
        assert await operator.call("status")


@pytest.mark.parametrize(
    ("settings", "public", "expected"),
    [
        (GatewaySettings(host="192.0.2.7", port=1, tls=TlsSettings()), None, "wss://192.0.2.7:1"),
        (GatewaySettings(host="100.64.0.7", port=1), None, "ws://100.64.0.7:1"),
        (GatewaySettings(), "home.example", "wss://home.example"),
        (GatewaySettings(), "https://home.example:444/", "wss://home.example:444"),
        (GatewaySettings(), "ws://127.0.0.1:7", "ws://127.0.0.1:7"),
        (GatewaySettings(), "wss://[::1]:7", "wss://[::1]:7"),
    ],
)
def test_the_address_of_a_setup_code(settings: GatewaySettings, public: str | None, expected: str) -> None:
    assert setup_url(settings, public) == expected


@pytest.mark.parametrize(
    ("settings", "public", "message"),
    [
        (GatewaySettings(), None, "gateway.bind"),
        (GatewaySettings(host="192.0.2.7"), None, "in the clear"),
        (GatewaySettings(), "ws://home.example", "in the clear"),
        (GatewaySettings(), "ftp://home.example", "no address"),
        (GatewaySettings(), "wss://", "no address"),
        (GatewaySettings(), "wss://user:secret@home.example", "no address"),
        (GatewaySettings(), "wss://home.example:99999", "no address"),
    ],
)
def test_addresses_that_would_not_do_are_refused(settings: GatewaySettings, public: str | None, message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        setup_url(settings, public)


def test_a_setup_code_survives_copying() -> None:
    code = SetupCode("wss://home.example", "token", "AB:CD")
    text = write_setup_code(code)
    assert read_setup_code(f" {text[:20]}\n{text[20:]} ") == code
    assert "token" not in repr(code)


@pytest.mark.parametrize(
    "text", ["", "x", "e30", "bnVsbA", "W10", write_setup_code(SetupCode("file:///x", "t")), "A" * 9999]
)
def test_what_is_no_setup_code_is_refused_with_the_fix(text: str) -> None:
    with pytest.raises(UserError) as caught:
        read_setup_code(text)
    assert "setup-code" in str(caught.value.fix)


def test_only_addresses_of_the_gateways_own_port_carry_its_certificate() -> None:
    secure = GatewaySettings(port=18789, tls=TlsSettings())
    assert is_own("wss://home.example:18789", secure)
    assert not is_own("wss://home.example", secure)
    assert not is_own("wss://home.example:18789", GatewaySettings(port=18789))
