from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from homarus.errors import Transient
from homarus.gateway.settings import TailscaleMode, TailscaleSettings
from homarus.gateway.tailscale import program
from homarus.gateway.tailscale.exposure import TailscaleExposure
from homarus.gateway.tailscale.program import TailscaleProgram
from homarus.testing.tailscale_program import FakeTailscale

TARGET = "http://127.0.0.1:18789"


@pytest.fixture
def tailscale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTailscale:
    fake = FakeTailscale(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{fake.folder}{os.pathsep}{os.environ['PATH']}")
    return fake


def exposure(mode: TailscaleMode = "serve", *, resets: bool = False, target: str = TARGET) -> TailscaleExposure:
    return TailscaleExposure(TailscaleSettings(mode, resets), TailscaleProgram(), target)


@pytest.mark.parametrize("mode", ["serve", "funnel"])
async def test_the_gateway_is_served_under_the_name_of_this_machine(
    tailscale: FakeTailscale, mode: TailscaleMode
) -> None:
    assert await exposure(mode).open() == "https://box.example.ts.net/"
    assert f"{mode} --bg --yes --https=443 {TARGET}" in tailscale.calls
    assert tailscale.served["AllowFunnel"] == {"box.example.ts.net:443": mode == "funnel"}
    assert await exposure(mode).open() == "https://box.example.ts.net/"


async def test_the_exposure_ends_with_the_gateway_only_where_that_was_asked_for(tailscale: FakeTailscale) -> None:
    for resets in (False, True):
        served = exposure(resets=resets)
        task = asyncio.create_task(served.run())
        async with asyncio.timeout(45):
            await served.opened.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert ("Web" in tailscale.served) is not resets
    assert tailscale.calls[-1] == "serve --yes --https=443 off"


async def test_what_somebody_else_serves_there_is_left_alone(tailscale: FakeTailscale) -> None:
    tailscale.set_served("http://127.0.0.1:3000")
    with pytest.raises(Transient, match=r"already leads to http://127\.0\.0\.1:3000") as caught:
        await exposure().open()
    assert "--https=443 off" in str(caught.value.fix)
    assert tailscale.calls == ["status --json --peers=false", "serve status --json"]


async def test_serving_to_the_tailnet_never_stays_open_to_the_internet(tailscale: FakeTailscale) -> None:
    tailscale.set_behaviour("stays-public")
    with pytest.raises(Transient, match="open to the internet"):
        await exposure().open()
    assert "Web" not in tailscale.served
    await exposure().open()
    assert tailscale.served["AllowFunnel"] == {"box.example.ts.net:443": False}


@pytest.mark.parametrize("state", ["NeedsLogin", "Stopped"])
async def test_a_machine_that_is_on_no_tailnet_is_told_how_to_join(tailscale: FakeTailscale, state: str) -> None:
    tailscale.set_status(state)
    with pytest.raises(Transient) as caught:
        await exposure().open()
    assert caught.value.fix == "tailscale up"


async def test_what_the_program_complains_about_is_passed_on_with_the_fix(tailscale: FakeTailscale) -> None:
    tailscale.set_behaviour("fail", "Access denied: serve config denied\n")
    with pytest.raises(Transient, match="Access denied: serve config denied") as caught:
        await exposure().open()
    assert "--operator=$USER" in str(caught.value.fix)


async def test_a_program_that_waits_for_consent_is_stopped_and_quoted(
    tailscale: FakeTailscale, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "COMMAND_TIMEOUT", 0.3)
    tailscale.set_behaviour(
        "hang", "Serve is not enabled on your tailnet. To enable, visit https://login.example/f/1\n"
    )
    with pytest.raises(Transient, match=r"visit https://login\.example/f/1"):
        await exposure().open()


async def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Transient, match="cannot be run") as caught:
        await exposure().open()
    assert "install Tailscale" in str(caught.value.fix)


async def test_another_tailscaled_is_named_to_the_program(tailscale: FakeTailscale) -> None:
    await TailscaleProgram("/run/other.sock").run_json("status", "--json", "--peers=false")
    assert tailscale.calls == ["--socket=/run/other.sock status --json --peers=false"]
