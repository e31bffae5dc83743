from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homarus.security.redaction import redact_text, redact_value

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq\n-----END RSA PRIVATE KEY-----"
SECRETS = [
    "sk-" + "a1B2" * 12,
    "sk-ant-api03-" + "aB3_-" * 10,
    "sk-proj-" + "x9" * 30,
    "ghp_" + "a" * 36,
    "github_pat_" + "A1_" * 20,
    "AKIA" + "ABCD1234" * 2,
    "AIza" + "Sy" * 17 + "Q",
    "xoxb-" + "123456789012-abcdef",
    "glpat-" + "a" * 20,
    "hf_" + "b" * 34,
    "123456789:AA" + "h" * 33,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("text", ["{}", "key={}\n", '{{"apiKey":"{}"}}', "use {}, then go on", "url?token={}&x=1"])
def test_known_credentials_are_cut_wherever_they_stand(secret: str, text: str) -> None:
    shown = redact_text(text.format(secret))
    assert secret[8:] not in shown
    assert "[redacted]" in shown


def test_a_bearer_token_and_a_password_in_an_address_are_cut() -> None:
    shown = redact_text("Authorization: Bearer abcdefghijklmnop1234 and postgres://homarus:hunter2@db/x")
    assert shown == "Authorization: Bearer abcd…[redacted] and postgres://homarus:[redacted]@db/x"


def test_a_private_key_is_replaced_and_what_follows_stays() -> None:
    assert redact_text(f"before\n{PEM}\nafter") == "before\n[redacted rsa private key]\nafter"


def test_a_private_key_that_was_cut_off_is_replaced_too() -> None:
    assert "MIIE" not in redact_text(PEM[:60])


@pytest.mark.parametrize(
    "text",
    ["", "a task-list of disk-space", "sk-short", "commit 3f786850e387550fdab836ed7e6dc881de23001b", "AKIA", "10:30"],
)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert redact_text(text) == text


def test_nested_values_are_redacted_and_keep_their_shape() -> None:
    assert redact_value({"a": ["ghp_" + "a" * 36, 1, None], "b": {"c": True}}) == {
        "a": ["ghp_…[redacted]", 1, None],
        "b": {"c": True},
    }


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact_text(redact_text(text)) == redact_text(text)


@pytest.mark.parametrize(
    "unit", ["sk-", "eyJ", "-eyJ", "eyJa.", "Bearer ", "://a:", "-----BEGIN PRIVATE KEY-----", "a"]
)
def test_time_grows_with_the_text_and_no_faster(unit: str) -> None:
    def cost(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        return min(_timed(text) for _ in range(3))

    # quadratic work would be 64 times as much; the slack is for a busy machine
    assert cost(400_000) < 30 * cost(50_000) + 0.05


def _timed(text: str) -> float:
    started = time.process_time()
    redact_text(text)
    return time.process_time() - started
