"""Protocol 4 beside protocol 3: each connection has the version both sides know best, and its rules."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.conftest import Running, start, stop
from tests.gateway.fake_services import TOKEN
from tests.gateway.raw_client import ALL, Frame, RawClient, connect_params, connected, open_client

from homarus.gateway.settings import AuthSettings, BrowserSettings, GatewaySettings, LimitSettings
from homarus.protocol.device_identity import DeviceIdentity
from homarus.protocol.versions import NEW_IN_V4

V4: Frame = {"minProtocol": 4, "maxProtocol": 4}
CLI = {"id": "cli", "version": "1", "platform": "linux", "mode": "cli", "deviceFamily": "Linux"}
PROBE = {**CLI, "mode": "probe"}
BACKEND = {**CLI, "id": "gateway-client", "mode": "backend"}
TUI = {**CLI, "id": "openclaw-tui", "mode": "ui"}
CONTROL_UI = {
    **CLI, "id": "openclaw-control-ui", "mode": "webchat", "buildId": "2026.9.6-x", "timeZone": "Europe/Berlin",
}  # fmt: skip
PROXIED = {"X-Forwarded-For": "203.0.113.9"}
PAGE = {"Origin": "http://127.0.0.1:18789"}


def v4(changes: Frame) -> Frame:
    """Return changes of a connect request that make it one of version 4's command line, unless they say otherwise."""
    return {**V4, "client": CLI, **changes}


@asynccontextmanager
async def without_device(
    url: str, headers: dict[str, str] | None = None, **changes: Any
) -> AsyncGenerator[RawClient, None]:
    """A version 4 client that has no device identity; `hello` is the whole answer."""
    async with open_client(url, headers) as client:
        nonce = await client.challenge()
        client.hello = await client.call("connect", connect_params(nonce, **v4(changes)))
        yield client


async def refused(url: str, headers: dict[str, str] | None = None, **changes: Any) -> tuple[Frame, Frame]:
    """Return the error of a connect request with a device, and how the connection was closed."""
    identity = changes.pop("identity", None) or DeviceIdentity.generate()
    async with open_client(url, headers) as client:
        nonce = await client.challenge()
        answer = await client.call("connect", connect_params(nonce, identity, **v4(changes)))
        return answer["error"], await client.receive()


@pytest.mark.parametrize(("low", "high", "chosen"), [(3, 3, 3), (3, 4, 4), (4, 4, 4), (4, 9, 4), (1, 3, 3)])
async def test_the_newest_common_version_is_chosen(gateway: Running, low: int, high: int, chosen: int) -> None:
    async with connected(gateway.url, minProtocol=low, maxProtocol=high) as client:
        assert client.hello["protocol"] == chosen


async def test_both_versions_are_served_at_once_each_in_its_own_shape(gateway: Running) -> None:
    async with connected(gateway.url) as old, connected(gateway.url, **V4) as new:
        assert set(old.hello) == {"type", "protocol", "server", "features", "snapshot", "policy", "auth"}
        assert set(old.hello["server"]) == {"version", "connId"}
        assert set(old.hello["auth"]) == {"deviceToken", "role", "scopes", "issuedAtMs"}
        assert set(old.hello["policy"]) == {"maxPayload", "maxBufferedBytes", "tickIntervalMs"}
        assert set(old.hello["features"]) == {"methods", "events"}
        assert new.hello["server"]["controlUiBuildSource"] == "configured"
        assert new.hello["features"]["capabilities"] == ["model-catalog-snapshot"]
        assert set(new.hello["policy"]["attachments"]) == {"maxBytes", "maxImageBytes"}
        assert new.hello["auth"] == {
            "method": "token", "role": "operator", "scopes": ALL,
            "deviceToken": new.hello["auth"]["deviceToken"], "issuedAtMs": new.hello["auth"]["issuedAtMs"],
        }  # fmt: skip
        gone = {"sessions.unsubscribe", "node.pair.request", "node.pair.verify", "node.canvas.capability.refresh"}
        assert gone <= set(old.hello["features"]["methods"])
        assert not gone & set(new.hello["features"]["methods"])
        for method in gone - {"node.canvas.capability.refresh"}:
            answer = await new.call(method, {})
            assert answer["error"] == {"code": "INVALID_REQUEST", "message": f"unknown method: {method}"}
        assert (await old.call("sessions.unsubscribe", {}))["ok"]


async def test_unknown_client_is_named_in_the_words_of_the_version(gateway: Running) -> None:
    error, closed = await refused(gateway.url, client={**CLI, "id": "nosuch"})
    assert error["message"] == "invalid connect params: at /client/id: must be equal to one of the allowed values"
    assert closed["closed"] == 1008


