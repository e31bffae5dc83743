"""Starts that cannot work: each ends with what is wrong and what to do, no traceback, and nothing changed."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from pathlib import Path

import pytest
from tests.e2e.cli import Finished, homarus
from tests.e2e.process import gateway, write_config

BROKEN = """{
  gateway: { port: "18789", bnd: "loopback" },
  agents: { list: [ { name: "no id" } ] },
  channels: { irc: { host: 5, nick: "9lives" } },
  messages: { queue: { mode: "colect" } },
}
"""


async def refused(home: Path, *arguments: str, extra: dict[str, str] | None = None) -> Finished:
    """Start a gateway that must not start; what it says must be for people."""
    ended = await homarus(home, "gateway", "run", "--port", "0", *arguments, extra=extra)
    assert ended.code != 0, ended
    assert "ready" not in ended.out
    assert "Traceback" not in ended.err
    assert "unexpected" not in ended.err
    assert "fix:" in ended.err
    return ended


async def test_a_broken_configuration_is_listed_completely_with_exit_code_5(home: Path) -> None:
    (home / "homarus.json").write_text(BROKEN)
    ended = await refused(home)
    assert ended.code == 5
    for place in ("gateway.port", "gateway.bnd", "agents.list[0].id", "messages.queue.mode"):
        assert place in ended.err
    for fix in ('Did you mean "bind"?', 'Did you mean "collect"?', "Write 18789 without quotes"):
        assert fix in ended.err
    assert not (home / "homarus.db").exists()


async def test_a_broken_channel_section_is_listed_completely_with_exit_code_5(home: Path) -> None:
    write_config(home, {"channels": {"irc": {"host": 5, "nick": "9lives", "hots": "x"}}})
    ended = await refused(home)
    assert ended.code == 5
    for place in ("channels.irc.host", "channels.irc.nick", "channels.irc.hots"):
        assert place in ended.err


@pytest.mark.parametrize("text", ["{", "", "[]", '{"gateway": }', "\x00\x01", "{" * 5000])
async def test_a_file_that_is_no_configuration_names_the_place(home: Path, text: str) -> None:
    (home / "homarus.json").write_text(text)
    if not text:
        async with gateway(home) as running:
            assert await running.stop() == 0
        return
    ended = await refused(home)
    assert ended.code == 5
    assert "homarus.json" in ended.err


async def test_a_configuration_broken_after_a_good_start_falls_back_with_a_warning(home: Path) -> None:
    write_config(home, {"agents": {"defaults": {"userTimezone": "Asia/Tokyo"}}})
    async with gateway(home) as running:
        assert await running.stop() == 0
    (home / "homarus.json").write_text(BROKEN)
    async with gateway(home) as running:
        async with running.client() as client:
            health = await client.call("health", {})
        assert health
        said = await homarus(home, "agent", "--message", "what time is it")
        assert "JST" in said.out or "Asia/Tokyo" in said.out, said
        assert await running.stop() == 0
    warned = (home / "stderr.txt").read_text()
    assert "last good" in warned
    assert "gateway.bnd" in warned
    assert (home / "homarus.json").read_text() == BROKEN


async def test_a_channel_section_broken_after_a_good_start_falls_back_too(home: Path) -> None:
    write_config(home, {"agents": {"defaults": {"userTimezone": "Asia/Tokyo"}}})
    async with gateway(home) as running:
        assert await running.stop() == 0
    write_config(home, {"channels": {"irc": {"host": 5}}})
    for _ in range(2):  # the broken file must not become the good copy
        async with gateway(home) as running:
            assert await running.stop() == 0
    warned = (home / "stderr.txt").read_text()
    assert "last good" in warned
    assert "channels.irc.host" in warned


async def test_a_workspace_that_is_no_folder_fails_the_turn_with_the_place_and_nothing_else(home: Path) -> None:
    (home / "workspace").write_text("in the way")
    async with gateway(home):
        said = await homarus(home, "agent", "--message", "what time is it")
        assert said.code == 1
        assert str(home / "workspace") in said.err
        listed = (await homarus(home, "messages", "list", "--json")).json()["messages"]
        assert [row["state"] for row in listed] == ["failed"]
        (home / "workspace").unlink()
        assert "It is " in (await homarus(home, "agent", "--message", "what time is it")).out


async def test_a_busy_port_names_who_has_it(home: Path) -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        ended = await homarus(home, "gateway", "run", "--port", str(port))
    assert ended.code == 1
    assert str(port) in ended.err
    assert f"pid {os.getpid()}" in ended.err
    assert "--port" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("place", ["", "homarus.db", "gateway.lock", "logs", "identity"])
async def test_something_in_the_way_of_the_state_folder_is_named(tmp_path: Path, place: str) -> None:
    home = tmp_path / "home"
    if place:
        home.mkdir()
    obstacle = home / place if place else home
    if place in ("homarus.db", "gateway.lock"):
        obstacle.mkdir()
    else:
        obstacle.write_text("in the way")
    ended = await refused(home)
    assert str(obstacle) in ended.err


async def test_a_second_gateway_on_the_same_folder_names_the_first(home: Path) -> None:
    async with gateway(home) as first:
        ended = await refused(home)
        assert f"pid {first.process.pid}" in ended.err
        assert str(home) in ended.err
        assert (await homarus(home, "status")).code == 0, "the first one must not suffer"


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(home: Path) -> None:
    async with gateway(home) as running:
        assert await running.stop() == 0
    path = home / "homarus.db"
    with sqlite3.connect(path) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    before = path.read_bytes()
    ended = await refused(home)
    assert "9999" in ended.err
    assert "newer" in ended.err
    assert path.read_bytes() == before


async def test_a_file_that_is_no_database_is_refused_and_left_alone(home: Path) -> None:
    (home / "homarus.db").write_bytes(b"not a database at all" * 500)
    ended = await refused(home)
    assert str(home / "homarus.db") in ended.err
    assert (home / "homarus.db").read_bytes() == b"not a database at all" * 500


async def test_a_login_token_too_short_for_others_to_reach_is_refused(home: Path) -> None:
    write_config(home, {"gateway": {"bind": "lan", "auth": {"mode": "token", "token": "short"}}})
    ended = await homarus(home, "gateway", "run", "--port", "0", token=None)
    assert ended.code == 5
    assert "gateway.auth.token" in ended.err
    assert json.dumps("short") not in ended.err
