from __future__ import annotations

import pytest
from pydantic import ValidationError

from homarus.channels.irc.config import IrcConfig
from homarus.channels.policy_config import ChannelPolicyConfig, DmPolicy, account_ids, resolve_account
from homarus.errors import ConfigError


def test_the_defaults_admit_nobody_unasked() -> None:
    config = ChannelPolicyConfig()
    assert config.dm_policy is DmPolicy.PAIRING
    assert config.group_policy == "allowlist"
    assert config.allow_from == []
    assert not config.dangerously_allow_name_matching


def test_an_open_door_has_to_be_said_twice() -> None:
    with pytest.raises(ValidationError, match=r'needs "\*" in allowFrom'):
        ChannelPolicyConfig.model_validate({"dmPolicy": "open"})
    assert ChannelPolicyConfig.model_validate({"dmPolicy": "open", "allowFrom": ["*"]}).dm_policy is DmPolicy.OPEN


def test_sender_numbers_become_text() -> None:
    config = ChannelPolicyConfig.model_validate({"allowFrom": [42, "ines"], "groups": {"*": {"allowFrom": [7]}}})
    assert config.allow_from == ["42", "ines"]
    assert config.groups["*"].allow_from == ["7"]


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="dmPolice"):
        ChannelPolicyConfig.model_validate({"dmPolice": "open"})


def test_a_group_is_found_by_name_whatever_its_case_and_else_by_the_star() -> None:
    config = ChannelPolicyConfig.model_validate({"groups": {"#Pier": {"requireMention": False}, "*": {}}})
    named, other = config.group("#pier"), config.group("#dock")
    assert named is not None
    assert named.require_mention is False
    assert other is not None
    assert other.require_mention is None


def test_a_channel_without_accounts_has_the_default_one() -> None:
    config = IrcConfig(host="irc.test")
    assert account_ids(config) == ("default",)
    assert resolve_account(config, "default") is config
    assert account_ids(IrcConfig(enabled=False)) == ()


def test_accounts_override_the_shared_keys_one_by_one() -> None:
    config = IrcConfig.model_validate(
        {
            "host": "irc.test", "nick": "shared", "dmPolicy": "allowlist", "allowFrom": ["a!b@c"],
            "nickserv": {"service": "NS", "password": "one"},
            "accounts": {"work": {"nick": "worker", "nickserv": {"password": "two"}}, "off": {"enabled": False}},
        }
    )  # fmt: skip
    assert account_ids(config) == ("work",)
    work = resolve_account(config, "work")
    assert (work.host, work.nick, work.dm_policy, work.allow_from) == ("irc.test", "worker", "allowlist", ["a!b@c"])
    assert work.nickserv.service == "NS"
    assert work.nickserv.password is not None
    assert work.nickserv.password.get_secret_value() == "two"
    assert work.accounts == {}


def test_an_account_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="no account 'home'"):
        resolve_account(IrcConfig(host="irc.test"), "home")
