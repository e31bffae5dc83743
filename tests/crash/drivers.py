"""How a person reaches the gateway in a crash test. Another channel joins by one more ChannelDriver in DRIVERS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol, cast

from tests.crash.script import question
from tests.e2e.process import GatewayProcess

from homarus.errors import HomarusError
from homarus.protocol.client import GatewayClient
from homarus.testing.irc_server import IrcServer, body_of
from homarus.testing.telegram.people import INES, People
from homarus.testing.telegram.server import TelegramServer

BOT, PERSON = "homarus", "ann"
JOIN_TRIES = 4
"""Times the patience of the test server that a gateway on a busy machine may take to log in."""


class ChannelDriver(Protocol):
    """One person on one channel, who outlives the gateway's processes."""

    @property
    def has_outbox(self) -> bool:
        """Tell whether replies go over a network, so that the delivery points are passed."""
        ...

    def sections(self) -> Mapping[str, object]:
        """Return the `channels` section of the gateway's configuration."""
        ...

    async def join(self, gateway: GatewayProcess) -> None:
        """Return once a process that just got ready can be written to and can reply."""
        ...

    async def send(self, token: str) -> None:
        """Write the message of a token. The gateway may die before it answers."""
        ...

    async def make_good(self, token: str, *, was_journalled: bool) -> None:
        """Do what this channel, its clients or its people do about a message when the gateway has come back."""
        ...

    async def replies(self, token: str) -> list[str]:
        """Return every reply to a token that the person can see now."""
        ...


