"""JSON-RPC clients with a device: the handshake of the gateway protocol, and how others see who is there."""

from __future__ import annotations

from typing import Any

import pytest
from tests.gateway.conftest import Running
from tests.gateway.fake_services import TOKEN
from tests.gateway.json_rpc.conftest import BEARER, RpcClient, rpc
from tests.gateway.raw_client import ALL, Frame, connect_params, connected

from homarus.protocol.device_identity import DeviceIdentity

AWAY = {"X-Forwarded-For": "203.0.113.9"}
PAGE: Frame = {"id": "gateway-client", "version": "1.0", "platform": "linux", "mode": "ui", "displayName": "Panel"}
V4: Frame = {"minProtocol": 4, "maxProtocol": 4}
GIVEN: Frame = {**V4, "client": PAGE}


async def nonce_of(client: RpcClient) -> str:
    offer = (await client.call("connect.challenge"))["result"]
    assert offer.keys() == {"nonce", "ts"}
    return offer["nonce"]


async def signed(client: RpcClient, identity: DeviceIdentity, **changes: Any) -> Any:
    """Ask for the challenge and answer it."""
    given: Frame = {**V4, "client": PAGE, **changes}
    params = connect_params(await nonce_of(client), identity, **given)
    return await client.call("connect", params)


async def listed(gateway: Running) -> list[Frame]:
    async with connected(gateway.url, **V4) as other:
        return (await other.call("system-presence"))["payload"]


async def test_a_device_signs_the_challenge_and_gets_its_token(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with rpc(gateway.url) as client:
        greeting = (await signed(client, identity))["result"]
        assert greeting["auth"]["method"] == "token"
        assert greeting["auth"]["scopes"] == sorted(ALL)
        paired = (await client.call("device.pair.list", {}))["result"]["paired"]
        assert [each["deviceId"] for each in paired] == [identity.id]
    async with rpc(gateway.url) as client:
        again = await signed(client, identity, auth={"token": greeting["auth"]["deviceToken"]})
        assert again["result"]["auth"]["method"] == "device-token"
        assert (await client.call("health"))["result"]["ok"]


async def test_versions_can_be_left_out(gateway: Running) -> None:
    async with rpc(gateway.url) as client:
        params = connect_params(await nonce_of(client), DeviceIdentity.generate(), client=PAGE)
        del params["minProtocol"], params["maxProtocol"]
        assert (await client.call("connect", params))["result"]["server"]["name"] == "homarus"


async def test_on_other_paths_the_challenge_of_the_gateway_protocol_counts(gateway: Running) -> None:
    async with rpc(gateway.url, path="/") as client:
        nonce = (await client.receive())["payload"]["nonce"]
        params = connect_params(nonce, DeviceIdentity.generate(), **GIVEN)
        assert "result" in await client.call("connect", params)


WRONG: list[tuple[Frame, str, str]] = [
    ({"device_changes": {"nonce": "another"}}, "device nonce mismatch", "DEVICE_AUTH_NONCE_MISMATCH"),
    ({"device_changes": {"signature": "AAAA"}}, "device signature invalid", "DEVICE_AUTH_SIGNATURE_INVALID"),
    ({"device_changes": {"signedAt": 1}}, "device signature expired", "DEVICE_AUTH_SIGNATURE_EXPIRED"),
    ({"device_changes": {"id": "0" * 64}}, "device identity mismatch", "DEVICE_AUTH_DEVICE_ID_MISMATCH"),
    ({"token": "wrong"}, "unauthorized", "AUTH_TOKEN_MISMATCH"),
]


@pytest.mark.parametrize(("changes", "message", "code"), WRONG)
async def test_a_wrong_proof_is_refused_as_in_the_gateway_protocol(
    gateway: Running, changes: Frame, message: str, code: str
) -> None:
    async with rpc(gateway.url) as client:
        error = (await signed(client, DeviceIdentity.generate(), **changes))["error"]
        assert error["message"].startswith(message)
        assert error["data"]["details"]["code"] == code
        assert (await client.receive())["closed"] == 1008
    assert not await gateway.server.core.devices.list()


async def test_a_stranger_from_elsewhere_waits_for_approval(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, **V4) as owner:
        async with rpc(gateway.url, AWAY) as client:
            error = (await signed(client, identity))["error"]
            assert (error["code"], error["data"]["code"]) == (-32003, "NOT_PAIRED")
        request = await owner.event("device.pair.requested", deviceId=identity.id)
        assert (await owner.call("device.pair.approve", {"requestId": request["requestId"]}))["ok"]
        async with rpc(gateway.url, AWAY) as client:
            assert "result" in await signed(client, identity)
            assert (await owner.call("device.pair.remove", {"deviceId": identity.id}))["ok"]
            assert (await client.response())["closed"] == 4001


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"role": "node", "scopes": []}, "JSON-RPC is for operators"),
        ({"minProtocol": 3, "maxProtocol": 3}, "version 4"),
        ({"client": {**PAGE, "id": "my-own"}}, "/client/id"),
        ({"client": None}, "/client"),
        ({"surplus": 1}, "surplus"),
    ],
)
async def test_what_cannot_be_is_named(gateway: Running, changes: Frame, told: str) -> None:
    async with rpc(gateway.url) as client:
        params = connect_params(await nonce_of(client), DeviceIdentity.generate(), **GIVEN)
        error = (await client.call("connect", params | changes))["error"]
        assert error["code"] == -32602
        assert told in error["message"]


async def test_without_a_device_the_rules_of_the_gateway_protocol_hold(gateway: Running) -> None:
    async with rpc(gateway.url) as client:
        params = connect_params("", None, **GIVEN)
        assert (await client.call("connect", params))["result"]["auth"]["scopes"] == []


async def test_the_challenge_is_no_way_around_a_secret(gateway: Running) -> None:
    async with rpc(gateway.url) as client:
        await nonce_of(client)
        assert (await client.call("health"))["error"]["code"] == -32001
    async with rpc(gateway.url, BEARER) as client:
        await nonce_of(client)
        assert (await client.call("health"))["result"]["ok"]


async def test_clients_are_seen_while_they_are_there(gateway: Running) -> None:
    async with connected(gateway.url, **V4) as other:
        async with rpc(gateway.url, BEARER) as client:
            assert (await client.call("health"))["result"]["ok"]
            [entry] = [each for each in await listed(gateway) if each["mode"] == "rpc"]
            assert (entry["host"], entry["roles"], entry["reason"]) == ("json-rpc", ["operator"], "connect")
            arrived = await other.event("presence")
            assert "rpc" in [each["mode"] for each in arrived["presence"]]
        gone = await other.event("presence")
        while "disconnect" not in [each.get("reason") for each in gone["presence"] if each["mode"] == "rpc"]:
            gone = await other.event("presence")


async def test_a_client_that_says_what_it_is_is_seen_as_that(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with rpc(gateway.url) as client:
        assert "result" in await signed(client, identity)
        [entry] = [each for each in await listed(gateway) if each.get("host") == "Panel"]
        assert (entry["mode"], entry["deviceId"], entry["version"]) == ("ui", identity.id, "1.0")
    async with rpc(gateway.url) as client:
        assert "result" in await client.call("connect", {"token": TOKEN})
        assert "rpc" in [each["mode"] for each in await listed(gateway)]
