"""Our own client against our own gateway."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import Any, cast

import pytest
from tests.gateway.conftest import Running
from tests.gateway.fake_clock import FakeClock
from tests.gateway.fake_services import TOKEN
from tests.ports import reserved_port

from homarus.clock import SystemClock
from homarus.errors import AuthFailed, ProtocolError, Transient
from homarus.protocol.client import GatewayClient
from homarus.protocol.client_errors import ConnectionLost, NotRunning, Starting


def client_of(gateway: Running, folder: Path, **options: Any) -> GatewayClient:
    given: dict[str, Any] = {"token": TOKEN, **options}
    return GatewayClient(gateway.url, identity=folder / "client" / "device.json", **given)


async def test_client_calls_with_a_device_of_its_own(gateway: Running, tmp_path: Path) -> None:
    async with client_of(gateway, tmp_path) as client:
        health = cast("dict[str, object]", await client.call("health"))
        assert health["ok"] is True
        assert "sessions.list" in client.methods
    identity = tmp_path / "client" / "device.json"
    assert stat.S_IMODE(identity.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "client" / "device-tokens.json").stat().st_mode) == 0o600


async def test_client_gets_in_again_with_its_device_token_alone(gateway: Running, tmp_path: Path) -> None:
    async with client_of(gateway, tmp_path):
        pass
    async with client_of(gateway, tmp_path, token=None) as client:
        assert client.hello["protocol"] == 4


async def test_repeated_connects_do_not_pile_up_tokens(gateway: Running, tmp_path: Path) -> None:
    for _ in range(3):
        async with client_of(gateway, tmp_path):
            pass
    [device] = await gateway.server.core.devices.list()
    assert len(await gateway.server.core.devices.tokens(device.id)) == 1


async def test_refused_calls_are_protocol_errors(gateway: Running, tmp_path: Path) -> None:
    async with client_of(gateway, tmp_path) as client:
        with pytest.raises(ProtocolError, match=r"unknown method: no\.such") as caught:
            await client.call("no.such")
        assert caught.value.code == "INVALID_REQUEST"


async def test_final_answer_of_two_is_waited_for(gateway: Running, tmp_path: Path) -> None:
    params = {"message": "hi", "agentId": "main", "idempotencyKey": "a1"}
    async with client_of(gateway, tmp_path) as client:
        final = cast("dict[str, object]", await client.expect_final("agent", params))
    assert final["status"] == "ok"


async def test_events_are_heard_by_name(gateway: Running, tmp_path: Path) -> None:
    async with client_of(gateway, tmp_path) as client:
        events = client.events("chat")
        first = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        await client.call("chat.send", {"sessionKey": "main", "message": "hi", "idempotencyKey": "r"})
        assert (await first).payload["state"] == "status"
        await events.aclose()  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]


async def test_late_answers_say_what_was_late(manual_gateway: Running, tmp_path: Path) -> None:
    async with client_of(manual_gateway, tmp_path) as client:
        await client.call("chat.send", {"sessionKey": "main", "message": "hi", "idempotencyKey": "r"})
        with pytest.raises(Transient, match=r"no answer to agent\.wait within 0\.05 s"):
            await client.call("agent.wait", {"runId": "r"}, timeout=0.05)
        assert await client.call("health")


async def test_gateway_that_is_not_running_says_how_to_start_it(tmp_path: Path) -> None:
    with reserved_port() as port:
        client = GatewayClient(f"ws://127.0.0.1:{port}", identity=tmp_path / "device.json", token=TOKEN)
        with pytest.raises(NotRunning, match="the gateway is not running at ws://127") as caught:
            await client.connect()
    assert caught.value.fix == "start it with `homarus gateway run`"


async def test_wrong_token_says_where_to_put_the_right_one(gateway: Running, tmp_path: Path) -> None:
    with pytest.raises(AuthFailed, match="gateway token mismatch") as caught:
        await client_of(gateway, tmp_path, token="wrong").connect()
    assert "HOMARUS_GATEWAY_TOKEN" in str(caught.value.fix)


async def test_client_comes_back_after_the_gateway_closed_it(gateway: Running, tmp_path: Path) -> None:
    clock = FakeClock()
    async with client_of(gateway, tmp_path, clock=clock) as client:
        events = client.events("client.disconnected", "client.connected")
        lost = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        for connection in gateway.server.core.hub.connections:
            connection.disconnect(1012, "service restart")
        assert (await lost).name == "client.disconnected"
        again = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        clock.advance(2)
        assert (await again).name == "client.connected"
        assert await client.call("health")
        await events.aclose()  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]


async def test_waiting_calls_fail_when_the_connection_is_lost_for_good(manual_gateway: Running, tmp_path: Path) -> None:
    async with client_of(manual_gateway, tmp_path, is_reconnecting=False) as client:
        await client.call("chat.send", {"sessionKey": "main", "message": "hi", "idempotencyKey": "r"})
        waiting = asyncio.ensure_future(client.call("agent.wait", {"runId": "r"}))
        await client.call("health")
        for connection in manual_gateway.server.core.hub.connections:
            connection.disconnect(1012, "service restart")
        with pytest.raises(ConnectionLost):
            await waiting
        with pytest.raises(ConnectionLost):
            await client.call("health")


class OpeningClock(SystemClock):
    """Lets the gateway be ready whenever somebody sleeps."""

    def __init__(self, gateway: Running) -> None:
        super().__init__()
        self._gateway = gateway
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self._gateway.server.core.gate.is_open = True


async def test_gateway_that_is_starting_is_waited_for(gateway: Running, tmp_path: Path) -> None:
    gateway.server.core.gate.is_open = False
    clock = OpeningClock(gateway)
    async with client_of(gateway, tmp_path, clock=clock) as client:
        assert cast("dict[str, object]", await client.call("health"))["ok"] is True
    assert clock.pauses == [0.5]


class PassingClock(FakeClock):
    """Time passes by sleeping only."""

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)


async def test_gateway_that_never_gets_ready_says_so(gateway: Running, tmp_path: Path) -> None:
    gateway.server.core.gate.is_open = False
    with pytest.raises(Starting, match="gateway starting"):
        await client_of(gateway, tmp_path, clock=PassingClock()).connect()
