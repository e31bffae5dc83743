from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.gateway.conftest import Running, start, stop
from tests.gateway.fake_services import TOKEN
from tests.gateway.raw_client import ALL, Frame, RawClient, connect_params, connected, open_client

from homarus.gateway.settings import AuthSettings, BrowserSettings, GatewaySettings, LimitSettings
from homarus.protocol.device_identity import DeviceIdentity

CONTROL_UI = {"id": "openclaw-control-ui", "version": "1", "platform": "linux", "mode": "webchat"}
BACKEND = {"id": "gateway-client", "version": "1", "platform": "linux", "mode": "backend"}
PROXIED = {"X-Forwarded-For": "203.0.113.9"}
EVIL = {"Origin": "http://evil.example"}
ORIGIN_MESSAGE = (
    "origin not allowed (open the Control UI from the gateway host or allow it in gateway.controlUi.allowedOrigins)"
)
CLI_HINT = "(set gateway.remote.token to match gateway.auth.token)"
ZERO = "00000000-0000-0000-0000-000000000000"

Case = tuple[Frame, dict[str, str], str, str, Frame | None, int]
# changes of the request (None for device: without one), headers, code, message, details, close code
REFUSALS: dict[str, Case] = {
    "a protocol range we do not speak": (
        {"minProtocol": 1, "maxProtocol": 2}, {}, "INVALID_REQUEST", "protocol mismatch",
        {"code": "PROTOCOL_MISMATCH", "clientMinProtocol": 1, "clientMaxProtocol": 2, "expectedProtocol": 4,
         "minimumProbeProtocol": 3}, 1002,
    ),
    "an unknown role": ({"role": "superuser"}, {}, "INVALID_REQUEST", "invalid role", None, 1008),
    "a foreign origin": (
        {}, EVIL, "INVALID_REQUEST", ORIGIN_MESSAGE,
        {"code": "CONTROL_UI_ORIGIN_NOT_ALLOWED", "reason": "origin not allowed"}, 1008,
    ),
    "a page without origin": (
        {"client": CONTROL_UI}, {}, "INVALID_REQUEST", ORIGIN_MESSAGE,
        {"code": "CONTROL_UI_ORIGIN_NOT_ALLOWED", "reason": "origin missing or invalid"}, 1008,
    ),
    "a page without device": (
        {"client": CONTROL_UI, "device": None}, {"Origin": "http://127.0.0.1"}, "INVALID_REQUEST",
        "control ui requires device identity (use HTTPS or localhost secure context)",
        {"code": "CONTROL_UI_DEVICE_IDENTITY_REQUIRED"}, 1008,
    ),
    "a wrong token without device": (
        {"token": "wrong", "device": None}, {}, "INVALID_REQUEST", f"unauthorized: gateway token mismatch {CLI_HINT}",
        {"code": "AUTH_TOKEN_MISMATCH", "authReason": "token_mismatch", "canRetryWithDeviceToken": False,
         "recommendedNextStep": "update_auth_credentials"}, 1008,
    ),
    "no token and no device": (
        {"token": None, "device": None}, {}, "NOT_PAIRED", "device identity required",
        {"code": "DEVICE_IDENTITY_REQUIRED"}, 1008,
    ),
    "a node without device": (
        {"role": "node", "scopes": [], "device": None}, {}, "NOT_PAIRED", "device identity required",
        {"code": "DEVICE_IDENTITY_REQUIRED"}, 1008,
    ),
    "a device id of another key": (
        {"device_changes": {"id": "ab" * 32}}, {}, "INVALID_REQUEST", "device identity mismatch",
        {"code": "DEVICE_AUTH_DEVICE_ID_MISMATCH", "reason": "device-id-mismatch"}, 1008,
    ),
    "a public key that is none": (
        {"device_changes": {"publicKey": "??"}}, {}, "INVALID_REQUEST", "device identity mismatch",
        {"code": "DEVICE_AUTH_DEVICE_ID_MISMATCH", "reason": "device-id-mismatch"}, 1008,
    ),
    "an old signature": (
        {"device_changes": {"signedAt": 1}}, {}, "INVALID_REQUEST", "device signature expired",
        {"code": "DEVICE_AUTH_SIGNATURE_EXPIRED", "reason": "device-signature-stale"}, 1008,
    ),
    "a blank nonce": (
        {"device_changes": {"nonce": " "}}, {}, "INVALID_REQUEST", "device nonce required",
        {"code": "DEVICE_AUTH_NONCE_REQUIRED", "reason": "device-nonce-missing"}, 1008,
    ),
    "the nonce of another connection": (
        {"device_changes": {"nonce": ZERO}}, {}, "INVALID_REQUEST", "device nonce mismatch",
        {"code": "DEVICE_AUTH_NONCE_MISMATCH", "reason": "device-nonce-mismatch"}, 1008,
    ),
    "a signature of something else": (
        {"device_changes": {"signature": "A" * 86}}, {}, "INVALID_REQUEST", "device signature invalid",
        {"code": "DEVICE_AUTH_SIGNATURE_INVALID", "reason": "device-signature"}, 1008,
    ),
    "a wrong token": (
        {"token": "wrong"}, {}, "INVALID_REQUEST", f"unauthorized: gateway token mismatch {CLI_HINT}",
        {"code": "AUTH_TOKEN_MISMATCH", "authReason": "token_mismatch", "canRetryWithDeviceToken": True,
         "recommendedNextStep": "retry_with_device_token"}, 1008,
    ),
    "no token": (
        {"token": None}, {}, "INVALID_REQUEST", f"unauthorized: gateway token missing {CLI_HINT}",
        {"code": "AUTH_TOKEN_MISSING", "authReason": "token_missing", "canRetryWithDeviceToken": False,
         "recommendedNextStep": "update_auth_configuration"}, 1008,
    ),
    "a wrong device token": (
        {"auth": {"deviceToken": "wrong"}}, {}, "INVALID_REQUEST",
        "unauthorized: device token mismatch (rotate/reissue device token)",
        {"code": "AUTH_DEVICE_TOKEN_MISMATCH", "authReason": "device_token_mismatch",
         "canRetryWithDeviceToken": False, "recommendedNextStep": "update_auth_credentials"}, 1008,
    ),
}  # fmt: skip


