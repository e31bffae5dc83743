from __future__ import annotations

from pathlib import Path

import pytest

from homarus.channels.telegram.config import TelegramConfig
from homarus.channels.telegram.settings import settings_of
from homarus.errors import ConfigError


def build(**keys: object) -> TelegramConfig:
    return TelegramConfig.model_validate(keys)


def test_a_missing_token_names_the_account_and_where_to_get_one() -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of(build(), "crew")
    assert caught.value.path == "channels.telegram.accounts.crew.botToken"
    assert "@BotFather" in (caught.value.fix or "")


def test_a_token_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("77:from-file\n")
    assert settings_of(build(tokenFile=str(path)), "default").token == "77:from-file"


@pytest.mark.parametrize("content", [None, "", "two words", "77:a\n88:b"])
def test_a_token_file_that_does_not_hold_one_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        settings_of(build(tokenFile=str(path)), "default")
    assert caught.value.path == "channels.telegram.tokenFile"
    assert "two words" not in caught.value.message


def test_a_webhook_needs_a_secret() -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of(build(botToken="1:a", webhookUrl="https://x.example/tg"), "default")
    assert caught.value.path == "channels.telegram.webhookSecret"


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"webhookUrl": "https://x.example/tg/hook"}, "/tg/hook"),
        ({"webhookUrl": "https://x.example"}, "/telegram-webhook"),
        ({"webhookUrl": "https://x.example/a", "webhookPath": "/b"}, "/b"),
    ],
)
def test_the_local_path_follows_the_address_unless_it_is_named(keys: dict[str, object], path: str) -> None:
    webhook = settings_of(build(botToken="1:a", webhookSecret="s", **keys), "default").webhook
    assert webhook is not None
    assert webhook.path == path


def test_secrets_are_not_in_the_repr() -> None:
    settings = settings_of(build(botToken="1:hidden", webhookUrl="https://x.example", webhookSecret="hush"), "default")
    assert "hidden" not in repr(settings)
    assert "hush" not in repr(settings)


def test_custom_commands_join_the_menu_and_may_replace_entries() -> None:
    custom = [{"command": "/tide", "description": "Tide"}, {"command": "help", "description": "Mine"}]
    commands = dict(settings_of(build(botToken="1:a", customCommands=custom), "default").commands)
    assert commands["tide"] == "Tide"
    assert commands["help"] == "Mine"
    assert "stop" in commands


def test_media_stay_within_what_telegram_gives() -> None:
    assert settings_of(build(botToken="1:a", mediaMaxMb=500), "default").media_limit == 20 * 1024 * 1024
    assert settings_of(build(botToken="1:a", mediaMaxMb=1), "default").media_limit == 1024 * 1024
