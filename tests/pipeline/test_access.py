from __future__ import annotations

import re

import pytest

from homarus.channels.contract import ChatKind, Inbound, Sender
from homarus.channels.policy_config import ChannelPolicyConfig
from homarus.channels.telegram.config import TelegramConfig
from homarus.ids import Address
from homarus.labels import Integrity
from homarus.pipeline import access
from homarus.pipeline.access import Access, AccessRules, Decision, decide
from homarus.pipeline.mentions import MentionPatterns

PATTERNS = MentionPatterns((re.compile("hey bot", re.IGNORECASE),))


def judge(settings: dict[str, object], *, is_approved: bool = False, **facts: object) -> Decision:
    kind = facts.pop("kind", ChatKind.DIRECT)
    sender = facts.pop("sender", Sender("ann"))
    chat = "#room" if kind is ChatKind.GROUP else "ann"
    message = Inbound(Address("net", "default", chat), "1", sender, kind, "hello", **facts)  # pyright: ignore[reportArgumentType]
    policy = ChannelPolicyConfig.model_validate(settings)
    return decide(message, AccessRules(policy, PATTERNS), is_approved=lambda: is_approved, agent=lambda: "main")


GROUP: dict[str, object] = {"kind": ChatKind.GROUP, "is_mentioned": True}
OPEN_ROOM: dict[str, object] = {"groups": {"#ROOM": {"requireMention": False}}, "groupAllowFrom": ["ann"]}
BOBS_ROOM: dict[str, object] = {"groups": {"#room": {"allowFrom": ["bob"]}}, "groupAllowFrom": ["*"]}
STRANGER = "the sender is not allowed in this group"
Case = tuple[dict[str, object], dict[str, object], Access, str]
LISTED: dict[str, object] = {"groups": {"#room": {}}, "groupAllowFrom": ["*"]}


CASES: list[Case] = [
    ({}, {}, Access.PAIRING, "pairing required"),
    ({}, {"is_approved": True}, Access.ALLOWED, ""),
    ({"allowFrom": ["Ann"]}, {}, Access.ALLOWED, ""),
    ({"dmPolicy": "allowlist"}, {}, Access.DROPPED, "the sender is not in allowFrom"),
    ({"dmPolicy": "disabled", "allowFrom": ["ann"]}, {}, Access.DROPPED, "direct messages are disabled"),
    ({"dmPolicy": "open", "allowFrom": ["*"]}, {}, Access.ALLOWED, ""),
    ({"allowFrom": ["*"]}, {}, Access.PAIRING, "pairing required"),
    ({"allowFrom": ["ann"]}, {"sender": Sender("eve", aliases=("ann",))}, Access.PAIRING, "pairing required"),
    (
        {"allowFrom": ["ann"], "dangerouslyAllowNameMatching": True},
        {"sender": Sender("eve", aliases=("ann",))},
        Access.ALLOWED,
        "",
    ),
    ({"allowFrom": ["ann"]}, {"sender": Sender("ann", is_bot=True)}, Access.DROPPED, "the sender is a bot"),
    ({}, GROUP, Access.DROPPED, "the group is not in groups"),
    (LISTED, GROUP, Access.ALLOWED, ""),
    (LISTED, {"kind": ChatKind.GROUP}, Access.DROPPED, "not mentioned"),
    (LISTED, {"kind": ChatKind.GROUP, "is_reply_to_me": True}, Access.ALLOWED, ""),
    (OPEN_ROOM, {"kind": ChatKind.GROUP}, Access.ALLOWED, ""),
    ({"groups": {"*": {}}}, GROUP, Access.DROPPED, STRANGER),
    ({"groups": {"*": {}}, "allowFrom": ["ann"]}, GROUP, Access.ALLOWED, ""),
    (BOBS_ROOM, GROUP, Access.DROPPED, STRANGER),
    ({"groupPolicy": "disabled", **LISTED}, GROUP, Access.DROPPED, "groups are disabled"),
    ({"groupPolicy": "open"}, GROUP, Access.ALLOWED, ""),
    ({"groupPolicy": "open"}, {"kind": ChatKind.GROUP}, Access.DROPPED, "not mentioned"),
    ({"groups": {"#room": {"enabled": False}}}, GROUP, Access.DROPPED, "this group is disabled"),
]


