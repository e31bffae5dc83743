from __future__ import annotations

import json

import pytest

from homarus.channels.telegram.answers import Refused, Unreadable, read_answer
from homarus.errors import AuthFailed, Transient


def answer(code: int, description: str, **parameters: object) -> bytes:
    return json.dumps({"ok": False, "error_code": code, "description": description, "parameters": parameters}).encode()


def test_a_result_is_returned() -> None:
    assert read_answer("getMe", 200, b'{"ok": true, "result": {"id": 5}}') == {"id": 5}


@pytest.mark.parametrize("code", [401, 404])
def test_a_token_that_is_not_accepted_is_an_authentication_failure_with_a_fix(code: int) -> None:
    with pytest.raises(AuthFailed) as caught:
        read_answer("getMe", code, answer(code, "Unauthorized"))
    assert "@BotFather" in (caught.value.fix or "")


@pytest.mark.parametrize(
    ("given", "seconds"), [(7, 7.0), (0, 1.0), (10**9, 3600.0), ("x", 5.0), (None, 5.0), (True, 5.0)]
)
def test_a_flood_limit_is_transient_with_its_wait(given: object, seconds: float) -> None:
    with pytest.raises(Transient) as caught:
        read_answer("sendMessage", 429, answer(429, "Too Many Requests", retry_after=given))
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("description", "words"),
    [("Conflict: terminated by other getUpdates request", "another program"), ("webhook is active", "webhook was set")],
)
def test_a_conflict_says_who_is_in_the_way(description: str, words: str) -> None:
    with pytest.raises(Transient) as caught:
        read_answer("getUpdates", 409, answer(409, description))
    assert words in (caught.value.fix or "")


@pytest.mark.parametrize("code", [500, 502, 503])
def test_a_server_error_is_transient(code: int) -> None:
    with pytest.raises(Transient):
        read_answer("getMe", code, answer(code, "Internal"))


@pytest.mark.parametrize("code", [400, 403, 413])
def test_a_refusal_is_permanent_and_says_what_telegram_said(code: int) -> None:
    with pytest.raises(Refused, match="Forbidden: bot was blocked") as caught:
        read_answer("sendMessage", code, answer(code, "Forbidden: bot was blocked by the user"))
    assert caught.value.code == code


def test_a_moved_chat_tells_its_new_id() -> None:
    with pytest.raises(Refused) as caught:
        read_answer("sendMessage", 400, answer(400, "upgraded", migrate_to_chat_id=-100))
    assert caught.value.migrate_to == -100


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"ok": "yes"}', b'{"result": 1}', b"[" * 100_000])
def test_what_is_no_answer_of_the_bot_api_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_answer("getMe", 502, body)
