"""Stopping and reloading a real gateway process by signals."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest
from tests.e2e.process import GatewayProcess, gateway, write_config

from homarus.clock import SystemClock
from homarus.gateway.shutdown import STOP_TIMEOUT, TURN_GRACE, StopSignal
from homarus.testing.irc_server import IrcServer
from homarus.testing.model_server import Hang, ModelServer, Say

pytestmark = pytest.mark.e2e
CLOCK = SystemClock()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir(mode=0o700)
    return path


def with_model(server: ModelServer, **more: object) -> dict[str, object]:
    model = {"id": "test", "name": "Test", "contextWindow": 32_000, "maxTokens": 1000}
    provider = {"baseUrl": server.base_url, "api": "openai-completions", "apiKey": "test-key", "models": [model]}
    return {
        "models": {"providers": {"mock": provider}},
        "agents": {"defaults": {"model": "mock/test"}},
        **more,
    }


async def log_has(home: Path, text: str) -> None:
    path = home / "logs" / "homarus.log"
    async with asyncio.timeout(45):
        while text not in path.read_text():
            await CLOCK.sleep(0.05)


async def begin(running: GatewayProcess, model: ModelServer, run_id: str = "run-1") -> None:
    """Begin a turn and wait until the model was asked."""
    async with running.client() as client:
        await client.call("chat.send", {"sessionKey": "agent:main:main", "message": "hello", "idempotencyKey": run_id})
        async with asyncio.timeout(45):
            while not model.requests:
                await CLOCK.sleep(0.02)


async def test_a_turn_that_cannot_end_is_cut_and_taken_up_at_the_next_start(home: Path) -> None:
    async with ModelServer() as model:
        model.will(Hang())
        write_config(home, with_model(model))
        async with gateway(home) as running:
            await begin(running, model)
            began = CLOCK.monotonic()
            assert await running.stop() == 0
            assert TURN_GRACE - 1 < CLOCK.monotonic() - began < STOP_TIMEOUT
        model.drop_replies()
        model.will(Say("here I am again"))
        async with gateway(home) as running, running.client() as client:
            ended = await client.call("agent.wait", {"runId": "run-1", "timeoutMs": 20_000})
            assert isinstance(ended, dict)
            assert ended["status"] == "ok"


async def test_a_second_signal_ends_at_once(home: Path) -> None:
    async with ModelServer() as model:
        model.will(Hang())
        write_config(home, with_model(model))
        async with gateway(home) as running:
            await begin(running, model)
            running.process.send_signal(signal.SIGTERM)
            await log_has(home, "a second signal ends at once")
            began = CLOCK.monotonic()
            running.process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(running.process.wait(), 45)
            assert CLOCK.monotonic() - began < TURN_GRACE - 1
            await log_has(home, "asked twice to stop")


async def test_sighup_takes_over_a_new_channel_and_a_changed_one_alone_reconnects(home: Path) -> None:
    def irc(server: IrcServer, nick: str) -> dict[str, object]:
        return {"host": "127.0.0.1", "port": server.port, "tls": False, "nick": nick}

    async with IrcServer() as first, IrcServer() as second:
        accounts = {"one": irc(first, "one")}
        write_config(home, {"channels": {"irc": {"accounts": accounts}}})
        async with gateway(home) as running:
            await first.expect("NICK one")
            accounts["two"] = irc(second, "two")
            write_config(home, {"channels": {"irc": {"accounts": accounts}}})
            running.process.send_signal(signal.SIGHUP)
            await second.expect("NICK two")
            accounts["two"] = irc(second, "three")
            write_config(home, {"channels": {"irc": {"accounts": accounts}}, "gateway": {"port": 19_999}})
            running.process.send_signal(signal.SIGHUP)
            await second.expect("NICK three")
            await log_has(home, "these keys count after a restart: gateway.port")
            assert not [line for line in first.received if line.startswith("QUIT")]
            assert len([line for line in first.received if line.startswith("NICK")]) == 1


async def test_a_broken_file_changes_nothing_and_everything_wrong_is_logged(home: Path) -> None:
    async with IrcServer() as server:
        channel = {"host": "127.0.0.1", "port": server.port, "tls": False, "nick": "crab"}
        write_config(home, {"channels": {"irc": channel}})
        async with gateway(home) as running:
            await server.expect("NICK crab")
            write_config(home, {"gateway": {"port": "many"}, "messages": {"nonsense": 1}})
            running.process.send_signal(signal.SIGHUP)
            await log_has(home, "was not taken over, the one in force stays: 2 problem(s)")
            log = (home / "logs" / "homarus.log").read_text()
            assert "gateway.port" in log
            assert "messages.nonsense" in log
            async with running.client() as client:
                shown = await client.call("config.get")
                assert json.dumps(shown).count('"crab"') > 0
            assert not [line for line in server.received if line.startswith("QUIT")]


async def test_a_pattern_that_is_no_regular_expression_is_refused_and_the_next_reload_works(home: Path) -> None:
    write_config(home, {})
    async with gateway(home) as running, running.client() as client:
        write_config(home, {"messages": {"groupChat": {"mentionPatterns": ["fine", "(broken"]}}})
        refused = await client.call("config.reload")
        assert isinstance(refused, dict)
        assert refused["issues"][0]["path"] == "messages.groupChat.mentionPatterns[1]"
        write_config(home, {"messages": {"groupChat": {"mentionPatterns": ["fine"]}}})
        taken = await client.call("config.reload")
        assert isinstance(taken, dict)
        assert taken["applied"] == ["messages.groupChat.mentionPatterns"]


async def test_the_deadline_ends_a_process_that_hangs() -> None:
    ended: list[int] = []
    done = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end(code: int) -> None:
        ended.append(code)
        loop.call_soon_threadsafe(done.set)

    stop = StopSignal(end, timeout=0.01)
    stop.ask()
    await asyncio.wait_for(done.wait(), 45)
    assert ended == [1]
    stop.ask()
    assert ended == [1, 0]
    await stop.wait()
