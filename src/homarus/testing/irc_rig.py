"""The IRC channel beside the in-process server, for the conformance suite."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from homarus.channels import registry
from homarus.channels.contract import Channel, Manifest
from homarus.clock import SystemClock
from homarus.ids import Address
from homarus.testing.ingress import MemoryIngress
from homarus.testing.irc_behaviour import IRCV3, Behaviour
from homarus.testing.irc_server import IrcServer, body_of

PERSON = "ines"


class IrcRig:
    """A connection with a password, and a second raw client who is the person."""

    def __init__(self, *, is_modern: bool) -> None:
        caps = dict(IRCV3) if is_modern else {}
        self.server = IrcServer(Behaviour(caps=caps, password="pier-9"))  # noqa: S106 - of this test server only
        self.ingress = MemoryIngress()
        self._channel: Channel | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    @property
    def manifest(self) -> Manifest:
        """Return the IRC manifest."""
        return registry.manifests()["irc"]

    @property
    def channel(self) -> Channel:
        """Return the channel, made on first use."""
        if self._channel is None:
            module = registry.load("irc")
            keys = {"host": "127.0.0.1", "port": self.server.port, "tls": False, "nick": "homarus",
                    "password": "pier-9", "flood": {"burst": 100, "intervalSeconds": 0.01}}  # fmt: skip
            self._channel = module.create(module.config_model.model_validate(keys), "default", SystemClock())
        return self._channel

    @property
    def address(self) -> Address:
        """Return the person's nick."""
        return Address("irc", "default", PERSON)

    @property
    def connections(self) -> int:
        """Return the connections besides the person's."""
        return self.server.connections - 1

    async def __aenter__(self) -> Self:
        """Start the server and bring the person in."""
        await self.server.__aenter__()
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        self._writer.write(f"PASS pier-9\r\nNICK {PERSON}\r\nUSER ines 0 * :Ines\r\n".encode())
        await self._line(" 422 ")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        if self._writer is not None:
            self._writer.close()
        await self.server.__aexit__(kind, error, trace)

    async def connected(self) -> None:
        """Wait for the first line the channel sends after its welcome."""
        await self.server.expect("USERHOST homarus")

    async def write(self, text: str) -> None:
        """Send a direct message to the bot."""
        if self._writer is not None:
            self._writer.write(f"PRIVMSG homarus :{text}\r\n".encode())
            await self._writer.drain()

    async def read(self) -> str:
        """Return the next message the person gets."""
        line = await self._line(f"PRIVMSG {PERSON} ")
        return line.partition(f" {PERSON} ")[2].removeprefix(":")

    def messages_taken(self) -> list[str]:
        """Return the raw PRIVMSG lines of the bot."""
        lines = [body_of(line) for line in self.server.received]
        return [line for line in lines if line.startswith(f"PRIVMSG {PERSON} ")]

    def refuse_credentials(self) -> None:
        """Change the server's password."""
        self.server.behaviour.password = "changed"  # noqa: S105 - of this test server only

    def cut(self) -> None:
        """Cut the bot's connection."""
        for client in self.server.clients:
            if client.nick == "homarus":
                client.writer.transport.abort()

    def cut_when_sent(self) -> None:
        """Cut when a PRIVMSG arrives."""
        self.server.behaviour.drop_on = f"PRIVMSG {PERSON}"

    def forget_person(self) -> None:
        """Refuse messages to the person."""
        self.server.behaviour.refuse[PERSON] = "401"

    async def _line(self, part: str) -> str:
        if self._reader is None:
            raise RuntimeError("the rig is not running")
        async with asyncio.timeout(45):
            while raw := await self._reader.readline():
                line = raw.decode().rstrip("\r\n")
                if part in line:
                    return line
        raise AssertionError(f"the server closed before a line with {part!r}")
