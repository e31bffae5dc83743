from __future__ import annotations

import json
from typing import cast

import pytest
from pydantic import SecretStr, ValidationError

from homarus.channels.policy_config import account_ids, resolve_account
from homarus.channels.telegram.config import SecretReference, TelegramConfig
from homarus.channels.telegram.options import ReplyToMode, Streaming

TOKEN = "123:AAE-secret_value"

EVERYTHING: dict[str, object] = {
    "name": "boat", "enabled": True, "capabilities": {"inlineButtons": "dm"}, "botToken": TOKEN,
    "tokenFile": "/run/token", "execApprovals": {"enabled": True, "approvers": [6120045512, "7"],
    "agentFilter": ["main"], "sessionFilter": ["x"], "target": "both"}, "markdown": {"tables": "bullets"},
    "commands": {"native": "auto", "nativeSkills": False},
    "customCommands": [{"command": "tide", "description": "Tide"}],
    "configWrites": False, "dmPolicy": "open", "allowFrom": ["*", 5], "replyToMode": "batched",
    "groups": {"-1001": {"requireMention": False, "ingest": True, "disableAudioPreflight": True, "groupPolicy": "open",
      "tools": {"allow": ["a"], "alsoAllow": ["b"], "deny": ["c"]}, "toolsBySender": {"id:5": {"deny": ["x"]}},
      "skills": ["s"], "enabled": True, "allowFrom": [5], "systemPrompt": "p", "errorPolicy": "once",
      "errorCooldownMs": 5, "topics": {"77": {"requireMention": True, "ingest": False, "disableAudioPreflight": False,
        "groupPolicy": "allowlist", "skills": [], "enabled": False, "allowFrom": [6], "systemPrompt": "t",
        "agentId": "crew", "errorPolicy": "silent", "errorCooldownMs": 0}}}},
    "defaultTo": 5, "groupAllowFrom": [5], "groupPolicy": "open", "contextVisibility": "allowlist", "historyLimit": 3,
    "dmHistoryLimit": 2, "dms": {"5": {"historyLimit": 1}},
    "direct": {"5": {"dmPolicy": "open", "tools": {"deny": ["x"]}, "toolsBySender": {"*": {}}, "skills": ["s"],
      "enabled": True, "allowFrom": [5], "systemPrompt": "p",
      "topics": {"1": {"agentId": "a"}}, "errorPolicy": "always",
      "errorCooldownMs": 1, "requireTopic": True, "autoTopicLabel": {"enabled": True, "prompt": "p"}}},
    "textChunkLimit": 900, "chunkMode": "newline", "streaming": "partial", "blockStreaming": True,
    "draftChunk": {"minChars": 1, "maxChars": 2, "breakPreference": "sentence"},
    "blockStreamingCoalesce": {"minChars": 1, "maxChars": 2, "idleMs": 0}, "mediaMaxMb": 5.5, "timeoutSeconds": 20,
    "retry": {"attempts": 1, "minDelayMs": 0, "maxDelayMs": 1, "jitter": 0.5},
    "network": {"autoSelectFamily": True, "dnsResultOrder": "verbatim", "dangerouslyAllowPrivateNetwork": True},
    "proxy": "http://127.0.0.1:3128", "webhookUrl": "https://bot.example.org/tg", "webhookSecret": "abc",
    "webhookPath": "/tg", "webhookHost": "127.0.0.1", "webhookPort": 8787, "webhookCertPath": "/run/cert.pem",
    "actions": {"reactions": True, "sendMessage": True, "poll": True, "deleteMessage": True, "editMessage": True,
      "sticker": True, "createForumTopic": True, "editForumTopic": True},
    "threadBindings": {"enabled": True, "idleHours": 0, "maxAgeHours": 1.5, "spawnSubagentSessions": True,
      "spawnAcpSessions": False},
    "reactionNotifications": "own", "reactionLevel": "minimal",
    "heartbeat": {"showOk": True, "showAlerts": True, "useIndicator": False}, "healthMonitor": {"enabled": False},
    "linkPreview": True, "silentErrorReplies": True, "responsePrefix": "[b]", "ackReaction": "e", "errorPolicy": "once",
    "errorCooldownMs": 9, "apiRoot": "http://127.0.0.1:8081/", "trustedLocalFileRoots": ["/srv/tg"],
    "autoTopicLabel": False,
}  # fmt: skip


