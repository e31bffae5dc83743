from __future__ import annotations

from homarus.config.schema import Config
from homarus.config.unused import unused_keys


def test_keys_without_effect_are_listed_and_others_are_not() -> None:
    config = Config.model_validate(
        {
            "gateway": {"port": 1, "tailscale": {"mode": "serve"}, "auth": {"token": "t", "allowTailscale": True}},
            "agents": {
                "defaults": {"model": "a/b", "memorySearch": {"enabled": False}},
                "list": [{"id": "a", "params": {}}],
            },
            "models": {
                "providers": {"my.host": {"baseUrl": "x", "models": [{"id": "a", "name": "b"}], "auth": "token"}}
            },
            "channels": {
                "irc": {"nick": "x"},
                "telegram": {"botToken": "x"},
                "defaults": {"contextVisibility": "all", "heartbeat": {"showOk": True}},
            },
            "plugins": {"entries": {}},
            "logging": {"level": "info"},
        }
    )
    assert sorted(unused_keys(config)) == sorted(
        [
            "agents.defaults.memorySearch",
            "agents.list[0].params",
            'models.providers["my.host"].auth',
            "channels.telegram",
            "channels.defaults.contextVisibility",
            "plugins",
        ]
    )


def test_an_empty_file_has_no_unused_keys() -> None:
    assert unused_keys(Config.model_validate({})) == []
