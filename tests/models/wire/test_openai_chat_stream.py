# ruff: noqa: E501 - one wire chunk a line is easier to read
from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homarus.models.contract import (
    AssistantMessage,
    Completed,
    Failed,
    FailureKind,
    ModelEvent,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    Usage,
)
from homarus.models.wire.openai_chat import ChatStream


def read(*pieces: bytes) -> list[ModelEvent]:
    numbers = itertools.count(1)
    stream = ChatStream("mock", lambda: f"made_{next(numbers)}")
    events: list[ModelEvent] = []
    for piece in pieces:
        events += stream.feed(piece)
    if not stream.is_over:
        events += stream.close()
    return events


def sse(*chunks: object, done: bool = True) -> bytes:
    rows = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join([*rows, "data: [DONE]\n\n" if done else ""]).encode()


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


def call(name: str | None = None, arguments: Any = None, **fields: Any) -> dict[str, Any]:
    return {**fields, "function": {"name": name, "arguments": arguments}}


def completed(*pieces: bytes) -> Completed:
    last = read(*pieces)[-1]
    assert isinstance(last, Completed), last
    return last


def failed(*pieces: bytes) -> Failed:
    last = read(*pieces)[-1]
    assert isinstance(last, Failed), last
    return last


def test_a_stream_becomes_deltas_and_one_completed_message() -> None:
    body = sse(
        delta(role="assistant", content=""),
        delta(reasoning_content="hm"),
        delta(content="Hel"),
        delta(content="lo"),
        delta("stop"),
        {
            "choices": [],
            "usage": {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 3}},
        },
    )
    assert read(body) == [
        ThinkingDelta("hm"),
        TextDelta("Hel"),
        TextDelta("lo"),
        Completed(AssistantMessage("Hello", (), "hm"), "stop", Usage(5, 2, 3)),
    ]


CALLS = [
    ("by index", [call("a", "{", index=0, id="1"), call(None, "}", index=0), call("b", "{}", index=1, id="2")],
     [("1", "a", "{}"), ("2", "b", "{}")]),
    ("without index", [call("a", "{", id="1"), call(None, "}"), call("b", "{}", id="2")],
     [("1", "a", "{}"), ("2", "b", "{}")]),
    ("without id", [call("a", "{}", index=0), call("b", "{}", index=1)], [("made_1", "a", "{}"), ("made_2", "b", "{}")]),
    ("without index or id", [call("a", "{}"), call("b", "{}")], [("made_1", "a", "{}"), ("made_2", "b", "{}")]),
    ("all with index 0", [call("a", "{}", index=0, id="1"), call("b", "{}", index=0, id="2")],
     [("1", "a", "{}"), ("2", "b", "{}")]),
    ("with the same id twice", [call("a", "{}", index=0, id="1"), call("b", "{}", index=1, id="1")],
     [("1", "a", "{}"), ("made_1", "b", "{}")]),
    ("with an object as arguments", [call("a", {"x": 1}, index=0, id="1")], [("1", "a", '{"x":1}')]),
    ("without arguments", [call("a", None, index=0, id="1")], [("1", "a", "{}")]),
    ("with the name repeated", [call("a", "{", index=0, id="1"), call("a", "}", index=0, id="1")], [("1", "a", "{}")]),
    ("with junk between", [{"index": 0, "id": "1", "function": None}, call("a", "{}", index=0), call(None, 7, index=0)],
     [("1", "a", "{}")]),
]  # fmt: skip


@pytest.mark.parametrize(("deltas", "expected"), [row[1:] for row in CALLS], ids=[row[0] for row in CALLS])
def test_tool_calls_are_put_together_however_they_come(
    deltas: list[dict[str, Any]], expected: list[tuple[str, str, str]]
) -> None:
    done = completed(sse(*(delta(tool_calls=[item]) for item in deltas), delta("stop")))
    assert done.message.tool_calls == tuple(ToolCall(*row) for row in expected)
    assert done.stop_reason == "tool_calls"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("stop", "stop"), ("length", "length"), ("content_filter", "content_filter"), ("eos", "stop")],
)
def test_finish_reasons_are_translated(reason: str, expected: str) -> None:
    assert completed(sse(delta(reason, content="x"))).stop_reason == expected


def test_a_refusal_is_text_with_its_reason() -> None:
    done = completed(sse(delta(refusal="I cannot."), delta("stop")))
    assert (done.message.text, done.stop_reason) == ("I cannot.", "content_filter")


def test_the_legacy_function_call_is_understood() -> None:
    done = completed(sse(delta(function_call={"name": "a", "arguments": "{}"}), delta("function_call")))
    assert done.message.tool_calls == (ToolCall("made_1", "a", "{}"),)


