from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homarus.errors import ProtocolError
from homarus.protocol.frames import (
    Request,
    decode,
    encode,
    encode_event,
    encode_failure,
    encode_result,
    number_event,
    read_request,
    request_id,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_missing_params_are_an_empty_object() -> None:
    assert read_request({"type": "req", "id": "1", "method": "m"}) == Request("1", "m", {})
    assert read_request({"type": "req", "id": "1", "method": "m", "params": None}) == Request("1", "m", {})
    assert read_request({"type": "req", "id": "1", "method": "m", "params": [1]}) == Request("1", "m", [1])


@given(JSON)
def test_any_json_is_a_request_or_refused_with_words(value: object) -> None:
    problem = ""
    try:
        read_request(value)
    except ProtocolError as error:
        problem = error.message
    assert problem == "" or problem.startswith("invalid request frame: ")
    assert problem != "invalid request frame: "


@given(JSON, st.text(min_size=1))
def test_frames_have_the_keys_clients_accept_and_nothing_more(payload: object, identifier: str) -> None:
    result = json.loads(encode_result(identifier, payload))
    assert result == {"type": "res", "id": identifier, "ok": True, "payload": payload}
    event = json.loads(number_event(encode_event("e", payload, {"presence": 1}), 7))
    assert event == {"type": "event", "event": "e", "payload": payload, "stateVersion": {"presence": 1}, "seq": 7}


def test_failure_has_no_null_fields() -> None:
    assert json.loads(encode_failure("1", {"code": "C", "message": "m"})) == {
        "type": "res", "id": "1", "ok": False, "error": {"code": "C", "message": "m"},
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"a":-Infinity}', "[" * 200_000])
def test_what_is_not_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the library's messages vary
        decode(text)


def test_frames_are_compact() -> None:
    assert encode_result("1", {"a": [1, 2]}) == '{"type":"res","id":"1","ok":true,"payload":{"a":[1,2]}}'


@pytest.mark.parametrize(
    ("frame", "identifier"), [([], "invalid"), ({"id": ""}, "invalid"), ({"id": 1}, "invalid"), ({"id": "x"}, "x")]
)
def test_malformed_frames_are_answered_under_their_id_when_they_have_one(frame: object, identifier: str) -> None:
    assert request_id(frame) == identifier


class Word(str):
    """A text of a kind of its own, as enumerations are."""

    __slots__ = ()


@given(JSON)
def test_what_is_encoded_is_read_back_the_same(value: object) -> None:
    text = encode(value)
    assert decode(text) == value
    assert json.dumps(value, ensure_ascii=False, separators=(",", ":")) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(Word("a"), '"a"'), ("\ud83d", '"\ud83d"'), ({None: True}, '{"null":true}'), (float("nan"), "null")],
)
def test_what_is_unusual_is_encoded_all_the_same(value: object, text: str) -> None:
    assert encode(value) == text