async def refuse(client: RawClient, changes: Frame) -> tuple[Frame, Frame]:
    nonce = await client.challenge()
    identity = None if "device" in changes else DeviceIdentity.generate()
    rest: dict[str, Any] = {name: value for name, value in changes.items() if name != "device"}
    answer = await client.call("connect", connect_params(nonce, identity, **rest))
    return answer, await client.receive()


@pytest.mark.parametrize("case", REFUSALS)
async def test_refusal_has_code_message_details_and_close_code_of_the_reference(gateway: Running, case: str) -> None:
    changes, headers, code, message, details, close_code = REFUSALS[case]
    async with open_client(gateway.url, headers) as client:
        answer, closed = await refuse(client, changes)
    expected: Frame = {"code": code, "message": message}
    if details is not None:
        expected["details"] = details
    assert answer["error"] == expected
    assert answer["ok"] is False
    assert closed == {"closed": close_code, "reason": message[:120]}


async def test_unknown_client_ids_and_properties_are_named_as_the_reference_names_them(gateway: Running) -> None:
    client_facts = {"id": "someone-else", "version": "1", "platform": "linux", "mode": "cli"}
    async with open_client(gateway.url) as client:
        answer, _closed = await refuse(client, {"client": client_facts, "device": None})
    message = "at /client/id: must be equal to constant; at /client/id: must match a schema in anyOf"
    assert answer["error"] == {"code": "INVALID_REQUEST", "message": f"invalid connect params: {message}"}


async def test_first_request_must_be_connect(gateway: Running) -> None:
    async with open_client(gateway.url) as client:
        await client.challenge()
        answer = await client.call("health")
        closed = await client.receive()
    message = "invalid handshake: first request must be connect"
    assert answer["error"] == {"code": "INVALID_REQUEST", "message": message}
    assert closed == {"closed": 1008, "reason": message}


@pytest.mark.parametrize(("text", "code"), [("hello", 1000), ('{"type":"req"}', 1008), ("5", 1008)])
async def test_first_frame_that_is_no_request_closes_without_an_answer(gateway: Running, text: str, code: int) -> None:
    async with open_client(gateway.url) as client:
        await client.challenge()
        await client.send(text)
        assert (await client.receive())["closed"] == code


