from __future__ import annotations

import json

import pytest

from homarus.models.contract import FailureKind
from homarus.models.failures import classify_error_object, classify_response

NOW = 1_800_000_000_000
SECRET = "sk-verysecret1234567890"


def error(message: str, code: str = "") -> bytes:
    return json.dumps({"error": {"message": message, "code": code}}).encode()


CASES = [
    (401, error("Incorrect API key provided"), FailureKind.AUTH),
    (403, error("forbidden"), FailureKind.AUTH),
    (400, error("API key not valid. Please pass a valid API key."), FailureKind.AUTH),
    (402, error("Insufficient credits"), FailureKind.BILLING),
    (429, error("You exceeded your current quota", "insufficient_quota"), FailureKind.BILLING),
    (403, error("Your credit balance is too low"), FailureKind.BILLING),
    (429, error("slow down"), FailureKind.RATE_LIMIT),
    (413, error("Request too large: tokens per minute", "rate_limit_exceeded"), FailureKind.RATE_LIMIT),
    (413, b"", FailureKind.CONTEXT_OVERFLOW),
    (400, error("x", "context_length_exceeded"), FailureKind.CONTEXT_OVERFLOW),
    (400, error("This model's maximum context length is 8192 tokens"), FailureKind.CONTEXT_OVERFLOW),
    (400, error("prompt is too long: 210000 tokens > 200000 maximum"), FailureKind.CONTEXT_OVERFLOW),
    (400, error("the request exceeds the available context size"), FailureKind.CONTEXT_OVERFLOW),
    (400, error("unknown field"), FailureKind.BAD_REQUEST),
    (404, error("model not found"), FailureKind.BAD_REQUEST),
    (404, b"<html>nope</html>", FailureKind.BAD_REQUEST),
    (422, b'{"detail": [{"msg": "bad"}]}', FailureKind.BAD_REQUEST),
    (302, b"", FailureKind.BAD_REQUEST),
    (408, b"", FailureKind.TIMEOUT),
    (500, b"", FailureKind.OVERLOADED),
    (503, b"<html>busy</html>", FailureKind.OVERLOADED),
    (529, error("overloaded"), FailureKind.OVERLOADED),
    (500, b"\xff\xfe garbage", FailureKind.OVERLOADED),
    (400, b'[{"error": {"message": "api key expired"}}]', FailureKind.AUTH),
]


@pytest.mark.parametrize(("status", "body", "kind"), CASES)
def test_a_status_and_body_become_the_kind_that_says_what_to_do(status: int, body: bytes, kind: FailureKind) -> None:
    failure = classify_response("acme", status, {}, body, now_ms=NOW)
    assert failure.kind is kind
    assert failure.status == status
    assert failure.message.startswith("acme ")
    assert f"HTTP {status}" in failure.message
    assert len(failure.message) < 450


WAITS: list[tuple[dict[str, str], float | None]] = [
    ({"retry-after": "7"}, 7.0),
    ({"retry-after": "Fri, 15 Jan 2027 08:00:30 GMT"}, 30.0),
    ({"retry-after": "Fri, 15 Jan 2016 08:00:30 GMT"}, 0.0),
    ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
    ({"retry-after": "soon"}, None),
    ({"retry-after": "9" * 400}, None),
    ({"x-ratelimit-reset": "12"}, 12.0),
    ({"x-ratelimit-reset": "1800000020"}, 20.0),
    ({"x-ratelimit-reset": "1800000020000"}, 20.0),
    ({"x-ratelimit-reset-requests": "1m2.5s", "x-ratelimit-reset-tokens": "20ms"}, 62.5),
    ({"x-ratelimit-reset": "999999"}, 86400.0),
    ({"x-ratelimit-reset": "-5"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("headers", "seconds"), WAITS)
def test_the_wait_a_provider_asks_for_is_read_and_bounded(headers: dict[str, str], seconds: float | None) -> None:
    failure = classify_response("acme", 429, headers, b"", now_ms=NOW)
    assert failure.retry_after == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    "words",
    [f"bad key {SECRET}", "bad key sk-abc1******wxyz", "Authorization: Bearer abc", "key AIzaSyA1b2C3d4E5f6G7h8I9"],
)
def test_nothing_like_a_key_gets_into_a_message(words: str) -> None:
    message = classify_response("acme", 401, {}, error(words), now_ms=NOW, secret=SECRET).message
    for part in (SECRET, "abc1", "Bearer abc", "AIzaSy"):
        assert part not in message


def test_a_short_odd_key_is_cut_out_of_the_providers_words() -> None:
    assert "hunter2" not in classify_response("acme", 401, {}, b"no hunter2", now_ms=NOW, secret="hunter2").message


def test_the_providers_words_are_shown_on_one_line_and_short() -> None:
    message = classify_response("acme", 400, {}, error("bad\nfield " + "x " * 500), now_ms=NOW).message
    assert "bad field x x" in message
    assert "\n" not in message
    assert message.endswith("…")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"message": "overloaded"}, FailureKind.OVERLOADED),
        ({"message": "Rate limit reached"}, FailureKind.RATE_LIMIT),
        ({"message": "no", "code": 401}, FailureKind.AUTH),
        ({"message": "no", "code": "invalid_api_key"}, FailureKind.AUTH),
        ("maximum context length", FailureKind.CONTEXT_OVERFLOW),
        ({"message": "unsupported value"}, FailureKind.BAD_REQUEST),
        ([], FailureKind.OVERLOADED),
    ],
)
def test_an_error_inside_an_answer_is_classified_too(value: object, kind: FailureKind) -> None:
    assert classify_error_object("acme", value).kind is kind
