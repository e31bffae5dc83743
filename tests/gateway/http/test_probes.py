from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace
from tests.gateway.conftest import Running, start, stop
from tests.gateway.fake_services import TOKEN, make_services
from tests.gateway.raw_client import connected

from homarus.errors import StorageError, UserError
from homarus.gateway.instruments import Instruments
from homarus.gateway.server import GatewayServer
from homarus.gateway.settings import AuthSettings, GatewaySettings
from homarus.gateway.supervisor import Supervised
from homarus.gateway.watchdog import Watchdog
from homarus.meter import Meter
from homarus.pipeline.contract import Load
from homarus.storage.kv import get_value, put_value

BEARER = {"Authorization": f"Bearer {TOKEN}"}
SAMPLE = re.compile(r'homarus_[a-z_]+(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? -?[0-9.e+-]+')
SPECIFIED = (
    "homarus_sessions_active",
    "homarus_messages_processed_total",
    "homarus_tool_executions_total",
    "homarus_session_duration_seconds_count",
    "homarus_memory_usage_bytes",
    "homarus_message_processing_duration_seconds_count",
)


async def fetch(url: str, method: str = "GET", **options: Any) -> tuple[int, str, dict[str, str]]:
    async with aiohttp.ClientSession() as session, session.request(method, url, **options) as response:
        return response.status, await response.text(), dict(response.headers)


@pytest.fixture
def meter() -> Meter:
    return Meter()


@pytest.fixture
async def watched(tmp_path: Path, meter: Meter) -> AsyncIterator[Running]:
    """A gateway with instruments."""
    services, runs = make_services(tmp_path)
    task = Supervised("irc/default", "resting", "bug", 4)
    watchdog = Watchdog(services.clock, lambda: False)
    instruments = Instruments(meter, watchdog, lambda: Load(2, 7, 1, 4), lambda: (task,))
    services = replace(services, instruments=instruments)
    server = GatewayServer(services, GatewaySettings(auth=AuthSettings(token=TOKEN)))
    await server.start(port=0)
    yield Running(server, runs, tmp_path)
    await server.stop()
    await services.database.close()


def values(text: str) -> dict[str, float]:
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
async def test_metrics_are_for_those_who_know_the_token(watched: Running, header: dict[str, str]) -> None:
    status, text, headers = await fetch(f"{watched.http}/metrics", headers=header)
    assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "homarus_" not in text


async def test_metrics_are_in_the_format_of_prometheus(watched: Running, meter: Meter) -> None:
    meter.tools.add('we"ird\n\\', "failure")
    status, text, headers = await fetch(f"{watched.http}/metrics", headers=BEARER)
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    names = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    assert len(names) == text.count("# TYPE") == text.count("# HELP")
    weird = r'homarus_tool_executions_total{tool_name="we\"ird\n\\",status="failure"} 1'
    assert weird in text
    others = [line for line in text.splitlines() if not line.startswith("#") and line != weird]
    assert [line for line in others if not SAMPLE.fullmatch(line)] == []


async def test_metrics_show_what_was_counted(watched: Running, meter: Meter) -> None:
    meter.processed += 3
    meter.runs.add("done", by=2)
    meter.tokens.add("mock/one", "input", by=50)
    meter.stages["model"].observe(0.03)
    async with connected(watched.url):
        _status, text, _headers = await fetch(f"{watched.http}/metrics", headers=BEARER)
    found = values(text)
    assert found["homarus_messages_processed_total"] == 3
    assert found['homarus_runs_total{outcome="done"}'] == 2
    assert found['homarus_model_tokens_total{model="mock/one",kind="input"}'] == 50
    assert found['homarus_turn_stage_seconds_bucket{stage="model",le="0.025"}'] == 0
    assert found['homarus_turn_stage_seconds_bucket{stage="model",le="0.05"}'] == 1
    assert found['homarus_turn_stage_seconds_bucket{stage="model",le="+Inf"}'] == 1
    assert found["homarus_lane_messages_waiting"] == 7
    assert found["homarus_ws_clients"] == 1
    assert found["homarus_db_write_batch_size_count"] > 0
    assert found["homarus_memory_usage_bytes"] > 10_000_000
    assert found["homarus_open_file_descriptors"] > 3
    assert found["homarus_tasks"] > 1
    assert found['homarus_task_state{task="irc/default",state="resting"}'] == 1
    assert found['homarus_task_restarts_total{task="irc/default"}'] == 4
    assert found['homarus_task_state{task="ticks",state="running"}'] == 1


@pytest.mark.parametrize("name", SPECIFIED)
async def test_metrics_have_the_names_of_the_specification(watched: Running, meter: Meter, name: str) -> None:
    meter.tools.add("exec", "success")
    _status, text, _headers = await fetch(f"{watched.http}/metrics", headers=BEARER)
    assert any(key.partition("{")[0] == name for key in values(text))


async def test_metrics_without_instruments_still_show_the_journal(gateway: Running) -> None:
    status, text, _headers = await fetch(f"{gateway.http}/metrics", headers=BEARER)
    assert status == 200
    assert values(text)["homarus_sessions_stored"] == 0


