from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace
from tests.gateway.conftest import Running
from tests.gateway.fake_services import TOKEN, FakeChannels, make_services
from tests.gateway.raw_client import RawClient, connected

from homarus.config.load import LoadedConfig, load_text
from homarus.errors import ConfigError
from homarus.gateway.instruments import Instruments
from homarus.gateway.reload import Reloader
from homarus.gateway.server import GatewayServer
from homarus.gateway.services import ChannelAccount, Services
from homarus.gateway.settings import AuthSettings, GatewaySettings
from homarus.gateway.supervisor import Supervised
from homarus.gateway.watchdog import Watchdog
from homarus.ids import Address
from homarus.labels import Confidentiality, Integrity, Label
from homarus.meter import Meter
from homarus.pipeline.contract import Load
from homarus.storage.inbound import insert_inbound
from homarus.storage.records import InboundMessage


class Unconnected(FakeChannels):
    def accounts(self) -> tuple[ChannelAccount, ...]:
        return (ChannelAccount("irc", "IRC", "default", is_running=True, last_error="wrong password"),)


@asynccontextmanager
async def serving(services: Services) -> AsyncGenerator[RawClient]:
    server = GatewayServer(services, GatewaySettings(auth=AuthSettings(token=TOKEN)))
    await server.start(port=0)
    try:
        async with connected(f"ws://127.0.0.1:{server.port}") as client:
            yield client
    finally:
        await server.stop()
        await services.database.close()


async def ask(services: Services, method: str = "gateway.overview") -> dict[str, Any]:
    async with serving(services) as client:
        return await client.call(method)


def texts(answer: dict[str, Any]) -> list[str]:
    return [note["text"] for note in answer["payload"]["attention"]]


