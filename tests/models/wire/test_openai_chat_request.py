from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from pydantic import TypeAdapter, ValidationError

from homarus.models.contract import (
    AssistantMessage,
    Image,
    Message,
    ModelRequest,
    Text,
    ToolCall,
    ToolResultMessage,
    ToolSpec,
    UserMessage,
)
from homarus.models.settings import Compat
from homarus.models.wire.json_value import compact
from homarus.models.wire.openai_chat import render_request

ADAPTER: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsStreaming)


def check(body: Any) -> None:
    """Validate with the official types, which look at the items of an Iterable only when it is read."""
    exhaust(ADAPTER.validate_python(body))


def exhaust(value: Any) -> None:
    if isinstance(value, dict):
        value = cast("dict[str, Any]", value).values()
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for item in cast("Iterable[Any]", value):
            exhaust(item)


PIXEL = Image("image/png", b"\x89PNG")
TOOL = ToolSpec("read", "Read a file", {"type": "object", "properties": {"path": {"type": "string"}}})
TURN: tuple[Message, ...] = (
    UserMessage((Text("look"), PIXEL)),
    AssistantMessage("", (ToolCall("call_a", "read", '{"path":"a"}'), ToolCall("call_b", "read", "{broken")), "hm"),
    ToolResultMessage("call_a", "read", "text", images=(PIXEL,)),
    ToolResultMessage("call_b", "read", "bad arguments", is_error=True),
    AssistantMessage("done"),
    UserMessage((Text("thanks"),)),
)


def request(messages: tuple[Message, ...] = TURN, **fields: Any) -> ModelRequest:
    return ModelRequest("m", "be brief", messages, (TOOL,), **fields)


def rows(body: dict[str, object]) -> list[dict[str, Any]]:
    return body["messages"]  # pyright: ignore[reportReturnType]


CONTENT = st.one_of(st.text().map(Text), st.just(PIXEL))
CALLS = st.builds(ToolCall, st.text(min_size=1), st.just("read"), st.text())
MESSAGES = st.lists(
    st.one_of(
        st.builds(UserMessage, st.lists(CONTENT, max_size=3).map(tuple)),
        st.builds(AssistantMessage, st.text(), st.lists(CALLS, max_size=2).map(tuple), st.text()),
        st.builds(ToolResultMessage, st.text(), st.just("read"), st.text(), st.booleans(), st.just((PIXEL,))),
    ),
    max_size=6,
).map(tuple)


@given(MESSAGES, st.booleans())
def test_every_request_is_accepted_by_the_official_types(messages: tuple[Message, ...], has_vision: bool) -> None:
    rendered = render_request(request(messages, max_output_tokens=5), model="m", compat=Compat(), has_vision=has_vision)
    check(json.loads(compact(rendered)))


def test_a_turn_with_parallel_calls_and_images_is_rendered_in_order() -> None:
    body = render_request(request(), model="m", compat=Compat())
    check(body)
    assert [row["role"] for row in rows(body)] == [
        "system", "user", "assistant", "tool", "tool", "user", "assistant", "user",
    ]  # fmt: skip
    assert rows(body)[1]["content"][1]["image_url"]["url"] == "data:image/png;base64,iVBORw=="
    assert rows(body)[2]["content"] is None
    assert rows(body)[2]["tool_calls"][1]["function"]["arguments"] == '{"invalid_arguments":"{broken"}'
    assert rows(body)[4]["content"] == "Error: bad arguments"
    assert rows(body)[5]["content"][0]["text"] == "Image from read:"
    assert body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    "row",
    [
        {"role": "tool", "content": "x"},
        {"role": "other", "content": "x"},
        {"role": "user", "content": [{"type": "image_url", "image_url": "x"}]},
    ],
)
def test_the_official_types_refuse_a_malformed_message(row: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        check({"model": "m", "messages": [row], "stream": True})


def test_the_same_request_gives_the_same_bytes() -> None:
    first, second = (compact(render_request(request(), model="m", compat=Compat())) for _ in range(2))
    assert first == second


def test_without_vision_images_are_described() -> None:
    body = render_request(request(), model="m", compat=Compat(), has_vision=False)
    assert "image_url" not in compact(body)
    assert "cannot see images" in compact(body)


@pytest.mark.parametrize(
    ("compat", "fields", "expected"),
    [
        (Compat(), {"max_output_tokens": 9}, {"max_tokens": 9}),
        (Compat(max_tokens_field="max_completion_tokens"), {"max_output_tokens": 9}, {"max_completion_tokens": 9}),
        (Compat(supports_store=True), {}, {"store": False}),
        (Compat(supports_reasoning_effort=True), {"thinking": "high"}, {"reasoning_effort": "high"}),
        (Compat(), {"thinking": "high"}, {"reasoning_effort": None}),
        (Compat(supports_reasoning_effort=True), {"thinking": "off"}, {"reasoning_effort": None}),
        (Compat(thinking_format="openrouter"), {"thinking": "low"}, {"reasoning": {"effort": "low"}}),
        (Compat(thinking_format="openrouter"), {"thinking": "off"}, {"reasoning": {"enabled": False}}),
        (Compat(thinking_format="zai"), {"thinking": "off"}, {"thinking": {"type": "disabled"}}),
        (Compat(thinking_format="qwen"), {"thinking": "low"}, {"enable_thinking": True}),
        (
            Compat(thinking_format="qwen-chat-template"),
            {"thinking": "off"},
            {"chat_template_kwargs": {"enable_thinking": False}},
        ),
        (Compat(supports_usage_in_streaming=False), {}, {"stream_options": None}),
        (Compat(supports_tools=False), {}, {"tools": None}),
    ],
)
def test_compat_switches_change_the_body(compat: Compat, fields: dict[str, Any], expected: dict[str, Any]) -> None:
    body = render_request(request(**fields), model="m", compat=compat)
    assert {name: body.get(name) for name in expected} == expected


def test_compat_switches_change_the_messages() -> None:
    compat = Compat(
        supports_developer_role=True,
        requires_tool_result_name=True,
        requires_mistral_tool_ids=True,
        requires_thinking_as_text=True,
        requires_assistant_after_tool_result=True,
    )
    body = rows(render_request(request(), model="m", compat=compat))
    assert body[0]["role"] == "developer"
    assert body[2]["content"] == "hm"
    ids = [call["id"] for call in body[2]["tool_calls"]]
    assert all(len(call_id) == 9 and call_id.isalnum() for call_id in ids)
    assert [body[3]["tool_call_id"], body[4]["tool_call_id"]] == ids
    assert body[3]["name"] == "read"
    assert [row["role"] for row in body[5:7]] == ["assistant", "user"]


def test_schema_keywords_are_left_out_but_not_properties_of_that_name() -> None:
    schema = {"type": "object", "default": {}, "properties": {"default": {"type": "string", "default": "x"}}}
    body = render_request(
        ModelRequest("m", "", (), (ToolSpec("t", "", schema),)),
        model="m",
        compat=Compat(unsupported_tool_schema_keywords=("default",)),
    )
    assert '"parameters":{"type":"object","properties":{"default":{"type":"string"}}}' in compact(body)
