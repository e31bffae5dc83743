"""The in-process server answers a raw client as a real ngircd does."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.ports import reserved_port

from homarus.testing.irc_behaviour import Behaviour
from homarus.testing.irc_server import IrcServer

INSTALL = "apt-get install --no-install-recommends ngircd"
BINARY = shutil.which("ngircd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class Raw:
    """A client that hides nothing."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    def say(self, *lines: str) -> None:
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())

    async def until(self, *parts: str) -> list[str]:
        """Return the lines up to the first that holds one of `parts`."""
        lines: list[str] = []
        async with asyncio.timeout(45):
            while raw := await self._reader.readline():
                lines.append(raw.decode().rstrip("\r\n"))
                if any(part in lines[-1] for part in parts):
                    return lines
        raise AssertionError(f"closed before {parts!r}: {lines}")

    async def next_with(self, part: str) -> str:
        return (await self.until(part))[-1]


@asynccontextmanager
async def raw(port: int, *lines: str) -> AsyncGenerator[Raw]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    client = Raw(reader, writer)
    client.say(*lines)
    try:
        yield client
    finally:
        writer.close()


def hello(nick: str) -> tuple[str, str]:
    return f"NICK {nick}", f"USER {nick} 0 * :{nick}"


@asynccontextmanager
async def ours(_folder: Path) -> AsyncGenerator[int]:
    async with IrcServer() as server:
        yield server.port


@asynccontextmanager
async def ngircd(folder: Path) -> AsyncGenerator[int]:
    if BINARY is None and os.environ.get("CI") is None:
        pytest.skip(f"ngircd is missing: {INSTALL}")
    assert BINARY is not None, f"ngircd is missing: {INSTALL}"
    with reserved_port() as port:
        path = write_config(folder, port)
        server = await asyncio.create_subprocess_exec(
            BINARY, "-n", "-f", str(path), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        assert server.stdout is not None
        try:
            async with asyncio.timeout(45):
                while b"listening on" not in (await server.stdout.readline()).lower():
                    pass
            yield port
        finally:
            server.terminate()
            await server.communicate()


def write_config(folder: Path, port: int) -> Path:
    path = folder / "ngircd.conf"
    path.write_text(
        f"[Global]\nName = irc.local\nInfo = test\nListen = 127.0.0.1\nPorts = {port}\n"
        "[Options]\nDNS = no\nIdent = no\nPAM = no\n[Limits]\nMaxConnectionsIP = 0\nMaxPenaltyTime = 0\n"
    )
    return path


END_OF_MOTD = (" 376 ", " 422 ")
SERVERS = {"ours": ours, "ngircd": ngircd}


@pytest.fixture(params=sorted(SERVERS))
async def port(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[int]:
    async with SERVERS[request.param](tmp_path) as number:
        yield number


def numerics(lines: list[str]) -> list[str]:
    return [line.split(" ")[1] for line in lines]


async def test_registration_ends_with_the_welcome_the_features_and_the_motd(port: int) -> None:
    async with raw(port, "CAP LS 302", *hello("ines"), "CAP END") as ines:
        seen = numerics(await ines.until(*END_OF_MOTD))
    kept = [number for number in seen if number in {"CAP", "001", "005"}]
    assert list(dict.fromkeys(kept)) == ["CAP", "001", "005"]


async def test_a_taken_nick_is_refused_with_433(port: int) -> None:
    async with raw(port, *hello("ines")) as ines:
        await ines.until(*END_OF_MOTD)
        async with raw(port, "NICK Ines") as other:
            assert (await other.next_with(" 433 ")).split(" ")[2:4] == ["*", "Ines"]


async def test_a_join_is_echoed_to_everybody_and_followed_by_the_names(port: int) -> None:
    async with raw(port, *hello("ines"), "JOIN #pier") as ines:
        assert numerics(await ines.until(" 366 "))[-3:] == ["JOIN", "353", "366"]
        async with raw(port, *hello("otto"), "JOIN #pier") as otto:
            await otto.until(" 366 ")
            assert (await ines.next_with("JOIN")).startswith(":otto!~otto@")


async def test_messages_reach_everybody_but_their_author(port: int) -> None:
    async with raw(port, *hello("ines"), "JOIN #pier") as ines, raw(port, *hello("otto"), "JOIN #pier") as otto:
        await otto.until(" 366 ")
        await ines.until("otto!")
        otto.say("PRIVMSG #pier :hello all", "PRIVMSG ines :hello you", "PING done")
        assert (await ines.next_with("PRIVMSG")).endswith("PRIVMSG #pier :hello all")
        assert (await ines.next_with("PRIVMSG")).endswith("PRIVMSG ines :hello you")
        assert not [line for line in await otto.until("PONG") if "PRIVMSG" in line]


async def test_unknown_targets_and_commands_are_refused(port: int) -> None:
    async with raw(port, *hello("ines")) as ines:
        await ines.until(*END_OF_MOTD)
        ines.say("PRIVMSG nobody :hello")
        assert (await ines.next_with(" 401 ")).split(" ")[2:4] == ["ines", "nobody"]
        ines.say("FROBNICATE")
        assert (await ines.next_with(" 421 ")).split(" ")[3] == "FROBNICATE"


async def test_a_ping_is_answered_with_its_token_last(port: int) -> None:
    async with raw(port, *hello("ines")) as ines:
        await ines.until(*END_OF_MOTD)
        ines.say("PING abc-1")
        assert (await ines.next_with("PONG")).rpartition(" ")[2] in {"abc-1", ":abc-1"}


async def test_the_host_of_a_user_is_told(port: int) -> None:
    async with raw(port, *hello("ines"), "USERHOST ines") as ines:
        assert "ines=+~ines@" in await ines.next_with(" 302 ")


async def test_parting_and_quitting_are_told_to_the_others(port: int) -> None:
    async with raw(port, *hello("ines"), "JOIN #pier") as ines, raw(port, *hello("otto"), "JOIN #pier") as otto:
        await otto.until(" 366 ")
        otto.say("PART #pier")
        assert (await ines.next_with("PART")).startswith(":otto!~otto@")
        otto.say("JOIN #pier")
        await ines.until("JOIN")
        otto.say("QUIT :bye")
        assert (await ines.next_with("QUIT")).startswith(":otto!~otto@")
        assert (await otto.next_with("ERROR")).startswith("ERROR :")


async def test_faults_happen_when_asked_for() -> None:
    behaviour = Behaviour(drop_on="PRIVMSG x", repeat=2)
    async with IrcServer(behaviour) as server, raw(server.port, *hello("ines")) as ines:
        await ines.until(*END_OF_MOTD)
        server.say("a!b@c", "ines", "twice")
        heard = [await ines.next_with("PRIVMSG"), await ines.next_with("PRIVMSG")]
        assert heard == [":a!b@c PRIVMSG ines :twice"] * 2
        behaviour.is_stalled = True
        ines.say("PING unanswered")
        await server.expect("PING unanswered")
        behaviour.is_stalled = False
        ines.say("PRIVMSG x :cut me")
        with pytest.raises((AssertionError, ConnectionResetError)):
            await ines.until("PONG")
