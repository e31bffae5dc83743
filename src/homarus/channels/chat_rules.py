"""The rules of one chat or topic, with everything it inherits from what stands above it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from msgspec import Struct, field
from msgspec.structs import replace

from homarus.channels.contract import Sender
from homarus.channels.policy_config import (
    ChannelPolicyConfig,
    DmPolicy,
    GroupConfig,
    GroupPolicy,
    ToolPolicyConfig,
)


class ChatRules(Struct, frozen=True):
    """What counts in one chat.

    `is_listed` tells that it has an entry of its own or `*`; `allow_from` None that the account's lists count.
    `prompt`, `skills` (None: all), `tools` and `agent_id` shape the turns of the chat. `error_policy` says which
    failures of runs are told there: `always`, `once` within `error_cooldown_ms`, or `silent`. `topic_label` is what the
    model is told that names a new topic of a direct chat: empty for the usual words, None where topics get no name.
    `is_ingesting` keeps what is said to others in a group in its conversation.
    """

    group_policy: GroupPolicy
    dm_policy: DmPolicy
    is_listed: bool = False
    is_enabled: bool = True
    requires_mention: bool = True
    requires_topic: bool = False
    allow_from: list[str] | None = None
    prompt: str = ""
    skills: list[str] | None = None
    tools: ToolPolicyConfig | None = None
    tools_by_sender: Mapping[str, ToolPolicyConfig] = field(default_factory=dict[str, ToolPolicyConfig])
    agent_id: str | None = None
    error_policy: str = "always"
    error_cooldown_ms: int | None = None
    topic_label: str | None = None
    is_ingesting: bool = False

    def tools_for(self, sender: Sender, *, may_match_names: bool) -> ToolPolicyConfig | None:
        """Return the tools rules for a sender: their own, else those for everybody (`*`), else the chat's."""
        if not self.tools_by_sender:
            return self.tools
        keys = [sender.id, f"id:{sender.id}", f"e164:{sender.id}"]
        if may_match_names:
            keys += [f"{kind}:{alias}" for alias in (*sender.aliases, sender.name) for kind in ("username", "name")]
        wanted = {key.casefold() for key in keys}
        own = next((rules for key, rules in self.tools_by_sender.items() if key.casefold() in wanted), None)
        return own or self.tools_by_sender.get("*") or self.tools


def group_rules(policy: ChannelPolicyConfig, chat: str, thread: str | None) -> ChatRules:
    """Return the rules of a group, or of a topic in it: the topic's keys, else the group's, else the account's.

    A group has its own entry or else `*`; only `requireMention` is looked up in both.
    """
    entry = policy.group(chat)
    layers = _layers(entry, thread)
    star = policy.groups.get("*")
    return _rules(policy, layers, is_listed=entry is not None, mentions=[*layers, star])


def direct_rules(policy: ChannelPolicyConfig, chat: str, thread: str | None) -> ChatRules:
    """Return the rules of a direct chat, or of a topic in it, on channels that have entries for them (`direct`)."""
    entries = cast("Mapping[str, object]", getattr(policy, "direct", {}))
    wanted = chat.casefold()
    entry = next((value for key, value in entries.items() if key.casefold() == wanted), entries.get("*"))
    layers = _layers(entry, thread)
    rules = _rules(policy, layers, is_listed=entry is not None, mentions=layers)
    return replace(rules, topic_label=_topic_label(_first([*layers, policy], "auto_topic_label")))


def _topic_label(wanted: object) -> str | None:
    if isinstance(wanted, bool) or wanted is None:
        return "" if wanted else None
    if getattr(wanted, "enabled", None) is False:
        return None
    return str(getattr(wanted, "prompt", None) or "")


def _layers(entry: object, thread: str | None) -> list[object]:
    """Return the entries that count, the most specific first."""
    if entry is None:
        return []
    topics = cast("Mapping[str, object]", getattr(entry, "topics", {}))
    topic = topics.get(thread, topics.get("*")) if thread is not None else None
    return [entry] if topic is None else [topic, entry]


def _rules(
    policy: ChannelPolicyConfig,
    layers: list[object],
    *,
    is_listed: bool,
    mentions: Iterable[object],
) -> ChatRules:
    def first(name: str) -> object:
        return _first(layers, name)

    texts = [str(getattr(layer, "system_prompt", None) or "") for layer in reversed(layers)]
    return ChatRules(
        group_policy=cast("GroupPolicy | None", first("group_policy")) or policy.group_policy,
        dm_policy=cast("DmPolicy | None", first("dm_policy")) or policy.dm_policy,
        is_listed=is_listed,
        is_enabled=all(getattr(layer, "enabled", None) is not False for layer in layers),
        requires_mention=_first(mentions, "require_mention") is not False,
        requires_topic=first("require_topic") is True,
        allow_from=cast("list[str] | None", first("allow_from")),
        prompt="\n\n".join(text for text in texts if text),
        skills=cast("list[str] | None", first("skills")),
        tools=cast("ToolPolicyConfig | None", first("tools")),
        tools_by_sender=cast("GroupConfig", layers[-1]).tools_by_sender if layers else {},
        agent_id=cast("str | None", first("agent_id")),
        is_ingesting=first("ingest") is True,
        error_policy=str(_first([*layers, policy], "error_policy") or "always"),
        error_cooldown_ms=cast("int | None", _first([*layers, policy], "error_cooldown_ms")),
    )


def _first(layers: Iterable[object], name: str) -> object:
    found = (getattr(layer, name, None) for layer in layers)
    return next((value for value in found if value is not None), None)