async def test_guessing_the_token_is_limited_like_any_login(tmp_path: Path) -> None:
    from homarus.gateway.settings import LimitSettings  # noqa: PLC0415

    limits = LimitSettings(attempts=2, is_loopback_exempt=False)
    running = await start(tmp_path, GatewaySettings(auth=AuthSettings(token=TOKEN), limits=limits))
    try:
        for _ in range(2):
            await fetch(f"{running.http}/metrics", headers={"Authorization": "Bearer wrong"})
        status, _text, headers = await fetch(f"{running.http}/metrics", headers=BEARER)
        assert (status, 0 < int(headers["Retry-After"]) <= 300) == (429, True)
    finally:
        await stop(running)


async def test_ready_tells_this_machine_about_each_dependency(gateway: Running) -> None:
    status, text, _headers = await fetch(f"{gateway.http}/ready")
    body = json.loads(text)
    assert (status, body["ready"], body["failing"]) == (200, True, [])
    assert body["checks"]["database"] == {"ok": True, "detail": "ok"}
    assert body["checks"]["model"] == {"ok": True, "detail": "ok"}
    assert body["checks"]["channels"] == {"irc/default": {"ok": True, "detail": "ok"}}


async def test_ready_tells_strangers_yes_or_no_only(gateway: Running) -> None:
    stranger = {"X-Forwarded-For": "203.0.113.9"}
    _status, text, _headers = await fetch(f"{gateway.http}/ready", headers=stranger)
    assert json.loads(text) == {"ready": True}
    _status, text, _headers = await fetch(f"{gateway.http}/ready", headers={**stranger, **BEARER})
    assert "checks" in json.loads(text)


async def test_a_database_that_cannot_be_written_is_not_ready(
    gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_fn: Callable[..., object], *_args: object) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(gateway.server.core.services.database, "write", refuse)
    status, text, _headers = await fetch(f"{gateway.http}/ready")
    assert (status, json.loads(text)["checks"]["database"]["detail"]) == (503, "the disk is full")
    assert (await fetch(f"{gateway.http}/health"))[0] == 200


async def test_a_database_that_failed_is_ready_again_when_a_commit_works(
    gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("homarus.gateway.http.probes.FRESH", 0.0)
    database: Any = gateway.server.core.services.database
    database.is_failing = True
    assert (await fetch(f"{gateway.http}/ready"))[0] == 200
    assert await database.read(get_value, "probe", "ready") == 1
    assert not database.is_failing


async def test_a_disk_without_room_is_not_ready_before_a_write_has_failed(
    gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("homarus.storage.readiness.NEEDED", 10**18)
    status, text, _headers = await fetch(f"{gateway.http}/ready")
    assert (status, "is full" in json.loads(text)["checks"]["database"]["detail"]) == (503, True)


async def test_a_probe_writes_nothing_to_a_healthy_database(gateway: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("homarus.gateway.http.probes.FRESH", 0.0)
    database: Any = gateway.server.core.services.database
    await database.write(put_value, "test", "name", 1, 1)
    log = Path(f"{database.engine.url.database}-wal")
    before, batches = (log.read_bytes(), log.stat().st_mtime_ns), database.batches.count
    for _ in range(3):
        assert (await fetch(f"{gateway.http}/ready"))[0] == 200
    assert database.batches.count == batches + 3
    assert (log.read_bytes(), log.stat().st_mtime_ns) == before


async def test_probes_ask_the_database_once_in_a_while(gateway: Running) -> None:
    database: Any = gateway.server.core.services.database
    await fetch(f"{gateway.http}/ready")
    before = database.batches.count
    for _ in range(5):
        await fetch(f"{gateway.http}/readyz")
    assert database.batches.count == before


async def test_a_default_model_that_does_not_exist_is_not_ready(
    gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_models: object, _ref: str | None) -> None:
        raise UserError("there is no model mock/gone")

    monkeypatch.setattr(type(gateway.server.core.services.models), "resolve", refuse)
    status, text, _headers = await fetch(f"{gateway.http}/ready")
    assert (status, json.loads(text)["checks"]["model"]["ok"]) == (503, False)


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
async def test_probes_take_get_only(gateway: Running, path: str) -> None:
    assert (await fetch(f"{gateway.http}{path}", "POST", headers=BEARER))[0] == 405


async def test_a_start_is_told_from_a_gateway_that_takes_up_old_work(gateway: Running) -> None:
    for path in ("/startup", "/startupz"):
        status, body, _ = await fetch(f"{gateway.http}{path}")
        assert (status, json.loads(body)) == (200, {"ok": True, "status": "started"})
    gateway.server.core.gate.is_open = False
    status, body, _ = await fetch(f"{gateway.http}/startup")
    assert (status, json.loads(body)["status"]) == (503, "starting")
    assert (await fetch(f"{gateway.http}/startup", "POST"))[0] in {404, 405}


async def test_a_page_learns_its_assistant_before_it_signs_in(gateway: Running) -> None:
    for path in ("/control-ui-config.json", "/__openclaw__/control-ui-config.json"):
        status, body, headers = await fetch(f"{gateway.http}{path}")
        shown = json.loads(body)
        assert (status, shown["assistantName"], shown["assistantAgentId"]) == (200, "Assistant", "main")
        assert headers["Cache-Control"] == "no-store"
