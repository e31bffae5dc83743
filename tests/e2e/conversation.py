"""Talking to a gateway as the web page does, with everything it says about a run kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import uuid4

from msgspec import Struct, field

from homarus.protocol.client import GatewayClient


class Answer(Struct):
    """How a run ended: `ends` are its final chat events, one if all is well."""

    run_id: str
    status: str
    ends: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def text(self) -> str:
        """Return the text of the final message."""
        message: Any = self.ends[0].get("message")
        blocks: list[dict[str, str]] = message["content"] if message else []
        return "".join(block.get("text", "") for block in blocks)

    @property
    def error(self) -> str:
        """Return what the user is told went wrong."""
        return self.ends[0].get("errorMessage", "")


class Conversation:
    """One session of a connected client."""

    def __init__(self, client: GatewayClient, key: str) -> None:
        self._client = client
        self.key = key
        self.ends: list[dict[str, Any]] = []
        self._news = asyncio.Condition()

    async def say(self, text: str, *, timeout: float = 45) -> Answer:
        """Send a message and wait until its run has ended and its last event is here."""
        run_id = await self.send(text)
        return await self.answer(run_id, timeout=timeout)

    async def send(self, text: str) -> str:
        """Send a message and return its run once it is accepted."""
        run_id = str(uuid4())
        await self._client.call("chat.send", {"sessionKey": self.key, "message": text, "idempotencyKey": run_id})
        return run_id

    async def answer(self, run_id: str, *, timeout: float = 45) -> Answer:
        """Wait for the end of a run."""
        async with asyncio.timeout(timeout), self._news:
            while not (ends := [end for end in self.ends if end["runId"] == run_id]):
                await self._news.wait()
        params = {"runId": run_id, "timeoutMs": int(timeout * 1000)}
        waited = cast("dict[str, Any]", await self._client.call("agent.wait", params, timeout=timeout + 1))
        return Answer(run_id, str(waited["status"]), ends)

    async def state_of(self, run_id: str) -> tuple[str, str]:
        """Return state and reason of the message a run answered."""
        rows = cast("dict[str, Any]", await self._client.call("messages.list", {}))["messages"]
        return next((row["state"], row["reason"] or "") for row in rows if row["runId"] == run_id)

    async def history(self) -> list[dict[str, Any]]:
        """Return the transcript."""
        return cast("dict[str, Any]", await self._client.call("chat.history", {"sessionKey": self.key}))["messages"]

    async def listen(self) -> None:
        """Keep every final chat event of this session, until cancelled."""
        async for event in self._client.events("chat"):
            if event.payload.get("state") not in ("delta", "status"):
                async with self._news:
                    self.ends.append(event.payload)
                    self._news.notify_all()


@asynccontextmanager
async def conversation(client: GatewayClient, key: str = "") -> AsyncGenerator[Conversation]:
    """Connect and open a session of its own."""
    async with client:
        opened = Conversation(client, key or f"agent:main:e2e:{uuid4().hex[:8]}")
        listening = asyncio.create_task(opened.listen())
        await asyncio.sleep(0)  # the listener registers with its first step
        try:
            yield opened
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
