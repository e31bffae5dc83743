"""Who may talk to the assistant, and what that sets in motion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, cast

from homarus.channels.policy_config import ChannelPolicyConfig, DmPolicy, GroupPolicy, account_ids, resolve_account
from homarus.errors import ConfigError
from homarus.gateway.app import channel_sections
from homarus.gateway.toolkit import policy_of
from homarus.ids import AgentId
from homarus.ops.audit.finding import AuditFinding, SetKey

if TYPE_CHECKING:
    from homarus.config.load import LoadedConfig

POWERFUL: Final = ("exec", "write", "edit", "apply_patch")
"""Tools that change something on this machine."""
PAGE: Final = "webchat"
"""The channel of the gateway's own page, which has no strangers."""


def audit_channels(loaded: LoadedConfig) -> Iterator[AuditFinding]:
    """Yield what is open about channels."""
    try:
        sections = channel_sections(loaded)
    except ConfigError as error:
        place = error.path or "channels"
        yield AuditFinding("channels.refused", "warn", place, error.message, error.fix or "homarus config validate")
        return
    tools = _powerful_tools(loaded)
    speakers = 0
    for name, section in sections.items():
        if name == PAGE:
            continue
        for account in account_ids(section):
            policy = resolve_account(section, account)
            speakers += len(policy.allow_from)
            place = f"channels.{name}" if account == "default" else f"channels.{name}.accounts.{account}"
            yield from _account(place, policy, tools)
    if loaded.config.session.dm_scope == "main" and speakers > 1:
        detail = f"{speakers} people are admitted and share one conversation: each can ask what the others said"
        fix = "set it to per-channel-peer"
        repair = SetKey("session.dmScope", "per-channel-peer")
        yield AuditFinding("security.trust_model.multi_user_heuristic", "warn", "session.dmScope", detail, fix, repair)


def _powerful_tools(loaded: LoadedConfig) -> tuple[str, ...]:
    rules = policy_of(loaded.config, AgentId(loaded.config.agents.default_id))
    return tuple(name for name in POWERFUL if rules.is_allowed(name))


def _account(place: str, policy: ChannelPolicyConfig, tools: tuple[str, ...]) -> Iterator[AuditFinding]:
    is_open = policy.dm_policy is DmPolicy.OPEN
    if is_open:
        what = f"; they reach {', '.join(tools)}" if tools else ""
        detail = f"everybody who finds the account may talk to the assistant{what}"
        name = "security.exposure.open_channels_with_exec" if tools else "channels.dm_policy_open"
        fix = f"set {place}.dmPolicy to pairing"
        yield AuditFinding(name, "critical" if tools else "warn", f"{place}.dmPolicy", detail, fix)
    if "*" in policy.allow_from and not is_open:
        detail = 'everybody is admitted, although dmPolicy is not "open"'
        fix = "list the ids of those who may"
        yield AuditFinding("channels.allow_from_wildcard", "critical", f"{place}.allowFrom", detail, fix)
    if "*" in (policy.group_allow_from or ()):
        yield AuditFinding(
            "channels.groups.allow_from_wildcard",
            "warn",
            f"{place}.groupAllowFrom",
            "everybody in an allowed group gives orders",
            "list the ids of those who may",
        )
    if policy.group_policy is GroupPolicy.OPEN:
        what = f" and reaches {', '.join(tools)}" if tools else ""
        yield AuditFinding(
            "security.exposure.open_groups_with_runtime_or_fs" if tools else "channels.groups.open",
            "critical" if tools else "warn",
            f"{place}.groupPolicy",
            f"every group the account is added to is answered{what}",
            "set it to allowlist, and list the groups",
            SetKey(f"{place}.groupPolicy", "allowlist"),
        )
    if policy.dangerously_allow_name_matching:
        yield AuditFinding(
            "channels.dangerous_name_matching_enabled",
            "warn",
            f"{place}.dangerouslyAllowNameMatching",
            "names can be taken by others; ids cannot",
            "set it to false, and list ids in allowFrom",
            SetKey(f"{place}.dangerouslyAllowNameMatching", "false"),
        )


def open_elevated(loaded: LoadedConfig) -> Iterator[AuditFinding]:
    """Yield channels whose strangers may run commands outside the sandbox."""
    for channel, senders in (loaded.config.tools.elevated.allow_from or {}).items():
        if "*" in cast("tuple[object, ...]", senders):
            yield AuditFinding(
                "tools.elevated.allow_from_wildcard",
                "critical",
                f"tools.elevated.allowFrom.{channel}",
                "everybody there may ask for commands outside the sandbox",
                "list the ids of those who may",
            )
