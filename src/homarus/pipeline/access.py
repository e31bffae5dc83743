"""Who may speak: a pure decision over what the channel reported and what the configuration says.

This is the only place where identity is checked. Anything not allowed by a rule is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from homarus.channels.contract import ChatKind, Inbound
from homarus.channels.policy_config import ChannelPolicyConfig, DmPolicy, GroupConfig, GroupPolicy
from homarus.labels import Confidentiality, Integrity, Label


class Access(StrEnum):
    """What happens with a message."""

    ALLOWED = "allowed"
    PAIRING = "pairing"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome: the label of the text when allowed, the reason when dropped."""

    access: Access
    label: Label
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AccessRules:
    """The rules of one channel account. `mention_patterns` are the operator's regular expressions, compiled."""

    policy: ChannelPolicyConfig
    mention_patterns: tuple[re.Pattern[str], ...] = ()


def decide(message: Inbound, rules: AccessRules, *, is_approved: bool) -> Decision:
    """Decide about one message. `is_approved` tells that the sender was paired with this account."""
    if message.sender.is_bot:
        return _drop(message, "the sender is a bot")
    if message.kind is ChatKind.DIRECT:
        return _decide_direct(message, rules.policy, is_approved=is_approved)
    return _decide_group(message, rules, is_approved=is_approved)


def _decide_direct(message: Inbound, policy: ChannelPolicyConfig, *, is_approved: bool) -> Decision:
    if policy.dm_policy is DmPolicy.DISABLED:
        return _drop(message, "direct messages are disabled")
    if is_approved or _matches(message, policy.allow_from, policy, accepts_star=False):
        return _allow(message, Integrity.USER)
    if policy.dm_policy is DmPolicy.OPEN:
        return _allow(message, Integrity.MEMBER)
    if policy.dm_policy is DmPolicy.ALLOWLIST:
        return _drop(message, "the sender is not in allowFrom")
    return Decision(Access.PAIRING, _label(message, Integrity.EXTERNAL), "pairing required")


def _decide_group(message: Inbound, rules: AccessRules, *, is_approved: bool) -> Decision:
    policy = rules.policy
    group = policy.group(message.address.chat)
    if policy.group_policy is GroupPolicy.DISABLED:
        return _drop(message, "groups are disabled")
    if group is not None and group.enabled is False:
        return _drop(message, "this group is disabled")
    if policy.group_policy is GroupPolicy.ALLOWLIST and group is None:
        return _drop(message, "the group is not in groups")
    is_owner = is_approved or _matches(message, policy.allow_from, policy, accepts_star=False)
    if policy.group_policy is GroupPolicy.ALLOWLIST and not _is_group_sender(message, policy, group, is_owner=is_owner):
        return _drop(message, "the sender is not allowed in this group")
    requires_mention = True if group is None or group.require_mention is None else group.require_mention
    if requires_mention and not _is_addressed(message, rules):
        return _drop(message, "not mentioned")
    return _allow(message, Integrity.USER if is_owner else Integrity.MEMBER)


def _is_group_sender(
    message: Inbound, policy: ChannelPolicyConfig, group: GroupConfig | None, *, is_owner: bool
) -> bool:
    own = group.allow_from if group is not None else None
    names = own if own is not None else policy.group_allow_from
    if names is None:
        return is_owner
    return _matches(message, names, policy, accepts_star=True)


def _is_addressed(message: Inbound, rules: AccessRules) -> bool:
    if message.is_mentioned or message.is_reply_to_me:
        return True
    return any(pattern.search(message.text[:4_000]) for pattern in rules.mention_patterns)


def _matches(message: Inbound, names: list[str], policy: ChannelPolicyConfig, *, accepts_star: bool) -> bool:
    known = {message.sender.id.casefold()}
    if policy.dangerously_allow_name_matching:
        known.update(alias.casefold() for alias in message.sender.aliases)
    return any(name.casefold() in known or (accepts_star and name == "*") for name in names)


def _allow(message: Inbound, integrity: Integrity) -> Decision:
    return Decision(Access.ALLOWED, _label(message, integrity))


def _drop(message: Inbound, reason: str) -> Decision:
    return Decision(Access.DROPPED, _label(message, Integrity.EXTERNAL), reason)


def _label(message: Inbound, integrity: Integrity) -> Label:
    level = Integrity.EXTERNAL if message.quoted and integrity < Integrity.USER else integrity
    return Label(level, Confidentiality.CHAT, (f"channel:{message.address.channel}",))