async def test_both_signature_versions_are_accepted(gateway: Running) -> None:
    for version in ("v2", "v3"):
        async with connected(gateway.url, version=version) as client:
            assert client.hello["type"] == "hello-ok"


async def test_hello_tells_admins_where_files_are_and_nobody_else(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, identity) as admin:
        assert admin.hello["snapshot"]["stateDir"] == str(gateway.folder)
        assert admin.hello["snapshot"]["authMode"] == "token"
        assert admin.hello["policy"] == {
            "maxPayload": 26214400, "maxBufferedBytes": 52428800, "tickIntervalMs": 30000,
        }  # fmt: skip
    async with connected(gateway.url, identity, scopes=["operator.read"]) as reader:
        assert "stateDir" not in reader.hello["snapshot"]
        assert reader.hello["snapshot"]["sessionDefaults"]["mainSessionKey"] == "agent:main:main"


async def test_token_only_clients_lose_their_scopes(gateway: Running) -> None:
    async with open_client(gateway.url) as client:
        nonce = await client.challenge()
        hello = await client.call("connect", connect_params(nonce, client=BACKEND))
        assert hello["ok"]
        assert "auth" not in hello["payload"]
        answer = await client.call("status")
    assert answer["error"] == {"code": "INVALID_REQUEST", "message": "missing scope: operator.read"}


async def test_issued_device_token_lets_the_device_in_again_and_is_returned_as_it_was(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, identity) as first:
        issued = first.hello["auth"]["deviceToken"]
    for auth in ({"deviceToken": issued}, {"token": issued}, {"token": TOKEN, "deviceToken": issued}):
        async with connected(gateway.url, identity, auth=auth) as again:
            assert again.hello["auth"]["deviceToken"] == issued


async def test_device_token_of_another_device_is_refused(gateway: Running) -> None:
    async with connected(gateway.url) as first:
        issued = first.hello["auth"]["deviceToken"]
    async with open_client(gateway.url) as client:
        answer, _closed = await refuse(client, {"auth": {"deviceToken": issued}})
    assert answer["error"]["details"]["code"] == "AUTH_DEVICE_TOKEN_MISMATCH"


async def test_narrow_device_token_never_begets_a_wider_one(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, identity):
        pass
    async with connected(gateway.url) as admin:
        rotate = {"deviceId": identity.id, "role": "operator", "scopes": ["operator.read"]}
        rotated = (await admin.call("device.token.rotate", rotate))["payload"]["token"]
    auth = {"deviceToken": rotated}
    async with connected(gateway.url, identity, auth=auth, scopes=["operator.read"]) as reader:
        assert reader.hello["auth"] == {
            "deviceToken": rotated, "role": "operator", "scopes": ["operator.read"],
            "issuedAtMs": reader.hello["auth"]["issuedAtMs"],
        }  # fmt: skip
    async with open_client(gateway.url) as client:
        nonce = await client.challenge()
        answer = await client.call("connect", connect_params(nonce, identity, auth=auth))
    assert answer["error"]["details"]["code"] == "AUTH_DEVICE_TOKEN_MISMATCH"


async def test_remote_device_waits_for_approval_and_then_gets_in(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url) as admin:
        async with open_client(gateway.url, PROXIED) as client:
            nonce = await client.challenge()
            answer = await client.call("connect", connect_params(nonce, identity))
            closed = await client.receive()
        details = answer["error"]["details"]
        assert (answer["error"]["code"], answer["error"]["message"]) == ("NOT_PAIRED", "pairing required")
        assert (details["code"], details["reason"]) == ("PAIRING_REQUIRED", "not-paired")
        assert closed == {"closed": 1008, "reason": "pairing required"}
        requested = await admin.event("device.pair.requested")
        assert (requested["requestId"], requested["deviceId"]) == (details["requestId"], identity.id)
        assert (await admin.call("device.pair.approve", {"requestId": details["requestId"]}))["ok"]
        assert (await admin.event("device.pair.resolved"))["decision"] == "approved"
    async with connected(gateway.url, identity, PROXIED) as client:
        assert client.hello["auth"]["role"] == "operator"


