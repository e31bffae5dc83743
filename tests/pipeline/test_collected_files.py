from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.pipeline.harness import FakeToolbox, direct, world

from homarus.channels.contract import Attachment
from homarus.models.contract import ModelRequest, Text, UserMessage
from homarus.storage.records import InboundMessage
from homarus.testing.scripted_model import ScriptedModel, call, say

FILE = Attachment("application/pdf", "tides.pdf", ref="r1", size=5)
PICTURE = Attachment("image/png", "boat.png", data=b"png")


@dataclass
class Collector:
    """Says where it put the files, and what it was asked for."""

    asked: list[object] = field(default_factory=list[object])

    async def collect(self, message: InboundMessage) -> list[str]:
        files = message.payload.get("files", [])
        self.asked.append(files)
        return ["[saved]"] if files else []


def texts(request: ModelRequest) -> list[str]:
    users = [row for row in request.messages if isinstance(row, UserMessage)]
    return ["".join(part.text for part in row.content if isinstance(part, Text)) for row in users]


async def test_a_message_tells_the_model_where_its_files_are(tmp_path: Path) -> None:
    collector, model = Collector(), ScriptedModel([say("ok")])
    async with world(tmp_path, model, collector=collector) as here:
        await here.pipeline.accept(replace(direct("read this"), attachments=(FILE, PICTURE)))
        await here.until_settled()
    assert collector.asked == [[{"mime": "application/pdf", "name": "tides.pdf", "ref": "r1", "size": 5}]]
    assert texts(model.requests[0]) == ["[stamp] read this\n[saved]"]


async def test_a_message_without_files_asks_nobody(tmp_path: Path) -> None:
    collector = Collector()
    async with world(tmp_path, ScriptedModel([say("ok")]), collector=collector) as here:
        await here.pipeline.accept(replace(direct("look"), attachments=(PICTURE,)))
        await here.until_settled()
    assert collector.asked == []


@pytest.mark.parametrize("mode", ["steer", "collect"])
async def test_files_of_messages_that_came_meanwhile_are_fetched_too(tmp_path: Path, mode: str) -> None:
    collector, toolbox, gate = Collector(), FakeToolbox(), asyncio.Event()
    model = ScriptedModel([call(("c1", "read", "{}")), say("ok")], gate=gate)
    config: dict[str, object] = {"messages": {"queue": {"debounceMs": 0, "mode": mode}}}
    async with world(tmp_path, model, toolbox=toolbox, config=config, collector=collector) as here:
        await here.pipeline.accept(direct("one", 1))
        await here.until(lambda _rows: len(model.requests) == 1)
        await here.pipeline.accept(replace(direct("two", 2), attachments=(FILE,)))
        gate.set()
        await here.until_settled()
    assert len(collector.asked) == 1
    assert texts(model.requests[-1])[-1].endswith("two\n[saved]")