async def test_overview_of_a_gateway_that_is_well(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        body = (await client.call("gateway.overview"))["payload"]
    assert body["model"] == "mock/mock-1"
    assert body["clients"] == 1
    assert body["memoryBytes"] > 10_000_000
    assert body["failures"] == {"messages": 0, "runs": 0, "parts": 0}
    assert body["channels"][0]["connected"] is True
    assert {task["name"] for task in body["tasks"]} == {"ticks", "health", "session feed", "run feed", "pulse"}
    assert [note["todo"] for note in body["attention"]] == ["homarus pairing approve irc CODE1234"]


async def test_pairing_codes_are_for_the_owner_only(gateway: Running) -> None:
    async with connected(gateway.url, scopes=["operator.read"]) as client:
        body = (await client.call("gateway.overview"))["payload"]
    assert "CODE1234" not in str(body)


async def test_everything_that_is_wrong_comes_with_what_to_do(tmp_path: Path) -> None:
    services, _runs = make_services(tmp_path)
    tasks = (Supervised("feed", "resting", "bug"), Supervised("irc/default", "given up", "wrong password"))
    watchdog = Watchdog(services.clock, lambda: False)
    instruments = Instruments(Meter(), watchdog, lambda: Load(0, 0, 0, 4), lambda: tasks)
    now = services.clock.now_ms()
    label = Label(Integrity.OPERATOR, Confidentiality.PRIVATE)
    address = Address("irc", "default", "ann")
    old = InboundMessage("m0", address, "e0", "direct", "ann", "", "hi", {}, label, "failed", now - 2 * 86_400_000)
    new = InboundMessage("m1", address, "e1", "direct", "ann", "", "hi", {}, label, "failed", now)
    for message in (old, new):
        await services.database.write(insert_inbound, message)
    answer = await ask(replace(services, channels=Unconnected(), instruments=instruments))
    assert texts(answer)[:3] == [
        "IRC default is not connected: wrong password",
        "feed is resting: bug",
        "1 message failed within 24 hours",
    ]
    assert all(note["todo"].startswith("homarus ") for note in answer["payload"]["attention"])
    assert answer["payload"]["queue"] == {"running": 0, "waiting": 0, "limit": 4, "parts": 0}


async def test_a_disk_that_is_nearly_full_and_a_file_that_is_not_in_force_need_attention(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def usage(_folder: Path) -> SimpleNamespace:
        return SimpleNamespace(free=5 * 1024 * 1024)

    def refuse() -> LoadedConfig:
        raise ConfigError("unknown key", path="gateway.prot")

    async def apply(loaded: LoadedConfig) -> tuple[str, ...]:
        raise AssertionError(loaded)

    monkeypatch.setattr("shutil.disk_usage", usage)
    services, _runs = make_services(tmp_path)
    reloader = Reloader(services.config, refuse, apply)
    before = texts(await ask(replace(services, reloader=reloader)))
    assert before[0].startswith("only 5 MiB are free on the disk of ")
    assert "errors" not in before[1]
    await reloader.reload()
    services, _runs = make_services(tmp_path)
    after = texts(await ask(replace(services, reloader=reloader)))
    assert after[1].endswith("has errors; the last good configuration is in force")


class Holder:
    def __init__(self, text: str, folder: Path) -> None:
        self.current = load_text(text, folder / "homarus.json", {})


async def test_a_reload_tells_key_by_key_what_counts_and_what_waits(tmp_path: Path) -> None:
    holder = Holder("{}", tmp_path)
    text = '{"messages": {"queue": {"debounceMs": 5}}, "gateway": {"port": 1234}}'
    applied: list[str] = []

    async def apply(loaded: Any) -> tuple[str, ...]:
        applied.append(loaded.raw_text)
        return ("irc/default",)

    services, _runs = make_services(tmp_path)
    reloader = Reloader(holder, lambda: load_text(text, tmp_path / "homarus.json", {}), apply)
    answer = await ask(replace(services, reloader=reloader), "config.reload")
    assert answer["payload"] == {
        "ok": True,
        "applied": ["messages.queue.debounceMs"],
        "needsRestart": ["gateway.port"],
        "channels": ["irc/default"],
        "issues": [],
    }
    assert applied == [text]


async def test_a_key_that_waits_for_a_restart_is_named_until_it_is_as_it_was_at_the_start(tmp_path: Path) -> None:
    texts_in_turn = ['{"gateway": {"port": 1234}}', '{"gateway": {"port": 1234}, "logging": {"level": "warn"}}', "{}"]
    holder, found = Holder("{}", tmp_path), list(texts_in_turn)

    async def apply(loaded: Any) -> tuple[str, ...]:
        holder.current = loaded
        return ()

    reloader = Reloader(holder, lambda: load_text(found.pop(0), tmp_path / "homarus.json", {}), apply)
    services, _runs = make_services(tmp_path)
    services = replace(services, reloader=reloader)
    assert (await reloader.reload()).needs_restart == ("gateway.port",)
    again = await reloader.reload()
    assert (again.applied, again.needs_restart) == (("logging.level",), ("gateway.port",))
    async with serving(services) as client:
        assert (await client.call("gateway.overview"))["payload"]["needsRestart"] == ["gateway.port"]
        assert "restart needed for: gateway.port" in texts(await client.call("gateway.overview"))
        assert (await client.call("health"))["payload"]["needsRestart"] == ["gateway.port"]
        assert (await reloader.reload()).needs_restart == ()
        assert (await client.call("gateway.overview"))["payload"]["needsRestart"] == []
        assert "needsRestart" not in (await client.call("health"))["payload"]


async def test_a_reload_with_errors_names_them_all_and_applies_nothing(tmp_path: Path) -> None:
    async def apply(_loaded: Any) -> tuple[str, ...]:
        raise AssertionError("must not be applied")

    text = '{"messages": {"nonsense": 5}, "gateway": {"port": "many"}}'
    reloader = Reloader(Holder("{}", tmp_path), lambda: load_text(text, tmp_path / "homarus.json", {}), apply)
    done = await reloader.reload()
    assert {problem.path for problem in done.problems} == {"messages.nonsense", "gateway.port"}
    assert (done.applied, done.needs_restart) == ((), ())


async def test_a_reload_that_only_the_composition_can_refuse_is_refused_too(tmp_path: Path) -> None:
    async def apply(_loaded: Any) -> tuple[str, ...]:
        raise ConfigError("no such channel", path="channels.nope", fix="remove it")

    reloader = Reloader(Holder("{}", tmp_path), lambda: load_text("{}", tmp_path / "homarus.json", {}), apply)
    done = await reloader.reload()
    assert [str(problem) for problem in done.problems] == ["channels.nope: no such channel - remove it"]


async def test_a_gateway_that_cannot_reload_says_so(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        answer = await client.call("config.reload")
    assert answer["error"]["code"] == "UNAVAILABLE"


@pytest.mark.parametrize("method", ["gateway.overview", "config.reload"])
async def test_neither_is_for_callers_without_scope(gateway: Running, method: str) -> None:
    async with connected(gateway.url, scopes=[]) as client:
        assert "missing scope" in (await client.call(method))["error"]["message"]
