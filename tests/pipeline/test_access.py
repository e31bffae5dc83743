from __future__ import annotations

import re

import pytest

from homarus.channels.contract import ChatKind, Inbound, Sender
from homarus.channels.policy_config import ChannelPolicyConfig
from homarus.ids import Address
from homarus.labels import Integrity
from homarus.pipeline.access import Access, AccessRules, Decision, decide

PATTERNS = (re.compile("hey bot", re.IGNORECASE),)


def judge(settings: dict[str, object], *, is_approved: bool = False, **facts: object) -> Decision:
    kind = facts.pop("kind", ChatKind.DIRECT)
    sender = facts.pop("sender", Sender("ann"))
    chat = "#room" if kind is ChatKind.GROUP else "ann"
    message = Inbound(Address("net", "default", chat), "1", sender, kind, "hello", **facts)  # pyright: ignore[reportArgumentType]
    policy = ChannelPolicyConfig.model_validate(settings)
    return decide(message, AccessRules(policy, PATTERNS), is_approved=is_approved)


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
