"""A connection's pulse: pings, deadlines, presence, and a gateway that is still starting."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from tests.gateway.conftest import Running, start, stop
from tests.gateway.fake_clock import FakeClock
from tests.gateway.fake_services import TOKEN
from tests.gateway.raw_client import ALL, Frame, connect_params, connected, open_client

from homarus.config.environment import HANDSHAKE_TIMEOUT_MS
from homarus.config.gateway import Gateway
from homarus.errors import ConfigError
from homarus.gateway import pulse
from homarus.gateway.configured import read_settings
from homarus.gateway.pulse import Pulse
from homarus.gateway.settings import AuthSettings, GatewaySettings
from homarus.protocol.device_identity import DeviceIdentity

UI = {"id": "openclaw-tui", "version": "1", "platform": "linux", "mode": "ui"}
V4: Frame = {"minProtocol": 4, "maxProtocol": 4}


async def shake(socket: aiohttp.ClientWebSocketResponse) -> None:
    challenge = (await socket.receive_json())["payload"]
    params = connect_params(challenge["nonce"], DeviceIdentity.generate(), **V4)
    await socket.send_json({"type": "req", "id": "1", "method": "connect", "params": params})
    assert (await socket.receive_json())["ok"]


@pytest.mark.parametrize("answers", [True, False])
async def test_client_that_answers_no_ping_is_let_go(
    gateway: Running, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    monkeypatch.setattr(pulse, "PING_INTERVAL", 0.01)
    monkeypatch.setattr(pulse, "PONG_TIMEOUT", 5.0 if answers else 0.05)
    async with (
        asyncio.timeout(45),
        aiohttp.ClientSession() as session,
        session.ws_connect(gateway.url, autoping=False) as socket,
    ):
        await shake(socket)
        pings = 0
        async for message in socket:
            if message.type is aiohttp.WSMsgType.PING:
                pings += 1
                if answers:
                    await socket.pong(message.data)
                if pings == 5:
                    break
        assert pings == (5 if answers else 1)
        assert (socket.close_code is None) == answers


class Patient:
    """A connection that only notes when its pulse was felt."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.beats: list[float] = []

    def beat(self, now: float, patience: float) -> None:
        assert (now, patience) == (self._clock.monotonic(), 25.0)
        self.beats.append(now)


async def test_each_pulse_is_felt_in_its_own_turn_until_the_connection_ends() -> None:
    clock = FakeClock()
    began = clock.monotonic()
    felt, early, late = Pulse(clock), Patient(clock), Patient(clock)

    async def pass_time(seconds: int) -> None:
        for _ in range(seconds):
            clock.advance(1)
            for _turn in range(4):
                await asyncio.sleep(0)

    going = asyncio.create_task(felt.run())
    await asyncio.sleep(0)
    felt.add(early)
    await pass_time(10)
    felt.add(late)
    await pass_time(50)
    felt.remove(early)
    await pass_time(30)
    felt.remove(late)
    await pass_time(60)
    assert [at - began for at in early.beats] == [25, 50]
    assert [at - began for at in late.beats] == [35, 60, 85]
    going.cancel()


async def test_pings_of_clients_are_answered_before_and_after_the_handshake(gateway: Running) -> None:
    async with (
        asyncio.timeout(45),
        aiohttp.ClientSession() as session,
        session.ws_connect(gateway.url, autoping=False) as socket,
    ):
        challenge = (await socket.receive_json())["payload"]
        for _ in range(2):
            await socket.ping(b"there?")
            message = await socket.receive()
            while message.type is not aiohttp.WSMsgType.PONG:
                message = await socket.receive()
            assert message.data == b"there?"
            if _ == 0:
                params = connect_params(challenge["nonce"], DeviceIdentity.generate(), **V4)
                await socket.send_json({"type": "req", "id": "1", "method": "connect", "params": params})


async def test_connection_that_has_ended_can_be_told_to_end(gateway: Running) -> None:
    hub = gateway.server.core.hub
    async with connected(gateway.url, **V4):
        [ended] = hub.connections
    async with asyncio.timeout(45):
        while hub.connections:
            await asyncio.sleep(0.005)
    ended.disconnect(1012, "service restart")


async def test_client_that_does_not_authenticate_in_time_is_closed(tmp_path: Path) -> None:
    settings = GatewaySettings(auth=AuthSettings(token=TOKEN), handshake_timeout=0.05)
    running = await start(tmp_path, settings)
    try:
        async with open_client(running.url) as client:
            await client.challenge()
            assert await client.receive() == {"closed": 1000, "reason": ""}
    finally:
        await stop(running)


@pytest.mark.parametrize(("given", "seconds"), [("", 15.0), ("1000", 1.0), ("1", 0.25), ("99999999999", 15.0)])
@pytest.mark.parametrize("name", HANDSHAKE_TIMEOUT_MS)
def test_deadline_can_be_set_within_bounds(name: str, given: str, seconds: float) -> None:
    settings = read_settings(Gateway(), token=TOKEN, env={name: given})
    assert settings.handshake_timeout == seconds


def test_deadline_that_is_no_number_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no number of milliseconds"):
        read_settings(Gateway(), token=TOKEN, env={HANDSHAKE_TIMEOUT_MS[0]: "1s"})


async def test_gateway_that_is_starting_asks_clients_to_come_again(gateway: Running) -> None:
    gateway.server.core.gate.is_open = False
    async with open_client(gateway.url) as client:
        nonce = await client.challenge()
        answer = await client.call("connect", connect_params(nonce, DeviceIdentity.generate(), **V4))
        assert answer["error"] == {
            "code": "UNAVAILABLE", "message": "gateway starting; retry shortly", "retryable": True,
            "retryAfterMs": 500, "details": {"reason": "startup-sidecars"},
        }  # fmt: skip
        assert await client.receive() == {"closed": 1013, "reason": "gateway starting"}
    gateway.server.core.gate.is_open = True
    async with connected(gateway.url, **V4) as client:
        assert client.hello["protocol"] == 4


async def test_arrivals_are_told_to_clients_of_version_4_only(gateway: Running) -> None:
    async with connected(gateway.url, client=UI, **V4) as new, connected(gateway.url, client=UI) as old:
        await new.event("presence")
        async with connected(gateway.url, client=UI, scopes=ALL, **V4):
            listed = (await new.event("presence"))["presence"]
            assert len([entry for entry in listed if entry["mode"] == "ui"]) == 3
            assert (await old.call("health"))["ok"]
            assert [frame for frame in old.events if frame.get("event") == "presence"] == []
        await old.event("presence")
        async with connected(gateway.url, **V4):
            modes = {entry["mode"] for entry in (await old.call("system-presence", {}))["payload"]}
        assert "cli" not in modes