def test_whole_json_answers_a_stream_request() -> None:
    message = {"content": "hi", "tool_calls": [call("a", "{}", id="1"), call("b", "{}", id="2")]}
    done = completed(json.dumps({"choices": [{"message": message, "finish_reason": "tool_calls"}]}).encode())
    assert done.message.text == "hi"
    assert [item.name for item in done.message.tool_calls] == ["a", "b"]


def test_the_end_mark_may_be_missing_and_the_last_line_end_too() -> None:
    assert completed(sse(delta("stop", content="x"), done=False).rstrip()).message.text == "x"


FAILURES = [
    ("cut", sse(delta(content="par"), done=False), FailureKind.CONNECTION, "par"),
    ("empty", b"", FailureKind.GARBAGE, ""),
    ("only end", b"data: [DONE]\n\n", FailureKind.GARBAGE, ""),
    ("page", b" \r\n<!doctype html><p>hi", FailureKind.GARBAGE, ""),
    ("broken json", b'{"choices": [', FailureKind.GARBAGE, ""),
    ("other json", b"{}", FailureKind.GARBAGE, ""),
    ("junk event", sse(delta(content="par"), done=False) + b"data: nonsense\n\n", FailureKind.GARBAGE, "par"),
    ("binary", bytes(range(256)), FailureKind.GARBAGE, ""),
    ("nested", b"data: " + b"[" * 100_000 + b"\n\n", FailureKind.GARBAGE, ""),
    ("nameless call", sse(delta(tool_calls=[call(None, "{}")]), delta("stop")), FailureKind.GARBAGE, ""),
    ("many calls", sse(delta(tool_calls=[call("a", "{}", index=i) for i in range(200)])), FailureKind.GARBAGE, ""),
    ("error finish", sse(delta(content="par"), delta("error")), FailureKind.OVERLOADED, "par"),
    ("error row", sse(delta(content="par"), {"error": {"message": "slow down", "code": 429}}), FailureKind.RATE_LIMIT, "par"),
    ("error text", sse({"error": "context window exceeded"}), FailureKind.CONTEXT_OVERFLOW, ""),
    ("error choice", sse({"choices": [{"error": {"message": "x", "code": 502}}]}), FailureKind.OVERLOADED, ""),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "partial"), [row[1:] for row in FAILURES], ids=[row[0] for row in FAILURES])
def test_a_broken_answer_is_one_failure_with_what_had_arrived(body: bytes, kind: FailureKind, partial: str) -> None:
    events = read(body)
    assert [isinstance(event, Failed | Completed) for event in events].count(True) == 1
    last = failed(body)
    assert (last.kind, last.partial) == (kind, partial)
    assert last.message.startswith("mock ")


def test_an_endless_body_is_refused_at_the_bound() -> None:
    stream = ChatStream("mock", str)
    piece = b": " + b"x" * 1_000_000 + b"\n"
    events = [event for _ in range(20) for event in stream.feed(piece)]
    assert [event.kind for event in events if isinstance(event, Failed)] == [FailureKind.GARBAGE]


STREAMS = [
    sse(delta(content="é€😀"), delta(tool_calls=[call("a", '{"x":"ü"}', index=0)]), delta("tool_calls")).replace(b"\n", b"\r\n"),
    b"\xef\xbb\xbf\n: hello\n" + sse(delta(reasoning="hm"), delta("stop", content="x")),
    json.dumps({"choices": [{"message": {"content": "é"}, "finish_reason": "stop"}]}, ensure_ascii=False).encode(),
    b"<html>",
]  # fmt: skip


@given(st.sampled_from(STREAMS), st.lists(st.integers(0, 600), max_size=40))
def test_any_split_of_the_bytes_gives_the_same_events(body: bytes, at: list[int]) -> None:
    points = sorted({0, len(body), *(point % (len(body) + 1) for point in at)})
    assert read(*(body[start:end] for start, end in itertools.pairwise(points))) == read(body)


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_end_in_exactly_one_result(body: bytes, is_event: bool) -> None:
    events = read(b"data: " + body if is_event else body)
    assert sum(isinstance(event, Failed | Completed) for event in events) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["choices", "delta", "message", "content", "tool_calls", "function", "index", "id", "usage",
                         "error", "finish_reason", "name", "arguments", "prompt_tokens", "code", "detail"]), inner, max_size=4),
)  # fmt: skip


@given(st.lists(JSON, max_size=4))
def test_any_json_ends_in_exactly_one_result(chunks: list[Any]) -> None:
    events = read(sse(*chunks))
    assert sum(isinstance(event, Failed | Completed) for event in events) == 1