async def test_more_scopes_need_approval_without_the_shared_secret(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, identity, scopes=["operator.read"]) as client:
        issued = client.hello["auth"]["deviceToken"]
    async with open_client(gateway.url) as client:
        nonce = await client.challenge()
        answer = await client.call("connect", connect_params(nonce, identity, token=issued))
    assert not answer["ok"]


async def test_more_scopes_need_approval_from_elsewhere(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, identity, scopes=["operator.read"]):
        pass
    async with open_client(gateway.url, PROXIED) as client:
        nonce = await client.challenge()
        answer = await client.call("connect", connect_params(nonce, identity))
    assert answer["error"]["details"]["reason"] == "scope-upgrade"


async def test_first_command_with_few_scopes_does_not_bar_the_next_one(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, identity, scopes=["operator.read"]):
        pass
    async with connected(gateway.url, identity, scopes=["operator.read", "operator.write"]) as client:
        assert (await client.call("sessions.list", {}))["ok"]


async def test_nobody_approves_more_than_they_have(gateway: Running) -> None:
    async with open_client(gateway.url, PROXIED) as client:
        nonce = await client.challenge()
        answer = await client.call("connect", connect_params(nonce, DeviceIdentity.generate()))
    request = answer["error"]["details"]["requestId"]
    async with connected(gateway.url, scopes=["operator.pairing"]) as approver:
        refused = await approver.call("device.pair.approve", {"requestId": request})
    assert refused["error"]["message"] == "missing scope: operator.admin"


async def test_failures_of_a_page_lock_its_origin_out_even_on_loopback(tmp_path: Path) -> None:
    limits = LimitSettings(attempts=2)
    running = await start(tmp_path, GatewaySettings(auth=AuthSettings(token=TOKEN), limits=limits))
    try:
        for expected in ("AUTH_TOKEN_MISMATCH", "AUTH_TOKEN_MISMATCH", "AUTH_RATE_LIMITED"):
            async with open_client(running.url, {"Origin": "http://localhost:5173"}) as client:
                answer, _closed = await refuse(client, {"token": "wrong", "client": CONTROL_UI})
            assert answer["error"]["details"]["code"] == expected
        async with connected(running.url) as cli:
            assert cli.hello["type"] == "hello-ok"
    finally:
        await stop(running)


async def test_password_mode_takes_the_password_only(tmp_path: Path) -> None:
    running = await start(tmp_path, GatewaySettings(auth=AuthSettings("password", password="correct horse")))
    try:
        async with connected(running.url, auth={"password": "correct horse"}) as client:
            assert client.hello["snapshot"]["authMode"] == "password"
        async with open_client(running.url) as client:
            answer, _closed = await refuse(client, {"auth": {"password": "wrong"}})
        assert answer["error"]["details"]["code"] == "AUTH_PASSWORD_MISMATCH"
        async with open_client(running.url) as client:
            answer, _closed = await refuse(client, {"auth": {}})
        assert answer["error"]["details"]["code"] == "AUTH_PASSWORD_MISSING"
    finally:
        await stop(running)


async def test_mode_none_still_wants_a_device(tmp_path: Path) -> None:
    running = await start(tmp_path, GatewaySettings(auth=AuthSettings("none")))
    try:
        async with connected(running.url, token=None) as client:
            assert client.hello["snapshot"]["authMode"] == "none"
        async with open_client(running.url) as client:
            answer, _closed = await refuse(client, {"token": None, "device": None})
        assert answer["error"]["code"] == "NOT_PAIRED"
    finally:
        await stop(running)


async def test_allowed_origin_of_another_host_gets_in(tmp_path: Path) -> None:
    browser = BrowserSettings(origins=frozenset({"https://home.example"}))
    running = await start(tmp_path, GatewaySettings(auth=AuthSettings(token=TOKEN), browser=browser))
    try:
        headers = {"Origin": "https://home.example"}
        async with connected(running.url, headers=headers, client=CONTROL_UI, scopes=ALL) as page:
            assert page.hello["auth"]["scopes"]
    finally:
        await stop(running)