@pytest.mark.parametrize(("settings", "facts", "access", "reason"), CASES)
def test_access_follows_the_policy_and_fails_closed(
    settings: dict[str, object], facts: dict[str, object], access: Access, reason: str
) -> None:
    decision = judge(settings, **facts)  # pyright: ignore[reportArgumentType]
    assert (decision.access, decision.reason) == (access, reason)


def test_only_the_owner_speaks_with_the_integrity_of_a_user() -> None:
    assert judge({"allowFrom": ["ann"]}).label.integrity is Integrity.USER
    assert judge({"dmPolicy": "open", "allowFrom": ["*"]}).label.integrity is Integrity.MEMBER
    assert judge(LISTED, **GROUP).label.integrity is Integrity.MEMBER  # pyright: ignore[reportArgumentType]
    assert judge({}).label.integrity is Integrity.EXTERNAL


def telegram(settings: dict[str, object], chat: str, thread: str | None, kind: ChatKind, agent: str = "main") -> str:
    """Return why a message is dropped, its prompt when it is allowed."""
    policy = TelegramConfig.model_validate(settings)
    message = Inbound(Address("telegram", "default", chat, thread), "1", Sender("7"), kind, "ahoy there")
    patterns = MentionPatterns((), {"clerk": (re.compile("ahoy"),)})
    decision = decide(message, AccessRules(policy, patterns), is_approved=lambda: False, agent=lambda: agent)
    return decision.chat.prompt if decision.chat is not None else decision.reason


TOPICS: dict[str, object] = {
    "5": {"enabled": False},
    "6": {"requireMention": True},
    "7": {"groupPolicy": "disabled"},
    "8": {"allowFrom": [9]},
    "9": {"systemPrompt": "nine"},
}
GROUPS: dict[str, object] = {
    "groups": {"-1": {"requireMention": False, "allowFrom": [7], "systemPrompt": "one", "topics": TOPICS}}
}
DIRECT: dict[str, object] = {
    "allowFrom": [7],
    "direct": {"1": {"enabled": False}, "2": {"requireTopic": True}, "3": {"allowFrom": [8], "dmPolicy": "allowlist"}},
}


@pytest.mark.parametrize(
    ("thread", "outcome"),
    [
        (None, "one"),
        ("5", "this topic is disabled"),
        ("6", "not mentioned"),
        ("7", "groups are disabled"),
        ("8", "the sender is not allowed in this group"),
        ("9", "one\n\nnine"),
    ],
)
def test_topics_have_rules_of_their_own(thread: str | None, outcome: str) -> None:
    assert telegram(GROUPS, "-1", thread, ChatKind.GROUP) == outcome


@pytest.mark.parametrize(
    ("chat", "thread", "outcome"),
    [
        ("1", None, "this chat is disabled"),
        ("2", None, "only topics of this chat are answered"),
        ("2", "4", ""),
        ("3", None, "the sender is not in allowFrom"),
        ("4", None, ""),
    ],
)
def test_direct_chats_have_rules_of_their_own(chat: str, thread: str | None, outcome: str) -> None:
    assert telegram(DIRECT, chat, thread, ChatKind.DIRECT) == outcome


def test_an_agent_is_addressed_by_its_own_words_only() -> None:
    settings: dict[str, object] = {"groups": {"-1": {"allowFrom": [7], "topics": {"2": {"agentId": "Clerk"}}}}}
    assert telegram(settings, "-1", None, ChatKind.GROUP) == "not mentioned"
    assert telegram(settings, "-1", None, ChatKind.GROUP, agent="clerk") == ""
    assert telegram(settings, "-1", "2", ChatKind.GROUP) == ""


def test_the_rules_of_any_number_of_chats_take_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "MAX_KNOWN", 3)
    rules = AccessRules(TelegramConfig.model_validate({"groups": {"-7": {"systemPrompt": "seven"}}}))
    for number in range(20):
        message = Inbound(Address("telegram", "default", f"-{number}"), "1", Sender("7"), ChatKind.GROUP, "hi")
        assert rules.chat(message.kind, message.address).prompt == ("seven" if number == 7 else "")
        assert rules.chat(message.kind, message.address) is rules.chat(message.kind, message.address)
        assert len(rules.known) <= 3
