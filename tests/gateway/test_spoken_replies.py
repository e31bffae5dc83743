"""Which replies are spoken, and that nothing waits for that or fails with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from homarus.agent.events import AgentEvent, TurnFailed, TurnFinished
from homarus.errors import UserError
from homarus.gateway.spoken_replies import LONGEST, MAX_WAITING, SpokenReplies
from homarus.ids import Address, AgentId, RunId
from homarus.models.contract import Usage
from homarus.nodes.voice.contract import Speech
from homarus.pipeline.accounts import Accounts
from homarus.pipeline.attachments import Attached
from homarus.pipeline.contract import Requester, RunEvent, RunInfo
from homarus.storage.records import StoredFile

CHAT = Address("telegram", "default", "5")


class Stage:
    """A speaker, a shelf and a sender in one, which remember what they were asked."""

    def __init__(self) -> None:
        self.accounts = Accounts()
        self.mode = "always"
        self.said: list[str] = []
        self.sent: list[tuple[str, Address, str]] = []
        self.arrived = asyncio.Event()
        self.spoken = SpokenReplies(cast("Any", self), cast("Any", self), cast("Any", self))
        self.runs = 0

    async def auto(self) -> str:
        return self.mode

    async def say(self, text: str, channel: str | None) -> Speech:
        if "crash" in text:
            raise UserError("nobody can speak")
        self.said.append(text)
        return Speech(b"sound", str(channel), "mp3")

    def most_bytes(self, address: Address) -> int:
        if address.channel == "irc":
            raise UserError("irc carries no files")
        return 1000

    async def keep(self, name: str, mime: str, content: bytes) -> StoredFile:
        return StoredFile("f1", name, mime, len(content))

    async def send(
        self, key: str, address: Address, _text: str, _mirror: None, *, within: float, files: Sequence[Attached]
    ) -> None:
        assert within == 0
        self.sent.append((key, address, files[0].file.name))
        self.arrived.set()

    def hear(self, event: AgentEvent | str, address: Address | None = CHAT) -> None:
        self.runs += 1
        info = RunInfo(RunId(f"r{self.runs}"), AgentId("main"), "agent:main:x", "s", "chat", Requester(), address)
        told = TurnFinished(event, "stop", Usage(), 1) if isinstance(event, str) else event
        self.spoken.listen(RunEvent(info, 1, 1, told))

    async def until_last(self) -> None:
        """Have everything so far spoken; the last reply is one that always is."""
        self.hear("this is the last reply")
        task = asyncio.create_task(self.spoken.run())
        async with asyncio.timeout(20):
            while not self.said or self.said[-1] != "this is the last reply" or not self.arrived.is_set():
                self.arrived.clear()
                await self.arrived.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_a_reply_is_spoken_without_its_markdown_and_cut(stage: Stage) -> None:
    stage.hear("# Tides\n\nIt is **high** at `noon`.")
    stage.hear("word " * 1000)
    await stage.until_last()
    assert stage.said[0] == "Tides It is high at noon."
    assert (len(stage.said[1]), stage.said[1][-3:]) == (LONGEST, "...")
    assert stage.sent[0] == ("speech:r1", CHAT, "reply.mp3")


async def test_what_is_not_for_ears_is_not_spoken(stage: Stage) -> None:
    stage.hear("short")
    stage.hear("NO_REPLY")
    stage.hear(TurnFailed("it failed for a long reason", 1))
    stage.hear("a reply that nobody hears in a chat", None)
    stage.hear("a reply in a chat without files", Address("irc", "default", "#room"))
    stage.hear("a reply that only the page shows", Address("webchat", "default", "x"))
    await stage.until_last()
    assert stage.said == ["this is the last reply"]


async def test_a_speaker_that_fails_keeps_the_others_from_nothing(stage: Stage) -> None:
    stage.hear("this will crash the speaker")
    await stage.until_last()
    assert [name for name, _address, _file in stage.sent] == ["speech:r2"]


@pytest.mark.parametrize("mode", ["off", "inbound", "tagged"])
async def test_only_always_speaks(stage: Stage, mode: str) -> None:
    stage.mode = mode
    stage.hear("a reply of some length")
    task = asyncio.create_task(stage.spoken.run())
    await asyncio.sleep(0)
    stage.hear("another reply of some length")
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert stage.said == []


async def test_no_more_than_some_wait(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(MAX_WAITING + 1):
        stage.hear("a reply of some length")
    assert "is not spoken" in caplog.text