async def test_connect_parameters_stay_closed(gateway: Running) -> None:
    error, _closed = await refused(gateway.url, bogus=1)
    assert error["message"] == "invalid connect params: at root: unexpected property 'bogus'"


@pytest.mark.parametrize("client_facts", [CLI, BACKEND])
async def test_local_program_that_knows_the_secret_keeps_its_scopes_without_device(
    gateway: Running, client_facts: Frame
) -> None:
    wanted = ["operator.write", "operator.read"]
    async with without_device(gateway.url, client=client_facts, scopes=wanted) as client:
        assert client.hello["payload"]["auth"] == {"method": "token", "role": "operator", "scopes": wanted}
        assert (await client.call("status"))["ok"]
        refusal = (await client.call("config.set", {}))["error"]
    assert refusal == {
        "code": "FORBIDDEN", "message": "missing scope: operator.admin",
        "details": {
            "code": "MISSING_SCOPE", "missingScope": "operator.admin", "requiredScopes": ["operator.admin"],
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("client_facts", "headers"),
    [
        (PROBE, {}),
        (TUI, {}),
        (CLI, PROXIED),
        (BACKEND, PROXIED),
        (CLI, PAGE),
        ({**CLI, "mode": "backend"}, {}),
        ({**BACKEND, "mode": "cli"}, {}),
    ],
    ids=["a probe", "a TUI", "a proxied CLI", "a proxied backend", "a page", "a mixed CLI", "a mixed backend"],
)
async def test_everybody_else_is_let_in_without_scopes(
    gateway: Running, client_facts: Frame, headers: dict[str, str]
) -> None:
    async with without_device(gateway.url, headers, client=client_facts) as client:
        assert client.hello["payload"]["auth"]["scopes"] == []
        assert (await client.call("status"))["error"]["code"] == "FORBIDDEN"
        assert (await client.call("health"))["ok"]


async def test_the_wrong_secret_keeps_nothing(gateway: Running) -> None:
    async with without_device(gateway.url, token="wrong") as client:
        assert client.hello["error"]["details"]["code"] == "AUTH_TOKEN_MISMATCH"
    async with without_device(gateway.url, token=None) as client:
        assert client.hello["error"]["code"] == "NOT_PAIRED"
    async with without_device(gateway.url, role="node", scopes=[]) as client:
        assert client.hello["error"]["details"]["code"] == "DEVICE_IDENTITY_REQUIRED"


async def test_no_insecure_setting_lets_a_control_ui_in_without_device(tmp_path: Path) -> None:
    browser = BrowserSettings(allows_insecure_auth=True)
    running = await start(tmp_path, GatewaySettings(auth=AuthSettings(token=TOKEN), browser=browser))
    try:
        async with without_device(running.url, PAGE, client=CONTROL_UI) as client:
            assert client.hello["error"]["details"]["code"] == "CONTROL_UI_DEVICE_IDENTITY_REQUIRED"
        async with without_device(running.url, PAGE, client=CONTROL_UI, minProtocol=3, maxProtocol=3) as client:
            assert client.hello["ok"]
    finally:
        await stop(running)


async def test_mode_none_lets_a_local_backend_in_without_device_and_nobody_else(tmp_path: Path) -> None:
    running = await start(
        tmp_path, GatewaySettings(auth=AuthSettings("none"), trusted_proxies=frozenset({"127.0.0.1"}))
    )
    try:
        async with without_device(running.url, client=BACKEND, token=None) as client:
            assert client.hello["payload"]["auth"] == {"method": "none", "role": "operator", "scopes": ALL}
        async with without_device(running.url, client=CLI, token=None) as client:
            assert client.hello["error"]["details"]["code"] == "DEVICE_IDENTITY_REQUIRED"
        async with without_device(running.url, PROXIED, client=BACKEND, token=None) as client:
            assert client.hello["error"]["details"]["code"] == "DEVICE_IDENTITY_REQUIRED"
    finally:
        await stop(running)


@pytest.mark.parametrize("auth", [{"password": TOKEN}, {"token": TOKEN, "password": TOKEN}])
async def test_the_secret_may_come_in_either_field(gateway: Running, auth: Frame) -> None:
    async with without_device(gateway.url, auth=auth) as client:
        assert client.hello["payload"]["auth"]["method"] == "token"


async def test_a_wrong_secret_in_the_other_field_counts_as_a_guess(tmp_path: Path) -> None:
    limits = LimitSettings(attempts=2, is_loopback_exempt=False)
    running = await start(tmp_path, GatewaySettings(auth=AuthSettings(token=TOKEN), limits=limits))
    try:
        for expected in ("AUTH_TOKEN_MISMATCH", "AUTH_TOKEN_MISMATCH", "AUTH_RATE_LIMITED"):
            error, _closed = await refused(running.url, auth={"password": "guess"})
            assert error["details"]["code"] == expected
        assert error["retryable"] is True
        assert 0 < error["retryAfterMs"] <= 300_000
    finally:
        await stop(running)


async def test_local_device_that_knows_the_secret_gets_more_scopes_without_asking(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, identity, scopes=["operator.read"], **V4):
        pass
    async with connected(gateway.url, identity, scopes=["operator.read", "operator.approvals"], **V4) as client:
        assert client.hello["auth"]["scopes"] == ["operator.read", "operator.approvals"]


async def test_device_token_alone_never_gets_more_scopes(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, identity, scopes=["operator.read"], **V4) as client:
        issued = client.hello["auth"]["deviceToken"]
    error, _closed = await refused(gateway.url, identity=identity, auth={"deviceToken": issued})
    assert error["details"]["code"] == "AUTH_SCOPE_MISMATCH"
    assert "device token mismatch" not in error["message"]
    async with connected(gateway.url, identity, scopes=["operator.read"], auth={"deviceToken": issued}, **V4) as client:
        assert client.hello["auth"]["method"] == "device-token"


async def test_owner_can_have_every_local_device_asked_for(tmp_path: Path) -> None:
    running = await start(tmp_path, GatewaySettings(auth=AuthSettings(token=TOKEN), approves_local=False))
    try:
        error, _closed = await refused(running.url)
        assert error["details"]["reason"] == "not-paired"
    finally:
        await stop(running)


async def test_refused_pairing_says_what_is_missing_and_what_to_do(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, identity, scopes=["operator.read"], **V4):
        pass
    error, closed = await refused(gateway.url, PROXIED, identity=identity, scopes=["operator.write"])
    details = error["details"]
    message = "pairing required: this device asks for scopes beyond what was approved"
    assert (error["code"], error["message"]) == ("NOT_PAIRED", message)
    assert details == {
        "code": "PAIRING_REQUIRED", "requestId": details["requestId"], "reason": "scope-upgrade",
        "remediationHint": f"approve it on the gateway: homarus devices approve {details['requestId']}",
        "deviceId": identity.id, "requestedRole": "operator", "requestedScopes": ["operator.write"],
        "approvedRoles": ["operator"], "approvedScopes": ["operator.read"],
    }  # fmt: skip
    assert closed == {"closed": 1008, "reason": f"{message} (requestId: {details['requestId']})"[:120]}


async def test_node_that_waits_for_approval_is_told_to_try_again(gateway: Running) -> None:
    node: Frame = {"role": "node", "scopes": [], "client": {**CLI, "id": "node-host", "mode": "node"}}
    error, _closed = await refused(gateway.url, PROXIED, **node)
    assert error["details"]["pauseReconnect"] is False
    assert error["details"]["recommendedNextStep"] == "wait_then_retry"
    assert error["retryable"] is True


async def test_facts_that_were_never_told_are_not_held_against_a_device(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    plain = {"id": "cli", "version": "1", "platform": "darwin", "mode": "cli"}
    async with connected(gateway.url, identity, client=plain):
        pass
    for facts in ({**plain, "deviceFamily": "Mac"}, {**plain, "platform": "macos"}):
        async with connected(gateway.url, identity, PROXIED, client=facts, **V4) as client:
            assert client.hello["auth"]["method"] == "token"
    error, _closed = await refused(gateway.url, PROXIED, identity=identity, client={**plain, "platform": "linux"})
    assert error["details"]["reason"] == "metadata-upgrade"


@pytest.mark.parametrize(
    ("header", "granted"),
    [
        ("operator.read", ["operator.read"]),
        ("operator.read, operator.talk", ["operator.read", "operator.talk"]),
        ("", []),
    ],
)
async def test_header_caps_scopes_and_what_the_device_is_paired_with(
    gateway: Running, header: str, granted: list[str]
) -> None:
    identity = DeviceIdentity.generate()
    cap = {"X-OpenClaw-Scopes": header}
    async with connected(gateway.url, identity, cap, **V4) as client:
        assert client.hello["auth"]["scopes"] == granted
        assert "deviceToken" not in client.hello["auth"]
    async with connected(gateway.url) as admin:
        paired = (await admin.call("device.pair.list", {}))["payload"]["paired"]
    scopes = next(device["scopes"] for device in paired if device["deviceId"] == identity.id)
    assert scopes == sorted(granted)
    async with without_device(gateway.url, cap) as client:
        assert client.hello["payload"]["auth"]["scopes"] == granted


@pytest.mark.parametrize(
    ("method", "params", "missing"),
    [
        ("sessions.patch", {"key": "main", "label": "x", "expectedSessionId": "s"}, None),
        ("sessions.patch", {"key": "main", "sendPolicy": "deny"}, "operator.admin"),
        ("sessions.delete", {"key": "main"}, "operator.admin"),
        ("sessions.delete", {"key": "main", "emitLifecycleHooks": True}, "operator.admin"),
        ("config.schema", {}, None),
        ("config.set", {}, "operator.admin"),
    ],
)
async def test_scope_may_depend_on_the_parameters(
    gateway: Running, method: str, params: Frame, missing: str | None
) -> None:
    async with connected(gateway.url, scopes=["operator.write"], **V4) as client:
        answer = await client.call(method, params)
    error = answer.get("error", {})
    assert error.get("details", {}).get("missingScope") == missing
    assert (error.get("code") == "FORBIDDEN") == (missing is not None)


async def test_scope_is_checked_before_the_target_and_the_target_before_the_rest(gateway: Running) -> None:
    async with connected(gateway.url, scopes=["operator.read"], **V4) as reader:
        assert (await reader.call("chat.send", {}))["error"]["code"] == "FORBIDDEN"
    async with connected(gateway.url, scopes=["operator.write"], **V4) as writer:
        assert (await writer.call("chat.send", {}))["error"] == {
            "code": "INVALID_REQUEST", "message": "session mutation target is unavailable",
            "details": {"code": "SESSION_MUTATION_TARGET_REQUIRED", "method": "chat.send"},
        }  # fmt: skip
        problem = (await writer.call("chat.send", {"sessionKey": "main"}))["error"]["message"]
        assert problem.startswith("invalid chat.send params: must have required property 'message'")
    async with connected(gateway.url, **V4) as admin:
        problem = (await admin.call("chat.send", {}))["error"]["message"]
        assert problem.startswith("invalid chat.send params: must have required property 'sessionKey'")


async def test_unknown_parameters_are_passed_over_with_version_4_and_refused_with_version_3(gateway: Running) -> None:
    send = {"sessionKey": "main", "message": "hi", "idempotencyKey": "k1", "sessionId": "s", "someday": {"a": 1}}
    async with connected(gateway.url, **V4) as new:
        assert (await new.call("chat.send", send))["ok"]
        wrong = await new.call("chat.send", {**send, "message": 5, "idempotencyKey": "k2"})
        assert wrong["error"]["message"] == "invalid chat.send params: at /message: must be string"
    async with connected(gateway.url) as old:
        problem = (await old.call("chat.send", {**send, "idempotencyKey": "k3"}))["error"]["message"]
    assert "unexpected property 'someday'" in problem


async def test_methods_of_version_4_are_unknown_to_version_3(gateway: Running) -> None:
    async with connected(gateway.url) as old, connected(gateway.url, **V4) as new:
        listed = set(new.hello["features"]["methods"])
        assert NEW_IN_V4 & listed
        assert not NEW_IN_V4 & set(old.hello["features"]["methods"])
        assert (await new.call("commands.list", {}))["ok"]
        error = (await old.call("commands.list", {}))["error"]
    assert error == {"code": "INVALID_REQUEST", "message": "unknown method: commands.list"}


async def test_page_that_says_what_it_shows_is_told_the_models_at_once(gateway: Running) -> None:
    target = {"agentId": "main", "sessionKey": "agent:main:main"}
    async with connected(gateway.url, client=TUI, modelCatalog=target, **V4) as client:
        told = await client.event("models.snapshot")
        listed = (await client.call("models.list", {}))["payload"]
    assert told["target"] == told["scope"] == target
    assert told["catalog"]["models"] == listed["models"]


@pytest.mark.parametrize("target", [{"agentId": "nobody"}, {"agentId": 5, "x": []}, "main", {"sessionKey": "k" * 9000}])
async def test_wish_for_models_that_makes_no_sense_harms_nothing(gateway: Running, target: object) -> None:
    async with connected(gateway.url, client=TUI, modelCatalog=target, **V4) as client:
        assert (await client.call("health"))["ok"]
    async with connected(gateway.url, client=TUI, modelCatalog=target, scopes=["operator.approvals"], **V4) as deaf:
        assert (await deaf.call("health"))["ok"]
        assert [frame for frame in deaf.events if frame.get("event") == "models.snapshot"] == []
