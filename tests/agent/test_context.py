from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from homarus.agent.context import OLD_RESULT_CHARS, fit
from homarus.models.contract import (
    AssistantMessage,
    Message,
    ModelInfo,
    Text,
    ToolCall,
    ToolResultMessage,
    UserMessage,
)

SMALL = ModelInfo("p", "m", "m", context_window=8_000, max_tokens=1_000)


def user(text: str) -> UserMessage:
    return UserMessage((Text(text),))


def test_a_conversation_that_fits_is_sent_as_it_is() -> None:
    messages: list[Message] = [user("hi"), AssistantMessage("hello"), user("how are you")]
    fitted = fit(messages, "system", (), SMALL)
    assert fitted.messages == tuple(messages)
    assert fitted.dropped_turns == 0


def test_old_tool_results_are_shortened_before_turns_are_dropped() -> None:
    call = AssistantMessage("", (ToolCall("1", "read", "{}"),))
    messages: list[Message] = [user("a"), call, ToolResultMessage("1", "read", "x" * 30_000), user("b")]
    fitted = fit(messages, "system", (), SMALL)
    result = fitted.messages[2]
    assert isinstance(result, ToolResultMessage)
    assert len(result.text) < OLD_RESULT_CHARS + 100
    assert fitted.dropped_turns == 0


def test_the_oldest_whole_turns_go_first_and_the_last_one_stays() -> None:
    messages: list[Message] = [message for n in range(20) for message in (user(f"{n} " * 500), AssistantMessage("ok"))]
    fitted = fit([*messages, user("last")], "system", (), SMALL)
    assert fitted.dropped_turns > 0
    assert isinstance(fitted.messages[0], UserMessage)
    assert fitted.messages[-1] == user("last")


def test_a_provider_that_counts_more_tokens_makes_the_budget_smaller() -> None:
    messages: list[Message] = [user("word " * 400) for _ in range(12)]
    assert fit(messages, "s", (), SMALL, correction=2.0).dropped_turns > fit(messages, "s", (), SMALL).dropped_turns


@given(st.lists(st.integers(min_value=0, max_value=4_000), min_size=1, max_size=20), st.floats(0.5, 3.0))
def test_fitting_never_loses_the_last_message_and_never_grows(sizes: list[int], correction: float) -> None:
    messages: list[Message] = [user("x" * size) for size in sizes]
    fitted = fit(messages, "s", (), SMALL, correction=correction)
    assert fitted.messages[-1] == messages[-1]
    assert len(fitted.messages) + fitted.dropped_turns == len(messages)
