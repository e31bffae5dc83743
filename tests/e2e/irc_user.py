"""A person on IRC: a raw client that hears everything and answers pings."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

PATIENCE = 45.0


class IrcUser:
    """Connects as a nick. `heard` holds every line, in order; `expect` goes on from where the last one ended."""

    def __init__(self, port: int, nick: str) -> None:
        self.nick = nick
        self.heard: list[str] = []
        self._port = port
        self._seen = 0
        self._news = asyncio.Condition()
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._task = asyncio.create_task(self._listen(reader))
        self.send(f"NICK {self.nick}")
        self.send(f"USER {self.nick} 0 * :{self.nick}")
        await self.expect(" 001 ")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def send(self, line: str) -> None:
        """Send a raw line."""
        assert self._writer is not None
        self._writer.write(f"{line}\r\n".encode())

    def say(self, target: str, text: str) -> None:
        """Write to a nick or a room."""
        self.send(f"PRIVMSG {target} :{text}")

    async def expect(self, *parts: str, timeout: float = PATIENCE) -> str:
        """Return the next line that holds all parts. Raises AssertionError with what came instead."""
        try:
            async with asyncio.timeout(timeout), self._news:
                while (found := self._next(parts)) is None:
                    await self._news.wait()
        except TimeoutError:
            late = self.heard[self._seen :]
            raise AssertionError(f"no line holds {parts}; heard since the last one: {late}") from None
        return found

    async def expect_nick(self, nick: str) -> None:
        """Wait until somebody is on the server."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self.send(f"ISON {nick}")
                if nick in (await self.expect(" 303 ")).rpartition(":")[2].split():
                    return

    def _next(self, parts: tuple[str, ...]) -> str | None:
        for index in range(self._seen, len(self.heard)):
            if all(part in self.heard[index] for part in parts):
                self._seen = index + 1
                return self.heard[index]
        return None

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while raw := await reader.readline():
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            if line.startswith("PING"):
                self.send(f"PONG{line[4:]}")
            async with self._news:
                self.heard.append(line)
                self._news.notify_all()
