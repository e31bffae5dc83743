"""Who may speak: a pure decision over what the channel reported and what the configuration says.

This is the only place where identity is checked. Anything not allowed by a rule is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from homarus.channels.chat_rules import ChatRules, direct_rules, group_rules
from homarus.channels.contract import ChatKind, Inbound
from homarus.channels.policy_config import ChannelPolicyConfig, DmPolicy, GroupPolicy, ToolPolicyConfig
from homarus.ids import Address
from homarus.labels import Confidentiality, Integrity, Label
from homarus.pipeline.mentions import NOT_MENTIONED, MentionPatterns

ChatKey = tuple[ChatKind, str, str | None]
EVENT = "nothing to answer"
"""The reason of what allowed people do without saying anything."""
MAX_KNOWN = 1_000
"""Chats whose rules are remembered; strangers can come from any number of them."""


class Access(StrEnum):
    """What happens with a message."""

    ALLOWED = "allowed"
    PAIRING = "pairing"
    DROPPED = "dropped"


class Decision(Struct, frozen=True):
    """The outcome: the label of the text when allowed, the reason when dropped, the rules of its chat, and the tools
    its sender may use there (None: those of the agent)."""

    access: Access
    label: Label
    reason: str = ""
    chat: ChatRules | None = None
    tools: ToolPolicyConfig | None = None


class AccessRules(Struct, frozen=True):
    """The rules of one channel account. `mentions` are the operator's words that address an agent."""

    policy: ChannelPolicyConfig
    mentions: MentionPatterns = field(default_factory=MentionPatterns)
    known: dict[ChatKey, ChatRules] = field(default_factory=dict[ChatKey, ChatRules])

    def chat(self, kind: ChatKind, address: Address) -> ChatRules:
        """Return the rules of a chat; worked out once, because every message asks."""
        key = (kind, address.chat, address.thread)
        found = self.known.get(key)
        if found is None:
            rules_of = direct_rules if kind is ChatKind.DIRECT else group_rules
            found = rules_of(self.policy, address.chat, address.thread)
            if len(self.known) >= MAX_KNOWN:
                self.known.clear()
            self.known[key] = found
        return found


def decide(
    message: Inbound, rules: AccessRules, *, is_approved: Callable[[], bool], agent: Callable[[], str]
) -> Decision:
    """Decide about one message. `is_approved` tells whether the sender was paired with this account, `agent` which
    agent its chat is routed to; both are asked only when it matters."""
    if message.sender.is_bot:
        return _drop(message, "the sender is a bot")
    chat = rules.chat(message.kind, message.address)
    if message.kind is ChatKind.DIRECT:
        decision = _decide_direct(message, rules.policy, chat, is_approved=is_approved)
    else:
        decision = _decide_group(message, rules, chat, is_approved=is_approved, agent=agent)
    if message.is_event:
        reason = EVENT if decision.access is Access.ALLOWED else "something done by somebody who is not answered"
        return Decision(Access.DROPPED, decision.label, reason)
    if decision.access is not Access.ALLOWED:
        return decision
    may_match_names = rules.policy.dangerously_allow_name_matching
    return replace(decision, chat=chat, tools=chat.tools_for(message.sender, may_match_names=may_match_names))


def _decide_direct(
    message: Inbound, policy: ChannelPolicyConfig, chat: ChatRules, *, is_approved: Callable[[], bool]
) -> Decision:
    if chat.dm_policy is DmPolicy.DISABLED:
        return _drop(message, "direct messages are disabled")
    if not chat.is_enabled:
        return _drop(message, "this chat is disabled")
    names = policy.allow_from if chat.allow_from is None else chat.allow_from
    if _matches(message, names, policy, accepts_star=False) or is_approved():
        decision = _allow(message, Integrity.USER)
    elif chat.dm_policy is DmPolicy.OPEN:
        decision = _allow(message, Integrity.MEMBER)
    elif chat.dm_policy is DmPolicy.ALLOWLIST:
        return _drop(message, "the sender is not in allowFrom")
    else:
        return Decision(Access.PAIRING, _label(message, Integrity.EXTERNAL), "pairing required")
    if chat.requires_topic and message.address.thread is None:
        return _drop(message, "only topics of this chat are answered")
    return decision


def _decide_group(
    message: Inbound, rules: AccessRules, chat: ChatRules, *, is_approved: Callable[[], bool], agent: Callable[[], str]
) -> Decision:
    policy = rules.policy
    if chat.group_policy is GroupPolicy.DISABLED:
        return _drop(message, "groups are disabled")
    if not chat.is_enabled:
        return _drop(message, "this group is disabled" if message.address.thread is None else "this topic is disabled")
    if chat.group_policy is GroupPolicy.ALLOWLIST and not chat.is_listed:
        return _drop(message, "the group is not in groups")
    is_owner = _matches(message, policy.allow_from, policy, accepts_star=False) or is_approved()
    if chat.group_policy is GroupPolicy.ALLOWLIST and not _is_group_sender(message, policy, chat, is_owner=is_owner):
        return _drop(message, "the sender is not allowed in this group")
    integrity = Integrity.USER if is_owner else Integrity.MEMBER
    if chat.requires_mention and not _is_addressed(message, rules, chat, agent):
        return Decision(Access.DROPPED, _label(message, integrity), NOT_MENTIONED)
    return _allow(message, integrity)


def _is_group_sender(message: Inbound, policy: ChannelPolicyConfig, chat: ChatRules, *, is_owner: bool) -> bool:
    names = chat.allow_from if chat.allow_from is not None else policy.group_allow_from
    if names is None:
        return is_owner
    return _matches(message, names, policy, accepts_star=True)


def _is_addressed(message: Inbound, rules: AccessRules, chat: ChatRules, agent: Callable[[], str]) -> bool:
    if message.is_mentioned or message.is_reply_to_me or message.is_event:
        return True
    return bool(rules.mentions) and rules.mentions.is_match((chat.agent_id or agent()).lower(), message.text)


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
