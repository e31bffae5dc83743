from __future__ import annotations

import pytest

from homarus.channels.chat_rules import ChatRules, direct_rules, group_rules
from homarus.channels.contract import Sender
from homarus.channels.irc.config import IrcConfig
from homarus.channels.policy_config import DmPolicy, GroupPolicy
from homarus.channels.telegram.config import TelegramConfig

CONFIG = TelegramConfig.model_validate(
    {
        "groupPolicy": "open",
        "dmPolicy": "pairing",
        "groups": {
            "*": {"requireMention": False, "systemPrompt": "everywhere", "enabled": False},
            "-100": {
                "allowFrom": [7],
                "systemPrompt": "crew",
                "skills": ["tides"],
                "tools": {"deny": ["exec"]},
                "toolsBySender": {"id:7": {"deny": []}, "username:@ines": {"allow": ["read"]}},
                "topics": {
                    "5": {"systemPrompt": "engine", "requireMention": True, "groupPolicy": "disabled", "skills": []},
                    "6": {"enabled": False},
                    "*": {"agentId": "Clerk"},
                },
            },
        },
        "direct": {
            "42": {"dmPolicy": "open", "requireTopic": True, "topics": {"9": {"systemPrompt": "notes"}}},
            "*": {"enabled": False, "allowFrom": [1]},
        },
    }
)


def group(chat: str, thread: str | None = None) -> ChatRules:
    return group_rules(CONFIG, chat, thread)


def test_a_group_has_its_own_entry_and_only_the_mention_rule_of_the_star() -> None:
    own = group("-100")
    assert (own.is_listed, own.is_enabled, own.requires_mention, own.prompt) == (True, True, False, "crew")
    assert (own.allow_from, own.skills, own.group_policy) == (["7"], ["tides"], GroupPolicy.OPEN)
    other = group("-200")
    assert (other.is_listed, other.is_enabled, other.requires_mention, other.prompt) == (
        True,
        False,
        False,
        "everywhere",
    )


def test_a_topic_inherits_key_by_key_from_its_group() -> None:
    engine = group("-100", "5")
    assert (engine.prompt, engine.requires_mention, engine.skills) == ("crew\n\nengine", True, [])
    assert (engine.group_policy, engine.allow_from) == (GroupPolicy.DISABLED, ["7"])
    assert not group("-100", "6").is_enabled
    assert (group("-100", "7").agent_id, group("-100").agent_id) == ("Clerk", None)


def test_direct_chats_have_entries_of_their_own() -> None:
    open_one = direct_rules(CONFIG, "42", None)
    assert (open_one.dm_policy, open_one.requires_topic, open_one.is_enabled) == (DmPolicy.OPEN, True, True)
    assert direct_rules(CONFIG, "42", "9").prompt == "notes"
    other = direct_rules(CONFIG, "43", None)
    assert (other.dm_policy, other.is_enabled, other.allow_from) == (DmPolicy.PAIRING, False, ["1"])


def test_a_channel_without_such_entries_has_the_rules_of_its_account() -> None:
    config = IrcConfig.model_validate({"host": "irc.test", "dmPolicy": "disabled", "groups": {"#Pier": {}}})
    assert direct_rules(config, "ines", None).dm_policy is DmPolicy.DISABLED
    assert group_rules(config, "#pier", None).requires_mention
    assert not group_rules(config, "#dock", None).is_listed


@pytest.mark.parametrize(
    ("sender", "may_match_names", "expected"),
    [
        (Sender("7"), False, {"deny": []}),
        (Sender("8"), False, {"deny": ["exec"]}),
        (Sender("8", aliases=("@ines",)), False, {"deny": ["exec"]}),
        (Sender("8", aliases=("@ines",)), True, {"allow": ["read"]}),
    ],
)
def test_tools_go_by_the_sender_and_names_count_only_when_the_owner_says_so(
    sender: Sender, *, may_match_names: bool, expected: dict[str, object]
) -> None:
    found = group("-100").tools_for(sender, may_match_names=may_match_names)
    assert found is not None
    assert found.model_dump(exclude_none=True) == expected