class IrcPerson:
    """A person with an ordinary client on the test's IRC server, who asks again when no answer came.

    IRC delivers nothing twice, so what died before it was journalled is gone, and only a person can notice.
    """

    has_outbox = True

    def __init__(self, server: IrcServer, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._writer = writer

    def sections(self) -> Mapping[str, object]:
        account = {"host": "127.0.0.1", "port": self._server.port, "tls": False, "nick": BOT,
                   "allowFrom": [f"{PERSON}!~{PERSON}@client.test"],
                   "flood": {"burst": 100, "intervalSeconds": 0.01}}  # fmt: skip
        return {"irc": account}

    async def join(self, gateway: GatewayProcess) -> None:
        for _ in range(JOIN_TRIES - 1):
            with suppress(AssertionError):
                await self._server.expect(f"USERHOST {BOT}")
                return
        await self._server.expect(f"USERHOST {BOT}")

    async def send(self, token: str) -> None:
        self._writer.write(f"PRIVMSG {BOT} :{question(token)}\r\n".encode())
        await self._writer.drain()

    async def make_good(self, token: str, *, was_journalled: bool) -> None:
        if not was_journalled:
            await self.send(token)

    async def replies(self, token: str) -> list[str]:
        lines = [body_of(line) for line in self._server.received]
        mine = f"PRIVMSG {PERSON} :"
        return [line.removeprefix(mine) for line in lines if line.startswith(mine) and token in line]


class WebPerson:
    """A person on the web chat: a client that repeats a message with its idempotency key until it is answered."""

    has_outbox = False

    def __init__(self, identity: Path) -> None:
        self._identity = identity
        self._client: GatewayClient | None = None

    def sections(self) -> Mapping[str, object]:
        return {}

    async def join(self, gateway: GatewayProcess) -> None:
        await self.close()
        client = GatewayClient(gateway.ws_url, identity=self._identity, token=gateway.token, is_reconnecting=False)
        await client.connect()
        self._client = client

    async def send(self, token: str) -> None:
        with suppress(HomarusError):  # the connection breaks when the gateway dies
            await self._connected.call("chat.send", self.message(token))

    async def make_good(self, token: str, *, was_journalled: bool) -> None:
        await self.send(token)

    def message(self, token: str) -> dict[str, object]:
        return {"sessionKey": "main", "message": question(token), "idempotencyKey": f"key-{token}"}

    async def replies(self, token: str) -> list[str]:
        history = await self._connected.call("chat.history", {"sessionKey": "main", "limit": 1000})
        rows = cast("list[dict[str, object]]", cast("dict[str, object]", history)["messages"])
        texts = [_text_of(row) for row in rows if row["role"] == "assistant"]
        return [text for text in texts if token in text]

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    @property
    def _connected(self) -> GatewayClient:
        assert self._client is not None
        return self._client


class ForwardingPerson(WebPerson):
    """A person on the web chat whose replies also go out to IRC, which is how the web chat passes the outbox."""

    has_outbox = True

    def __init__(self, identity: Path, irc: IrcPerson) -> None:
        super().__init__(identity)
        self._irc = irc

    def sections(self) -> Mapping[str, object]:
        return self._irc.sections()

    async def join(self, gateway: GatewayProcess) -> None:
        await super().join(gateway)
        await self._irc.join(gateway)

    def message(self, token: str) -> dict[str, object]:
        route = {"deliver": True, "originatingChannel": "irc", "originatingTo": PERSON}
        return {**super().message(token), **route}

    async def replies(self, token: str) -> list[str]:
        seen = await super().replies(token)
        assert len(seen) == 1, f"the transcript shows {seen}"
        return await self._irc.replies(token)


class TelegramPerson:
    """A person on the test's Bot API server, which keeps an update until it is confirmed.

    Replies are not shown while they grow: whether a preview comes before a kill is a matter of milliseconds, and
    tests/pipeline/test_previews.py has its own stops.
    """

    has_outbox = True

    def __init__(self, server: TelegramServer) -> None:
        self._server = server
        self._people = People(server)
        self._people.private(INES)

    def sections(self) -> Mapping[str, object]:
        bot = {"apiRoot": self._server.root, "botToken": self._server.bot.token, "dmPolicy": "allowlist",
               "allowFrom": [str(INES.id)], "streaming": "off"}  # fmt: skip
        return {"telegram": bot}

    async def join(self, gateway: GatewayProcess) -> None:
        """Nothing to wait for: updates wait on the server."""

    async def send(self, token: str) -> None:
        self._people.say(INES, question(token))

    async def make_good(self, token: str, *, was_journalled: bool) -> None:
        """Nothing to do: the server gives out again what was not confirmed."""

    async def replies(self, token: str) -> list[str]:
        return [sent.text for sent in self._server.sent if sent.chat == INES.id and token in sent.text]


@asynccontextmanager
async def open_irc(home: Path) -> AsyncGenerator[IrcPerson]:
    async with IrcServer() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(f"NICK {PERSON}\r\nUSER {PERSON} 0 * :{PERSON}\r\n".encode())
        reading = asyncio.create_task(_read_all(reader))
        await server.expect(f"USER {PERSON}")
        try:
            yield IrcPerson(server, writer)
        finally:
            writer.close()
            reading.cancel()


@asynccontextmanager
async def open_webchat(home: Path) -> AsyncGenerator[WebPerson]:
    person = WebPerson(home / "person.json")
    try:
        yield person
    finally:
        await person.close()


@asynccontextmanager
async def open_telegram(home: Path) -> AsyncGenerator[TelegramPerson]:
    async with TelegramServer() as server:
        yield TelegramPerson(server)


@asynccontextmanager
async def open_forwarding(home: Path) -> AsyncGenerator[ForwardingPerson]:
    async with AsyncExitStack() as stack:
        irc = await stack.enter_async_context(open_irc(home))
        person = ForwardingPerson(home / "person.json", irc)
        stack.push_async_callback(person.close)
        yield person


Opener = Callable[[Path], AbstractAsyncContextManager[ChannelDriver]]
DRIVERS: dict[str, Opener] = {"webchat": open_webchat, "irc": open_irc, "telegram": open_telegram}
OUTBOX_DRIVERS: dict[str, Opener] = {**DRIVERS, "webchat": open_forwarding}
"""The same channels for the points of the outbox, where each must have replies that go over a network."""


def _text_of(row: dict[str, object]) -> str:
    content = row.get("content")
    if isinstance(content, str):
        return content
    blocks = cast("list[dict[str, object]]", content or [])
    return "".join(str(block.get("text", "")) for block in blocks if block.get("type") == "text")


async def _read_all(reader: asyncio.StreamReader) -> None:
    while await reader.readline():
        pass
