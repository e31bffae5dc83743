from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.storage.test_retention import message

from homarus.clock import SystemClock
from homarus.models.basic.envelope import open_envelope, split_queue
from homarus.models.basic.model import BasicModel
from homarus.models.contract import (
    AssistantMessage,
    Completed,
    Message,
    ModelEvent,
    ModelRequest,
    Text,
    TextDelta,
    ToolCall,
    ToolResultMessage,
    ToolSpec,
    UserMessage,
)
from homarus.pipeline.batch_text import text_of

ENVELOPE = (
    'Sender (untrusted metadata):\n```json\n{"label": "cli", "id": "cli"}\n```\n\n[Sat 2026-11-21 00:12 UTC] {text}'
)
TOOLS = (ToolSpec("list", "", {}), ToolSpec("write", "", {}), ToolSpec("session_status", "", {}))


def user(text: str) -> UserMessage:
    return UserMessage((Text(text),))


async def events_of(*messages: Message) -> list[ModelEvent]:
    return [event async for event in BasicModel(SystemClock()).stream(ModelRequest("basic", "", messages, TOOLS))]


async def answer(*messages: Message) -> AssistantMessage:
    last = (await events_of(*messages))[-1]
    assert isinstance(last, Completed)
    return last.message


async def after(call: str, arguments: str, result: str, *, is_error: bool = False) -> str:
    asked = AssistantMessage("", (ToolCall("1", call, arguments),))
    back = ToolResultMessage("1", call, result, is_error)
    message = await answer(user("do it"), AssistantMessage("earlier"), user("do it"), asked, back)
    assert not message.tool_calls
    return message.text


@pytest.mark.parametrize(
    ("call", "arguments", "result", "expected"),
    [
        ("list", '{"path":"."}', "a.txt\nb/", "Files in the workspace:\n\n```text\na.txt\nb/\n```"),
        ("list", '{"path":"notes"}', "", "There are no files in `notes`."),
        ("read", '{"path":"a.md"}', "x ``` y", "`a.md`:\n\n````text\nx ``` y\n````"),
        ("write", '{"path":"a.md","content":"x"}', "ok", "Saved in `a.md`."),
        ("edit", '{"path":"a.md","old":"x","new":"y"}', "ok", "Changed `a.md`."),
        ("exec", '{"command":"ls"}', "a", "I ran `ls`:\n\n```text\na\n```"),
        ("exec", '{"command":"true"}', "", "I ran `true`. It printed nothing."),
        ("remember", '{"fact":"tea"}', "ok", "I will remember: tea"),
        ("recall", '{"query":"tea"}', "you like tea", "This is what I remember about tea:\n\n> you like tea"),
        ("recall", '{"query":"tea"}', "", "I remember nothing about tea. Say `remember that …` to change that."),
        ("session_status", "{}", "model: basic", "Status:\n\n```text\nmodel: basic\n```"),
        ("other", "not json", "hm", "`other` answered:\n\n```text\nhm\n```"),
    ],
)
async def test_a_result_becomes_readable_markdown(call: str, arguments: str, result: str, expected: str) -> None:
    assert await after(call, arguments, result) == expected


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("no such file: a.txt", "say `list the files`"),
        ("path is outside the workspace", "relative paths"),
        ("bubblewrap is missing", "homarus doctor"),
        ("odd", "Say `help`"),
    ],
)
async def test_an_error_is_shown_with_the_next_step(error: str, advice: str) -> None:
    text = await after("read", '{"path":"a.txt"}', error, is_error=True)
    assert "That did not work" in text
    assert error in text
    assert advice in text


async def test_several_results_are_told_in_one_answer_without_another_call() -> None:
    asked = AssistantMessage("", (ToolCall("1", "list", '{"path":"a"}'), ToolCall("2", "list", '{"path":"b"}')))
    results = (ToolResultMessage("1", "list", "x"), ToolResultMessage("2", "list", "y"))
    message = await answer(user("list a and b"), asked, *results)
    assert message.text.index("`a`") < message.text.index("`b`")
    assert not message.tool_calls


async def test_the_first_answer_says_what_it_is_and_later_ones_do_not_repeat_it() -> None:
    first = await answer(user("hello"))
    assert "without a language model" in first.text
    later = await answer(user("hello"), first, user("hello"))
    assert "language model" not in later.text


