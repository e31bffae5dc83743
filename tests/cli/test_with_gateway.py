"""Commands as processes, against a real gateway process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from tests.cli.support import Done, environment, homarus
from tests.e2e.process import GatewayProcess, serving
from tests.e2e.waiting import until
from tests.gateway.raw_client import connect_params, open_client
from tests.ports import reserved_port

from homarus.cli.exits import ExitCode
from homarus.protocol.device_identity import DeviceIdentity
from homarus.testing.tailscale_program import FakeTailscale

pytestmark = pytest.mark.e2e


class Serving:
    """A gateway started as a person starts it, and what it printed."""

    def __init__(self, home: Path, process: asyncio.subprocess.Process, lines: list[str]) -> None:
        self.home = home
        self.process = process
        self.lines = lines

    async def run(self, *arguments: str, stdin: str = "") -> Done:
        return await homarus(self.home, *arguments, stdin=stdin)


async def start(home: Path, *arguments: str, until: str, **variables: str) -> Serving:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "homarus",
        *arguments,
        env=environment(home, **variables),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(45):
        while not any(line.strip().startswith(until) for line in lines):
            line = await process.stdout.readline()
            assert line, "".join(lines)
            lines.append(line.decode())
    return Serving(home, process, lines)


async def stop(serving: Serving) -> int:
    if serving.process.returncode is None:
        serving.process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(45):
            return await serving.process.wait()
    except TimeoutError:
        serving.process.kill()
        raise


class Forked:
    """A gateway whose token commands find in its folder."""

    def __init__(self, running: GatewayProcess) -> None:
        self.home = running.home
        self.pid = running.process.pid
        self.url = running.url

    async def run(self, *arguments: str, stdin: str = "") -> Done:
        return await homarus(self.home, *arguments, stdin=stdin)


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Forked]:
    async with serving(tmp_path, environment(tmp_path)) as running:
        yield Forked(running)


async def test_the_assistant_answers_on_the_terminal(gateway: Forked) -> None:
    done = await gateway.run("agent", "--message", "what time is it")
    assert (done.code, done.err) == (ExitCode.OK, "")
    assert "UTC" in done.out
    piped = await gateway.run("agent", "--message", "-", "--json", stdin="list the files")
    answer = cast("dict[str, object]", piped.json)
    assert answer["status"] == "ok"
    assert [cast("dict[str, object]", tool)["name"] for tool in cast("list[object]", answer["tools"])] == ["list"]


async def test_every_looking_command_works_on_a_fresh_gateway(gateway: Forked) -> None:
    commands = [
        ("status",),
        ("channels", "status"),
        ("pairing", "list"),
        ("messages", "list"),
        ("sessions", "list"),
        ("gateway", "status"),
        ("gateway", "health"),
        ("link",),
    ]
    for command in commands:
        plain, as_json = await gateway.run(*command), await gateway.run(*command, "--json")
        assert (plain.code, plain.err, bool(plain.out)) == (ExitCode.OK, "", True), command
        assert as_json.code == ExitCode.OK
        assert isinstance(as_json.json, dict)


async def test_a_message_can_be_followed_from_its_id(gateway: Forked) -> None:
    await gateway.run("agent", "--message", "hello")
    listed = cast("dict[str, list[dict[str, str]]]", (await gateway.run("messages", "list", "--json")).json)
    message = listed["messages"][0]
    assert message["state"] == "delivered"
    shown = await gateway.run("messages", "show", message["id"][:8])
    assert "hello" in shown.out
    assert "delivered" in shown.out
    refused = await gateway.run("messages", "retry", message["id"])
    assert refused.code == ExitCode.FAILURE
    assert "only failed messages" in refused.err or "not failed" in refused.err


async def test_the_status_screen_says_what_to_do_next(gateway: Forked) -> None:
    shown = (await gateway.run("status")).out
    assert "0 of 4 running" in shown
    assert "nothing failed" in shown
    assert "next: homarus onboard" in shown


async def test_the_story_of_a_message_names_its_steps_and_its_run(gateway: Forked) -> None:
    await gateway.run("agent", "--message", "list the files")
    listed = cast("dict[str, list[dict[str, str]]]", (await gateway.run("messages", "list", "--json")).json)
    shown = (await gateway.run("messages", "show", listed["messages"][0]["id"])).out
    places = [shown.index(step) for step in ("the model called list", "a tool ended: list", "delivered transcript")]
    assert places == sorted(places)
    assert "done, homarus/basic" in shown


async def test_a_changed_key_reaches_the_running_gateway(gateway: Forked) -> None:
    live = await gateway.run("config", "set", "messages.queue.debounceMs", "5")
    assert "takes it over now" in live.out
    log = gateway.home / "logs" / "homarus.log"
    await until(lambda: "taken over: messages.queue.debounceMs" in log.read_text(), "the gateway took the key over")
    late = await gateway.run("config", "set", "gateway.port", "18999")
    assert "after a restart: gateway.port" in late.out
    await until(lambda: "after a restart: gateway.port" in log.read_text(), "the gateway knows of the key that waits")
    for _ in range(2):
        reloaded = await gateway.run("gateway", "reload")
        assert reloaded.code == ExitCode.OK
        assert "restart needed for: gateway.port" in reloaded.err
    assert "restart needed for: gateway.port" in (await gateway.run("status")).out
    assert "restart needed for: gateway.port" in (await gateway.run("gateway", "health")).err
    await gateway.run("config", "unset", "gateway.port")
    assert "restart needed" not in (await gateway.run("gateway", "reload")).err
    assert "restart needed" not in (await gateway.run("status")).out
    shown = await gateway.run("logs", "--component", "gateway.reload")
    assert "taken over: messages.queue.debounceMs" in shown.out


async def test_a_broken_file_is_refused_with_the_exit_code_of_the_configuration(gateway: Forked) -> None:
    (gateway.home / "homarus.json").write_text('{"gateway": {"port": "many"}}')
    done = await gateway.run("gateway", "reload")
    assert done.code == ExitCode.CONFIG
    assert "gateway.port" in done.err
    assert "Nothing was changed" in done.out


async def test_a_key_is_set_without_a_running_gateway(tmp_path: Path) -> None:
    done = await homarus(tmp_path, "config", "set", "messages.queue.debounceMs", "5")
    assert (done.code, "running gateway" in done.out) == (ExitCode.OK, False)


async def test_sessions_are_shown_reset_and_kept_from_being_lost(gateway: Forked) -> None:
    await gateway.run("agent", "--message", "hello", "--session", "agent:main:side")
    assert "hello" in (await gateway.run("sessions", "show", "agent:main:side")).out
    assert (await gateway.run("sessions", "reset", "agent:main:side")).code == ExitCode.OK
    assert "No messages" in (await gateway.run("sessions", "show", "agent:main:side")).out
    assert (await gateway.run("sessions", "delete", "agent:main:side", stdin="n\n")).code != ExitCode.OK
    assert "Deleted" in (await gateway.run("sessions", "delete", "agent:main:side", "--yes")).out


async def test_any_method_can_be_called(gateway: Forked) -> None:
    done = await gateway.run("gateway", "call", "sessions.list", "--params", '{"limit": 1}')
    assert cast("dict[str, object]", done.json)["count"] == 0
    assert (await gateway.run("gateway", "call", "no.such")).code != ExitCode.OK
    assert (await gateway.run("gateway", "call", "health", "--params", "[]")).code == ExitCode.USAGE


async def test_a_second_gateway_on_the_same_state_is_refused_with_who_has_it(gateway: Forked) -> None:
    done = await gateway.run("gateway", "run", "--port", "0")
    assert done.code == ExitCode.FAILURE
    assert str(gateway.pid) in done.err
    assert "Traceback" not in done.err


async def test_local_answers_are_refused_while_a_gateway_runs(gateway: Forked) -> None:
    done = await gateway.run("agent", "--local", "--message", "hello")
    assert done.code == ExitCode.FAILURE
    assert "leave --local out" in done.err


async def test_a_state_that_no_message_can_have_is_refused_with_those_there_are(gateway: Forked) -> None:
    done = await gateway.run("messages", "list", "--state", "lost")
    assert done.code == ExitCode.USAGE
    assert "'delivered'" in done.err


async def test_the_log_can_be_read(gateway: Forked) -> None:
    await gateway.run("gateway", "health")
    done = await gateway.run("logs", "--component", "gateway.ws")
    assert "connected" in done.out
    assert "gateway started: version" in (await gateway.run("logs")).out
    nothing = await gateway.run("logs", "--component", "telegram")
    assert (nothing.code, nothing.out) == (ExitCode.OK, "")
    assert "there are lines of gateway" in nothing.err
    wrong = await gateway.run("logs", "--level", "loud")
    assert wrong.code == ExitCode.USAGE
    assert wrong.err.startswith("error: 'loud' is not one of")


async def test_a_database_that_was_deleted_is_said_at_the_next_start(tmp_path: Path) -> None:
    for round_ in range(2):
        serving = await start(tmp_path, "gateway", "run", "--port", "0", until="ready")
        serving.process.send_signal(signal.SIGTERM)
        assert await stop(serving) == ExitCode.OK
        said = (await homarus(tmp_path, "logs", "--level", "warn")).out
        assert ("a new one was made" in said) == (round_ == 1)
        (tmp_path / "homarus.db").unlink()


async def test_up_prints_a_link_and_stops_politely(tmp_path: Path) -> None:
    serving = await start(tmp_path, "up", "--port", "0", until="Ctrl-C stops it")
    printed = "".join(serving.lines)
    assert "http://127.0.0.1:" in printed
    assert "#" in printed
    assert (await homarus(tmp_path, "gateway", "health")).code == ExitCode.OK
    serving.process.send_signal(signal.SIGINT)
    assert await stop(serving) == ExitCode.OK
    assert (await homarus(tmp_path, "gateway", "health", HOMARUS_GATEWAY_URL="ws://127.0.0.1:1")).code == 3


async def test_without_a_gateway_the_error_says_how_to_start_one(tmp_path: Path) -> None:
    done = await homarus(tmp_path, "status", HOMARUS_GATEWAY_URL="ws://127.0.0.1:1")
    assert done.code == ExitCode.NOT_RUNNING
    assert [line.partition(":")[0] for line in done.err.splitlines()] == ["error", "fix"]


async def test_the_assistant_answers_without_a_gateway(tmp_path: Path) -> None:
    done = await homarus(tmp_path, "agent", "--local", "--message", "what time is it")
    # On a busy machine it may warn that its loop stood still.
    said = [line for line in done.err.splitlines() if "gateway.watchdog" not in line]
    assert (done.code, said) == (ExitCode.OK, [])
    assert "UTC" in done.out


async def test_a_wrong_token_is_refused(gateway: Forked, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    done = await homarus(stranger, "status", HOMARUS_GATEWAY_URL=gateway.url, HOMARUS_GATEWAY_TOKEN="wrong-token")
    assert done.code == ExitCode.REFUSED
    assert "fix:" in done.err


async def test_a_broken_configuration_stops_the_start_with_all_its_problems(tmp_path: Path) -> None:
    (tmp_path / "homarus.json").write_text('{"gateway": {"prt": 1}, "agnets": {}}')
    done = await homarus(tmp_path, "gateway", "run", "--port", "0")
    assert done.code == ExitCode.CONFIG
    assert "gateway.prt" in done.err
    assert "agnets" in done.err


async def test_commands_reach_a_gateway_with_tls_by_the_certificate_it_noted(tmp_path: Path) -> None:
    (tmp_path / "homarus.json").write_text("{gateway: {tls: {enabled: true}}}")
    serving = await start(tmp_path, "gateway", "run", "--port", "0", until="ready https://")
    try:
        shown = next(line for line in serving.lines if line.startswith("certificate sha256:")).split()[-1]
        asked = await serving.run("gateway", "status")
        printed = await serving.run("gateway", "fingerprint")
        other = await serving.run("--tls-fingerprint", "ab" * 32, "gateway", "status")
    finally:
        await stop(serving)
    assert (asked.code, printed.out.strip()) == (ExitCode.OK, shown)
    assert "wss://" in asked.out
    assert other.code == ExitCode.REFUSED
    assert "another certificate" in other.err


DISCOVER = ("gateway", "discover", "--interface", "127.0.0.1", "--timeout", "1")


async def discovered(serving: Serving, port: int) -> list[dict[str, object]]:
    """Return those found that listen on a port; whoever answers late is not among them."""
    found = await serving.run(*DISCOVER, "--json")
    return [each for each in cast("dict[str, list[dict[str, object]]]", found.json)["gateways"] if each["port"] == port]


async def test_a_gateway_that_lets_itself_be_found_is_found(tmp_path: Path) -> None:
    pytest.importorskip("zeroconf")
    (tmp_path / "homarus.json").write_text('{gateway: {tls: {enabled: true}}, discovery: {mdns: {mode: "minimal"}}}')
    serving = await start(tmp_path, "gateway", "run", "--port", "0", until="ready https://")
    try:
        port = int(serving.lines[-1].rsplit(":", 1)[1])
        pin = (await serving.run("gateway", "fingerprint")).out.strip().partition(":")[2].replace(":", "").lower()
        async with asyncio.timeout(45):
            while not (mine := await discovered(serving, port)):
                pass
            while "homarus --url wss://127.0.0.1" not in (await serving.run(*DISCOVER)).out:
                pass
    finally:
        await stop(serving)
    assert [(each["urls"], each["fingerprint"]) for each in mine] == [([f"wss://127.0.0.1:{port}"], pin)]


async def test_a_node_joins_with_nothing_but_a_setup_code(tmp_path: Path) -> None:
    (tmp_path / "homarus.json").write_text("{gateway: {tls: {enabled: true}}}")
    running: list[Serving] = []
    with reserved_port() as port:
        try:
            serving = await start(tmp_path, "gateway", "run", "--port", str(port), until="ready https://")
            running.append(serving)
            refused = await serving.run("devices", "setup-code")
            made = await serving.run("devices", "setup-code", "--url", f"wss://127.0.0.1:{port}", "--profile", "node")
            code = made.out.splitlines()[0]
            joining = ("node", "run", "--setup-code", code)
            running.append(await start(tmp_path / "elsewhere", *joining, until="ready as node"))
            listed = await serving.run("devices", "list", "--json")
        finally:
            for each in reversed(running):
                await stop(each)
    assert refused.code != ExitCode.OK
    assert "this machine only" in refused.err
    paired = cast("dict[str, list[dict[str, object]]]", listed.json)["paired"]
    assert [row["role"] for row in paired if row["clientId"] == "node-host"] == ["node"]


async def test_a_device_that_waits_is_refused_by_hand(tmp_path: Path) -> None:
    serving = await start(tmp_path, "gateway", "run", "--port", "0", until="ready http://")
    try:
        token = (tmp_path / "identity" / "gateway-token").read_text().strip()
        url = serving.lines[-1].split()[-1].replace("http", "ws")
        async with open_client(url, {"X-Forwarded-For": "203.0.113.9"}) as stranger:
            params = connect_params(await stranger.challenge(), DeviceIdentity.generate(), token=token)
            waiting = (await stranger.call("connect", params))["error"]["details"]["requestId"]
        refused = await serving.run("devices", "reject", waiting)
        again = await serving.run("devices", "reject", waiting)
    finally:
        await stop(serving)
    assert (refused.code, waiting in refused.out) == (ExitCode.OK, True)
    assert again.code != ExitCode.OK


async def test_a_gateway_serves_itself_through_tailscale_and_takes_that_back(tmp_path: Path) -> None:
    tailscale, home = FakeTailscale(tmp_path / "bin"), tmp_path / "home"
    home.mkdir(mode=0o700)
    config = '{logging: {consoleLevel: "info"}, gateway: {tailscale: {mode: "serve", resetOnExit: true}}}'
    (home / "homarus.json").write_text(config)
    path = f"{tailscale.folder}{os.pathsep}{os.environ['PATH']}"
    serving = await start(home, "gateway", "run", "--port", "0", until="ready http://", PATH=path)
    try:
        port = next(line for line in serving.lines if line.startswith("ready ")).strip().rsplit(":", 1)[1]
        assert serving.process.stdout is not None
        async with asyncio.timeout(45):
            while not any("https://box.example.ts.net/" in line for line in serving.lines):
                serving.lines.append((await serving.process.stdout.readline()).decode())
        served = tailscale.served
        made = await serving.run("devices", "setup-code", "--json")
    finally:
        await stop(serving)
    handlers = served["Web"]["box.example.ts.net:443"]["Handlers"]
    assert handlers == {"/": {"Proxy": f"http://127.0.0.1:{port}"}}
    assert tailscale.served == {}
    assert cast("dict[str, object]", made.json)["gatewayUrl"] == "wss://box.example.ts.net"


async def test_commands_reach_a_gateway_whose_users_a_proxy_vouches_for(tmp_path: Path) -> None:
    proxy = '{mode: "trusted-proxy", trustedProxy: {userHeader: "x-user", secret: "proxy-secret-0123456789"}}'
    (tmp_path / "homarus.json").write_text(f'{{gateway: {{trustedProxies: ["127.0.0.1"], auth: {proxy}}}}}')
    serving = await start(tmp_path, "gateway", "run", "--port", "0", until="ready http://")
    try:
        asked = await serving.run("gateway", "health")
    finally:
        await stop(serving)
    assert asked.code == ExitCode.OK, asked
