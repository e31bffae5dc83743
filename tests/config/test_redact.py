from __future__ import annotations

import json

import pytest

from homarus.config.redact import REDACTED, redact, restore


def test_secrets_are_hidden_by_schema_and_by_name() -> None:
    tree: dict[str, object] = {
        "gateway": {"auth": {"token": "hush", "mode": "token"}, "port": 1},
        "models": {"providers": {"x": {"apiKey": "hush", "headers": {"X-Any": "hush"}, "models": [{"maxTokens": 8}]}}},
        "channels": {"irc": {"password": "hush", "nickserv": {"password": 12345}, "nick": "clawd"}},
        "storage": {"url": "postgresql://me:hush@db/x"},
        "hooks": {"token": "hush", "url": "https://a:hush@b/"},
        "agents": {"defaults": {"contextTokens": 5, "sandbox": {"ssh": {"identityData": "hush"}}}},
    }
    shown = redact(tree)
    text = json.dumps(shown)
    assert "hush" not in text
    assert "12345" not in text
    assert shown["gateway"] == {"auth": {"token": REDACTED, "mode": "token"}, "port": 1}
    assert '"maxTokens": 8' in text
    assert '"contextTokens": 5' in text
    assert '"nick": "clawd"' in text
    assert "hush" in json.dumps(tree)


def test_placeholders_and_references_stay_visible() -> None:
    reference = {"source": "env", "provider": "default", "id": "TOKEN"}
    tree: dict[str, object] = {"gateway": {"auth": {"token": "${TOKEN}", "password": reference}}}
    assert redact(tree) == tree


def test_an_edit_of_a_redacted_file_keeps_the_secrets() -> None:
    current = {"gateway": {"auth": {"token": "hush"}, "port": 1}, "list": [{"password": "a"}]}
    edited = {"gateway": {"auth": {"token": REDACTED}, "port": 2}, "list": [{"password": REDACTED}]}
    assert restore(edited, current) == {"gateway": {"auth": {"token": "hush"}, "port": 2}, "list": [{"password": "a"}]}


def test_a_redacted_value_without_an_earlier_one_is_refused() -> None:
    with pytest.raises(ValueError, match="write the secret itself"):
        restore({"a": REDACTED}, {})
