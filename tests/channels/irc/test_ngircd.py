"""The channel on a real server."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.ports import reserved_port

from homarus.channels.contract import ChatKind, OutboundPart
from homarus.channels.irc.channel import IrcChannel, create
from homarus.channels.irc.config import IrcConfig
from homarus.clock import SystemClock
from homarus.errors import AuthFailed, Permanent
from homarus.ids import Address
from homarus.testing.ingress import MemoryIngress

INSTALL = "apt-get install --no-install-recommends ngircd"
BINARY = shutil.which("ngircd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(BINARY is None and os.environ.get("CI") is None, reason=f"ngircd is missing: {INSTALL}"),
]


class Person:
    """A raw client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def say(self, line: str) -> None:
        self._writer.write(f"{line}\r\n".encode())

    async def hear(self, part: str) -> str:
        async with asyncio.timeout(45):
            while raw := await self._reader.readline():
                line = raw.decode().rstrip()
                if line.startswith("PING"):
                    self.say(line.replace("PING", "PONG", 1))
                if part in line:
                    return line
        raise AssertionError(f"the server closed before {part!r}")


@asynccontextmanager
async def person(port: int, nick: str) -> AsyncGenerator[Person]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = Person(reader, writer)
    for line in ("PASS pier-9", f"NICK {nick}", f"USER {nick} 0 * :{nick}", "JOIN #pier"):
        found.say(line)
    await found.hear(" 366 ")
    try:
        yield found
    finally:
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def running(channel: IrcChannel, ingress: MemoryIngress) -> AsyncGenerator[None]:
    task = asyncio.create_task(channel.run(ingress))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def write_config(folder: Path, number: int) -> Path:
    path = folder / "ngircd.conf"
    path.write_text(
        "[Global]\nName = irc.local\nInfo = test\nListen = 127.0.0.1\n"
        f"Ports = {number}\nPassword = pier-9\nMotdPhrase = hello\n"
        "[Options]\nDNS = no\nIdent = no\nPAM = no\n[Limits]\nMaxConnectionsIP = 0\nMaxPenaltyTime = 0\n"
    )
    return path


@pytest.fixture
async def port(tmp_path: Path) -> AsyncGenerator[int]:
    assert BINARY is not None, f"ngircd is missing: {INSTALL}"
    with reserved_port() as number:
        path = write_config(tmp_path, number)
        server = await asyncio.create_subprocess_exec(
            BINARY, "-n", "-f", str(path), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        assert server.stdout is not None
        try:
            async with asyncio.timeout(45):
                while b"listening on" not in (await server.stdout.readline()).lower():
                    pass
            yield number
        finally:
            server.terminate()
            await server.communicate()


def config(port: int, **keys: object) -> IrcConfig:
    base: dict[str, object] = {"host": "127.0.0.1", "port": port, "tls": False, "nick": "homarus",
                               "password": "pier-9", "channels": ["#pier"], "flood": {"burst": 50}}  # fmt: skip
    return IrcConfig.model_validate(base | keys)


async def test_a_direct_message_and_a_channel_are_heard_and_answered(port: int) -> None:
    ingress = MemoryIngress()
    channel = create(config(port), "default", SystemClock())
    async with person(port, "Ines") as ines:
        async with running(channel, ingress):
            await ines.hear("homarus!")  # its JOIN
            await talk_directly(channel, ingress, ines)
            await talk_in_a_channel(channel, ingress, ines)
            with pytest.raises(Permanent, match="401"):
                await channel.send(OutboundPart("c", Address("irc", "default", "nobody"), "hello"))
            probe = await channel.probe()
            assert probe.is_ok
            assert "homarus on irc.local, in #pier" in probe.detail
        assert "QUIT" in await ines.hear("homarus!")


async def talk_directly(channel: IrcChannel, ingress: MemoryIngress, ines: Person) -> None:
    ines.say("PRIVMSG homarus :are you there?")
    direct = await ingress.wait()
    assert (direct.kind, direct.address.chat, direct.text) == (ChatKind.DIRECT, "ines", "are you there?")
    await channel.send(OutboundPart("a", direct.address, "yes\nat your service"))
    assert (await ines.hear("PRIVMSG")).endswith(":yes")
    assert (await ines.hear("PRIVMSG")).endswith("PRIVMSG Ines :at your service")


async def talk_in_a_channel(channel: IrcChannel, ingress: MemoryIngress, ines: Person) -> None:
    ines.say("PRIVMSG #pier :just talking")
    ines.say("PRIVMSG #pier :homarus: tide?")
    plain, asked = await ingress.wait(), await ingress.wait()
    assert (plain.kind, plain.is_mentioned, asked.is_mentioned) == (ChatKind.GROUP, False, True)
    assert (asked.text, asked.address.chat) == ("tide?", "#pier")
    await channel.send(OutboundPart("b", asked.address, "=" * 800))
    heard = [await ines.hear("PRIVMSG #pier"), await ines.hear("PRIVMSG #pier")]
    assert sum(line.count("=") for line in heard) == 800
    assert all(len(line.encode()) <= 510 for line in heard)


async def test_a_wrong_password_is_an_auth_failure(port: int) -> None:
    channel = create(config(port, password="wrong"), "default", SystemClock())
    with pytest.raises(AuthFailed):
        await asyncio.wait_for(channel.run(MemoryIngress()), 45)


async def test_a_taken_nick_gets_a_suffix(port: int) -> None:
    channel = create(config(port), "default", SystemClock())
    async with person(port, "homarus") as holder, running(channel, MemoryIngress()):
        assert "homarus_!" in await holder.hear(" JOIN ")
