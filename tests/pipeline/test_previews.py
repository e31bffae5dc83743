from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Connection, select
from tests.pipeline.harness import FakeNetwork, World, direct, group, world

from homarus.channels.contract import Ambiguous, OutboundPart, Receipt
from homarus.errors import Permanent, Transient
from homarus.ids import Address
from homarus.models.contract import AssistantMessage, Completed, ModelEvent, ModelInfo, ModelRequest, TextDelta, Usage
from homarus.pipeline.outbox import NOTICE
from homarus.storage.outbound import count_parts, insert_parts, select_parts
from homarus.storage.records import OutboundMessage
from homarus.storage.tables import outbound

FIRST = "A first sentence that is long enough. "
SECOND = "And the end of it."


class SlowModel:
    """Says one sentence, waits for the test, says the rest."""

    def __init__(self, first: str = FIRST, second: str = SECOND) -> None:
        self.info = ModelInfo("slow", "slow", "Slow", 100_000, 1_000)
        self.go = asyncio.Event()
        self._first, self._second = first, second

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        yield TextDelta(self._first)
        await self.go.wait()
        yield TextDelta(self._second)
        yield Completed(AssistantMessage(self._first + self._second), "stop", Usage(1, 1))


@dataclass
class EditingNetwork(FakeNetwork):
    """A network whose messages can be changed; `texts` is what people see, by platform id."""

    texts: dict[str, str] = field(default_factory=dict)
    is_frozen: bool = False

    async def send(self, part: OutboundPart) -> Receipt:
        receipt = await super().send(part)
        self.texts[receipt.platform_id or ""] = part.text
        return receipt

    async def edit(self, part: OutboundPart, platform_id: str) -> Receipt:
        if self.is_frozen:
            raise Permanent("message can't be edited")
        self.texts[platform_id] = part.text
        return Receipt(platform_id)

    async def delete(self, address: Address, platform_id: str) -> None:
        assert address == self.sent[0].address
        self.texts.pop(platform_id)

    async def shown(self, count: int = 1) -> None:
        while len(self.texts) < count:
            await asyncio.sleep(0.005)


async def test_a_growing_reply_ends_as_one_message(tmp_path: Path) -> None:
    network, model = EditingNetwork(), SlowModel()
    async with world(tmp_path, model, network=network, is_streaming=True) as here:
        await here.pipeline.accept(direct("tell me"))
        await network.shown()
        assert list(network.texts.values()) == [FIRST.strip()]
        model.go.set()
        [message] = await here.until_settled()
        assert message.state == "delivered"
        assert list(network.texts.values()) == [FIRST + SECOND]


async def test_a_stop_in_the_middle_of_a_reply_still_ends_as_one_message(tmp_path: Path) -> None:
    network = EditingNetwork()
    async with world(tmp_path, SlowModel(), network=network, is_streaming=True) as here:
        await here.pipeline.accept(direct("tell me"))
        await preview_stored(here)
    model = SlowModel()
    model.go.set()
    async with world(tmp_path, model, network=network, is_streaming=True) as here:
        await here.until_settled()
        assert list(network.texts.values()) == [FIRST + SECOND]


async def preview_stored(here: World) -> None:
    while not (await here.parts.database.read(count_parts)).get("preview"):
        await asyncio.sleep(0.005)
    run_id = (await here.messages())[0].run_id or ""
    while (await here.parts.database.read(select_parts, run_id))[0].platform_id is None:
        await asyncio.sleep(0.005)


async def test_a_preview_that_cannot_be_changed_is_followed_by_the_whole_reply(tmp_path: Path) -> None:
    network, model = EditingNetwork(is_frozen=True), SlowModel()
    async with world(tmp_path, model, network=network, is_streaming=True) as here:
        await here.pipeline.accept(direct("tell me"))
        await network.shown()
        model.go.set()
        await here.until_settled()
        assert list(network.texts.values()) == [FIRST.strip(), FIRST + SECOND]


async def test_a_reply_that_replaces_a_vanished_preview_is_a_message_of_its_own(tmp_path: Path) -> None:
    network, model = EditingNetwork(is_frozen=True), SlowModel()
    async with world(tmp_path, model, network=network, is_streaming=True) as here:
        await here.pipeline.accept(direct("tell me"))
        await network.shown()
        network.refusals[0] = Ambiguous("cut")
        model.go.set()
        await here.until_settled()
        preview, reply = network.sent
        assert reply.id != preview.id
        assert reply.text == NOTICE + FIRST + SECOND


@pytest.mark.parametrize(
    ("failure", "text"), [(Transient("busy"), FIRST + SECOND), (Ambiguous("cut"), NOTICE + FIRST + SECOND)]
)
async def test_a_preview_that_fails_leaves_the_reply_whole_and_says_when_it_may_be_a_repeat(
    tmp_path: Path, failure: Exception, text: str
) -> None:
    network, model = EditingNetwork(failures=[failure]), SlowModel()
    async with world(tmp_path, model, network=network, is_streaming=True) as here:
        await here.pipeline.accept(direct("tell me"))
        while network.failures:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        model.go.set()
        [message] = await here.until_settled()
        assert message.state == "delivered"
        assert list(network.texts.values()) == [text]