class Resolver:
    def resolve(self, ref: SecretReference) -> str:
        return {"BOT": "42:fromenv"}[ref.id]


def test_every_key_of_the_section_is_taken_at_the_top_and_in_an_account() -> None:
    config = TelegramConfig.model_validate(EVERYTHING | {"accounts": {"b": EVERYTHING}, "defaultAccount": "b"})
    assert config.streaming is Streaming.PARTIAL
    assert config.groups["-1001"].topics["77"].agent_id == "crew"
    assert config.groups["-1001"].allow_from == ["5"]
    assert config.accounts["b"].direct["5"].require_topic is True
    assert config.api_root == "http://127.0.0.1:8081"


def test_defaults_are_those_of_the_reference() -> None:
    config = TelegramConfig.model_validate({"botToken": TOKEN})
    assert (config.retry.attempts, config.retry.min_delay_ms, config.retry.max_delay_ms) == (3, 400, 30000)
    assert config.retry.jitter == 0.1
    assert config.dm_policy == "pairing"
    assert config.group_policy == "allowlist"
    assert config.reply_to_mode is ReplyToMode.FIRST
    assert config.enabled
    assert config.config_writes
    assert config.api_root == "https://api.telegram.org"


def test_an_account_overrides_the_shared_keys() -> None:
    keys = {"replyToMode": "off", "accounts": {"a": {"botToken": "1:a"}, "b": {"botToken": "2:b", "linkPreview": True}}}
    config = TelegramConfig.model_validate(keys)
    assert account_ids(config) == ("a", "b")
    second = resolve_account(config, "b")
    assert second.bot_token == SecretStr("2:b")
    assert second.reply_to_mode is ReplyToMode.OFF
    assert second.link_preview is True


def test_two_accounts_cannot_share_a_token() -> None:
    keys = {"accounts": {"a": {"botToken": TOKEN}, "b": {"botToken": TOKEN}}}
    with pytest.raises(ValidationError, match="'a' and 'b' have the same botToken") as caught:
        TelegramConfig.model_validate(keys)
    assert TOKEN not in str(caught.value.errors(include_input=False))


def test_a_secret_reference_is_resolved_by_the_loader() -> None:
    keys = {"botToken": {"source": "env", "provider": "default", "id": "BOT"}}
    config = TelegramConfig.model_validate(keys, context=Resolver())
    assert config.bot_token == SecretStr("42:fromenv")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"botToken": "not a token"}, "a bot token looks like"),
        ({"botToken": "1:a/../x"}, "a bot token looks like"),
        ({"botToken": {"source": "env"}}, "a secret is a string or"),
        ({"botToken": {"source": "env", "provider": "d", "id": "X"}}, "cannot be resolved here"),
        ({"webhookSecret": "with space"}, "1 to 256 letters"),
        ({"webhookSecret": ""}, "1 to 256 letters"),
        ({"apiRoot": "api.telegram.org"}, "write an address like"),
        ({"apiRoot": "ftp://x"}, "write an address like"),
        ({"proxy": "socks5://x:1"}, "write an address like"),
        ({"webhookPath": "telegram"}, "is no path"),
        ({"webhookPort": 70000}, "65535"),
        ({"streaming": "fast"}, "partial"),
        ({"customCommands": [{"command": "Bad Name", "description": "x"}]}, "pattern"),
        ({"webHookUrl": "https://x"}, "Extra inputs"),
        ({"groups": {"-1": {"topics": {"7": {"agent": "x"}}}}}, "Extra inputs"),
        ({"dmPolicy": "open"}, "allowFrom"),
    ],
)
def test_a_wrong_value_is_refused_with_its_reason(keys: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TelegramConfig.model_validate(keys)
    assert words in str(caught.value)


def test_the_token_is_not_shown() -> None:
    config = TelegramConfig.model_validate({"botToken": TOKEN, "webhookSecret": "hush"})
    assert "secret_value" not in repr(config)
    assert "hush" not in config.model_dump_json()


def test_the_schema_names_every_key_by_its_wire_name() -> None:
    schema = cast("dict[str, dict[str, object]]", TelegramConfig.model_json_schema())
    assert set(EVERYTHING) <= set(schema["properties"])
    assert json.dumps(schema).count("AAE") == 0
