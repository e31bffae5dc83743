from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.pipeline.harness import FakeNetwork, FakeToolbox, World, chat, direct, world

from homarus.channels.contract import Ambiguous
from homarus.errors import Permanent, Transient
from homarus.models.contract import Completed, Failed, ModelRequest, ToolCall
from homarus.pipeline.attachments import MAX_FILES
from homarus.pipeline.outbox import NOTICE
from homarus.storage.entries import select_entries
from homarus.storage.media import MediaStore
from homarus.testing.manual_clock import ManualClock
from homarus.testing.scripted_model import ScriptedModel, call, say
from homarus.tools.contract import ToolOutput


class Sender(FakeToolbox):
    """A toolbox whose `send_file` keeps what its arguments name."""

    def __init__(self, root: Path, *, caption: str = "") -> None:
        super().__init__(idempotent=frozenset({"send_file"}))
        store = MediaStore(root / "media", ManualClock())

        def keep(asked: ToolCall) -> ToolOutput:
            file = store.keep(asked.arguments, "image/png", asked.arguments.encode())
            return ToolOutput("kept", details={"file": file.as_json(), "caption": caption})

        self.functions["send_file"] = keep


def model(*names: str, text: str = "here it is") -> ScriptedModel:
    calls = [(f"c{number}", "send_file", name) for number, name in enumerate(names)]
    return ScriptedModel([call(*calls), say(text)])


def sent(here: World) -> list[tuple[str, bytes | None]]:
    files = iter(here.network.files)
    return [(part.text, next(files).data if part.index and here.network.files else None) for part in here.network.sent]


async def test_files_follow_the_text_of_the_reply_in_order(tmp_path: Path) -> None:
    async with world(tmp_path, model("a", "b"), toolbox=Sender(tmp_path, caption="look")) as here:
        await here.pipeline.accept(direct("draw"))
        [message] = await here.until_settled()
        assert message.state == "delivered"
        assert sent(here) == [("here it is", None), ("look", b"a"), ("look", b"b")]
        assert [file.name for file in here.network.files] == ["a", "b"]


async def test_a_file_alone_is_an_answer(tmp_path: Path) -> None:
    async with world(tmp_path, model("a", text="NO_REPLY"), toolbox=Sender(tmp_path)) as here:
        await here.pipeline.accept(direct("draw"))
        [message] = await here.until_settled()
        assert (message.state, sent(here)) == ("delivered", [("", b"a")])


async def test_a_long_caption_stands_before_its_file(tmp_path: Path) -> None:
    long = "word " * 70
    async with world(tmp_path, model("a"), toolbox=Sender(tmp_path, caption=long)) as here:
        await here.pipeline.accept(direct("draw"))
        await here.until_settled()
        texts = [part.text for part in here.network.sent]
        assert (texts[0], texts[-1]) == ("here it is", "")
        assert " ".join(texts[1:-1]).split() == long.split()
        assert [file.data for file in here.network.files] == [b"a"]


async def test_more_files_than_go_with_an_answer_are_left_out_with_a_word(tmp_path: Path) -> None:
    names = [str(number) for number in range(MAX_FILES + 2)]
    async with world(tmp_path, model(*names), toolbox=Sender(tmp_path)) as here:
        await here.pipeline.accept(direct("draw"))
        await here.until_settled()
        assert [file.name for file in here.network.files] == names[:MAX_FILES]
        assert "at most 10" in here.network.sent[-1].text


async def test_a_channel_without_files_says_what_it_left_out(tmp_path: Path) -> None:
    async with world(tmp_path, model("a"), toolbox=Sender(tmp_path), has_media=False) as here:
        await here.pipeline.accept(direct("draw"))
        await here.until_settled()
        assert here.network.sent[1].text == "[file: a, 1 bytes; this channel carries no files]"


async def test_a_refused_file_fails_its_message_and_the_chat_is_told(tmp_path: Path) -> None:
    network = FakeNetwork(refusals={1: Permanent("the picture is broken")})
    async with world(tmp_path, model("a"), toolbox=Sender(tmp_path), network=network) as here:
        await here.pipeline.accept(direct("draw"))
        [message] = await here.until_settled()
        assert (message.state, message.reason) == ("failed", "not delivered: the picture is broken")
        await here.until(lambda _rows: len(network.sent) == 2)
        assert network.sent[1].text == "(The file a could not be sent: the picture is broken)"


@pytest.mark.parametrize(("failure", "marked"), [(Transient("busy"), False), (Ambiguous(), True)])
async def test_a_file_is_tried_again_as_texts_are(tmp_path: Path, failure: Exception, *, marked: bool) -> None:
    network = FakeNetwork(refusals={1: failure})
    clock = ManualClock()
    async with world(tmp_path, model("a"), toolbox=Sender(tmp_path), network=network, clock=clock) as here:
        await here.pipeline.accept(direct("draw"))
        while not network.files:
            clock.advance(5)
            await here.messages()
        await here.until_settled()
        assert [file.data for file in network.files] == [b"a"]
        assert network.sent[1].text == (NOTICE if marked else "")


def _hang(_request: ModelRequest) -> Completed | Failed:
    raise asyncio.CancelledError


async def test_a_file_marked_before_a_stop_goes_out_after_the_restart(tmp_path: Path) -> None:
    toolbox = Sender(tmp_path)
    async with world(tmp_path, ScriptedModel([call(("c0", "send_file", "a")), _hang]), toolbox=toolbox) as here:
        await here.pipeline.accept(direct("draw"))
        await here.until(lambda _rows: len(toolbox.runs) == 1 and "ToolFinished" in here.event_names())
    async with world(tmp_path, ScriptedModel([say("after all")]), toolbox=toolbox) as here:
        await here.until_settled()
        assert sent(here) == [("after all", None), ("", b"a")]
        assert len(toolbox.runs) == 1


async def test_the_transcript_names_the_files_of_a_reply(tmp_path: Path) -> None:
    async with world(tmp_path, model("a"), toolbox=Sender(tmp_path)) as here:
        await here.pipeline.submit(chat("draw"))
        outcome = await here.pipeline.wait("r1", 45)
        assert outcome is not None
        last = (await here.parts.database.read(select_entries, outcome.session_id, None))[-1]
        [file] = last.payload["files"]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
        assert (file["name"], here.media.read(file["id"])) == ("a", b"a")  # pyright: ignore[reportUnknownArgumentType]
        assert here.network.sent == []