@pytest.mark.parametrize("is_streaming", [True, False])
async def test_silence_and_chats_without_streaming_show_nothing_early(tmp_path: Path, *, is_streaming: bool) -> None:
    network = EditingNetwork()
    model = SlowModel("NO_", "REPLY") if is_streaming else SlowModel()
    async with world(tmp_path, model, network=network, is_streaming=is_streaming) as here:
        await here.pipeline.accept(direct("tell me"))
        await here.until(lambda _rows: "TextStreamed" in here.event_names())
        assert network.texts == {}
        model.go.set()
        await here.until_settled()
        assert len(network.texts) == (0 if is_streaming else 1)


async def test_a_long_reply_keeps_its_first_part_and_sends_the_rest_after_it(tmp_path: Path) -> None:
    network, model = EditingNetwork(), SlowModel(FIRST, "\n\n".join("word " * 30 for _ in range(4)))
    async with world(tmp_path, model, network=network, is_streaming=True) as here:
        await here.pipeline.accept(direct("tell me"))
        await network.shown()
        model.go.set()
        await here.until_settled()
        assert len(network.texts) > 1
        assert next(iter(network.texts.values())).startswith(FIRST.strip())


async def test_a_reply_that_is_shown_while_it_grows_quotes_what_it_answers(tmp_path: Path) -> None:
    network, model = EditingNetwork(), SlowModel()
    async with world(tmp_path, model, network=network, is_streaming=True) as here:
        await here.pipeline.accept(group("hello", is_mentioned=True))
        await network.shown()
        model.go.set()
        await here.until_settled()
        assert [(part.text, part.reply_to) for part in network.sent] == [(FIRST.strip(), "g1")]
        assert network.texts["p1"] == FIRST + SECOND


async def test_a_growing_reply_does_not_overtake_what_still_waits_in_its_chat(tmp_path: Path) -> None:
    network, model = EditingNetwork(), SlowModel()
    network.failures.append(Transient("too many requests", retry_after=0.4))
    async with world(tmp_path, model, network=network, is_streaming=True) as here:
        await here.parts.database.write(insert_parts, [earlier(here)])
        here.delivery.wake()
        await here.pipeline.accept(direct("hello"))
        await network.shown(2)
        model.go.set()
        await here.until_settled()
        assert [part.text for part in network.sent] == ["earlier", FIRST.strip()]
        assert network.texts["p2"] == FIRST + SECOND


async def test_a_whole_reply_is_no_repetition_of_a_preview_that_may_have_arrived(tmp_path: Path) -> None:
    network, model = EditingNetwork(), SlowModel()
    network.refusals[0] = Ambiguous()
    async with world(tmp_path, model, network=network, is_streaming=True) as here:
        await here.pipeline.accept(direct("hello"))
        await here.until(lambda _rows: not network.refusals)
        [preview] = await here.parts.database.read(select_by_state, "preview")
        model.go.set()
        await here.until_settled()
        assert [part.text for part in network.sent] == [NOTICE + FIRST + SECOND]
        assert network.sent[0].id != preview


async def test_a_notice_that_is_refused_comes_with_the_next_part(tmp_path: Path) -> None:
    words = "word " * 30
    network, model = EditingNetwork(), SlowModel(FIRST, "\n\n".join(words for _ in range(3)))
    network.refusals[0] = Ambiguous()
    async with world(tmp_path, model, network=network, is_streaming=True) as here:
        await here.pipeline.accept(direct("hello"))
        await here.until(lambda _rows: not network.refusals)
        network.refusals[0] = Permanent("too long for this chat")
        model.go.set()
        [message] = await here.until_settled()
        assert message.state == "failed"
        assert [part.index for part in network.sent] == [1, 2, 3, 4]
        assert [part.text.startswith(NOTICE) for part in network.sent] == [True, False, False, False]


def earlier(here: World) -> OutboundMessage:
    now = here.parts.clock.now_ms()
    return OutboundMessage(
        id="earlier", dedupe_key="earlier", run_id=None, address=direct("x").address, part_index=0, part_count=1,
        text="earlier", state="pending", created_at=now, next_at=now,
    )  # fmt: skip


def select_by_state(connection: Connection, state: str) -> list[str]:
    return list(connection.execute(select(outbound.c.id).where(outbound.c.state == state)).scalars())


class WaveringModel(SlowModel):
    """Begins to speak and ends without words."""

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        yield TextDelta(FIRST)
        await self.go.wait()
        yield Completed(AssistantMessage("NO_REPLY"), "stop", Usage(1, 1))


async def test_what_was_shown_of_a_reply_that_ends_without_words_is_taken_back(tmp_path: Path) -> None:
    network, model = EditingNetwork(), WaveringModel()
    async with world(tmp_path, model, network=network, is_streaming=True) as here:
        await here.pipeline.accept(direct("hello"))
        await network.shown()
        model.go.set()
        [message] = await here.until_settled()
        assert (message.state, message.reason) == ("silent", "nothing to say")
        await here.until(lambda _rows: not network.texts)
        await here.delivery.rest()
        assert await here.parts.database.read(count_parts) == {"sent": 1}