async def test_text_streams_in_pieces_that_add_up_to_the_answer() -> None:
    events = await events_of(user("help"))
    pieces = [event.text for event in events if isinstance(event, TextDelta)]
    last = events[-1]
    assert isinstance(last, Completed)
    assert len(pieces) > 10
    assert "".join(pieces) == last.message.text
    assert all(len(piece.split()) <= 4 for piece in pieces)


async def test_the_time_is_read_from_the_message() -> None:
    message = await answer(user(ENVELOPE.replace("{text}", "what time is it?")))
    assert "It is 00:12 UTC on Saturday, 21 November 2026." in message.text
    assert not message.tool_calls


async def test_a_note_is_filed_under_its_time() -> None:
    message = await answer(user(ENVELOPE.replace("{text}", "note: buy milk")))
    assert message.tool_calls[0].arguments == ('{"path":"notes/2026-11-21-0012-buy-milk.md","content":"buy milk\\n"}')


@pytest.mark.parametrize(
    ("text", "words", "zone"),
    [
        (ENVELOPE.replace("{text}", "hi"), "hi", "UTC"),
        ("[Sat 2026-11-21 00:12 Europe/Vienna] hi", "hi", "Europe/Vienna"),
        ("[Sat 2026-11-21 00:12] hi", "hi", ""),
        ("hi", "hi", ""),
        ("[Sat 2026-99-21 00:12 UTC] hi", "hi", ""),
        ("```\nls\n```", "```\nls\n```", ""),
        ("[note] hi", "[note] hi", ""),
        ('```json\n{"message_id": "1"}\n```\nhi', "hi", ""),
        ("```json\n{}\n```\n\n[Sat 2026-11-21 00:12 UTC] run:\n```\nls\n```", "run:\n```\nls\n```", "UTC"),
    ],
)
def test_the_words_are_taken_out_of_their_envelope(text: str, words: str, zone: str) -> None:
    said = open_envelope(text)
    assert (said.text, said.zone) == (words, zone)


async def test_local_models_that_run_are_named_in_help() -> None:
    model = BasicModel(SystemClock(), lambda: ("ollama/llama3.2",))
    events = [event async for event in model.stream(ModelRequest("basic", "", (user("help"),)))]
    assert isinstance(events[-1], Completed)
    assert "`ollama/llama3.2`" in events[-1].message.text


@pytest.mark.parametrize("speaker", ["ines", "Ines Maria"])
async def test_what_somebody_says_in_a_room_is_understood_behind_their_name(speaker: str) -> None:
    assert (await answer(user(f"[Sat 2026-11-21 00:12 UTC] {speaker}: what time is it"))).text.startswith("It is 00:12")


async def test_a_request_with_a_colon_is_not_taken_for_a_name() -> None:
    assert [call.name for call in (await answer(user("note: buy milk"))).tool_calls] == ["write"]


def queue(*messages: str) -> str:
    lines = [f"--- Queued #{number}\n{text}" for number, text in enumerate(messages, start=1)]
    return "\n".join(["[Messages that came in while you were busy]", *lines])


async def test_every_message_of_those_that_came_together_is_answered() -> None:
    stamp, earlier = "[Sat 2026-11-21 00:12 UTC]", (user("hi"), AssistantMessage("hi"))
    both = await answer(*earlier, user(f"{stamp} {queue('what time is it', 'list the files')}"))
    assert both.text == "It is 00:12 UTC on Saturday, 21 November 2026."
    assert [call.name for call in both.tool_calls] == ["list"]
    half = await answer(*earlier, user(f"{stamp} {queue('what time is it', 'sing a song')}"))
    assert half.text.startswith("It is 00:12 UTC")
    assert "I do not understand that" in half.text


async def test_a_message_that_waited_long_is_understood() -> None:
    late = "[received 9 h ago, while I was offline] [Sat 2026-11-21 00:12 UTC] what time is it"
    assert (await answer(user(late))).text.startswith("It is 00:12 UTC")


async def test_the_basic_model_knows_how_the_pipeline_puts_messages_together() -> None:
    batch = tuple(
        replace(message(name, 1, "queued"), text=name, kind="direct") for name in ("help me", "what day is it")
    )
    assert split_queue(text_of(batch)) == ["help me", "what day is it"]
    assert split_queue("only one") == ["only one"]
