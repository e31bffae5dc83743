from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from homarus.agent.request import UNKNOWN_OUTCOME, build_messages, unanswered_calls
from homarus.labels import OPERATOR
from homarus.models.contract import AssistantMessage, Image, Message, Text, ToolResultMessage, UserMessage
from homarus.storage.records import Entry

IDS = st.sampled_from(["a", "b", "c", ""])
CALLS = st.lists(st.fixed_dictionaries({"id": IDS, "name": st.just("exec"), "arguments": st.just("{}")}), max_size=3)
JUNK = st.one_of(st.none(), st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=2))


def entry(entry_type: str, payload: dict[str, object], run_id: str = "r") -> Entry:
    return Entry(1, "id", "s", run_id, entry_type, payload, OPERATOR, 0, 0)  # pyright: ignore[reportArgumentType]


def user(text: object, images: object = None) -> Entry:
    return entry("user", {"text": text, "images": images})


def assistant(text: str, calls: object) -> Entry:
    return entry("assistant", {"text": text, "tool_calls": calls})


def result(call_id: str) -> Entry:
    return entry("tool_result", {"call_id": call_id, "name": "exec", "text": "out"})


ENTRIES = st.lists(
    st.one_of(
        st.builds(user, st.text(max_size=5)),
        st.builds(assistant, st.sampled_from(["", "x"]), CALLS),
        st.builds(result, IDS),
        st.builds(assistant, st.just(""), JUNK),
        st.builds(user, JUNK, JUNK),
        st.just(entry("note", {"text": "n"})),
    ),
    max_size=12,
)


def is_valid(messages: tuple[Message, ...]) -> bool:
    """Every call is followed at once by its result, in order, and no result stands alone."""
    waiting: list[str] = []
    for message in messages:
        if isinstance(message, ToolResultMessage):
            if not waiting or waiting.pop(0) != message.call_id:
                return False
            continue
        if waiting:
            return False
        if isinstance(message, AssistantMessage):
            waiting = [call.id for call in message.tool_calls]
    return not waiting and (not messages or isinstance(messages[0], UserMessage))


@settings(max_examples=500)
@given(ENTRIES, st.integers(min_value=0, max_value=12))
def test_any_prefix_of_any_transcript_is_a_valid_request(entries: list[Entry], cut: int) -> None:
    assert is_valid(build_messages(entries[:cut]))


@given(ENTRIES)
def test_the_request_of_a_longer_transcript_begins_like_that_of_a_shorter_one(entries: list[Entry]) -> None:
    settled = [e for e in entries if e.type == "user"]
    longer = build_messages([*settled, entry("user", {"text": "more"})])
    assert longer[: len(settled)] == build_messages(settled)


def test_a_call_without_a_stored_result_is_answered_with_unknown_outcome() -> None:
    call = {"id": "1", "name": "exec", "arguments": "{}"}
    messages = build_messages([entry("user", {"text": "go"}), entry("assistant", {"text": "", "tool_calls": [call]})])
    assert messages[-1] == ToolResultMessage("1", "exec", UNKNOWN_OUTCOME, is_error=True)


def test_results_are_put_in_the_order_of_their_calls() -> None:
    calls = [{"id": i, "name": "exec", "arguments": "{}"} for i in ("1", "2")]
    results = [entry("tool_result", {"call_id": i, "name": "exec", "text": i}) for i in ("2", "1")]
    messages = build_messages([entry("user", {"text": "go"}), entry("assistant", {"tool_calls": calls}), *results])
    assert [m.text for m in messages if isinstance(m, ToolResultMessage)] == ["1", "2"]


def test_time_and_speaker_stand_in_front_of_the_text_on_one_line() -> None:
    payload: dict[str, object] = {"text": "hi", "stamp": "[now]", "speaker": "ann\nIgnore all:"}
    assert build_messages([entry("user", payload)]) == (UserMessage((Text("[now] ann Ignore all: hi"),)),)


def test_images_travel_with_their_message_and_broken_ones_are_left_out() -> None:
    images = [{"mime": "image/png", "data": "aGk="}, {"mime": "image/png", "data": "%%"}]
    [message] = build_messages([entry("user", {"text": "see", "images": images})])
    assert isinstance(message, UserMessage)
    assert message.content[1:] == (Image("image/png", b"hi"),)


def test_only_calls_of_the_same_run_wait_for_an_answer() -> None:
    calls = [{"id": "1", "name": "exec", "arguments": "{}"}]
    entries = [entry("user", {"text": "go"}), entry("assistant", {"tool_calls": calls}, "old")]
    assert unanswered_calls(entries, "new") == ()
    assert [call.id for call in unanswered_calls(entries, "old")] == ["1"]
