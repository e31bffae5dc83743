"""Which failures of runs a chat is told of: all, each kind once in a while, or none (`errorPolicy`)."""

from __future__ import annotations

import re

from homarus.channels.chat_rules import ChatRules
from homarus.channels.contract import ChatKind
from homarus.ids import Address
from homarus.manner import ORDINARY, Manner
from homarus.pipeline.accounts import Accounts
from homarus.storage import runs
from homarus.storage.database import Connection
from homarus.storage.records import InboundMessage, Run

COOLDOWN_MS = 4 * 3_600_000
"""Milliseconds in which `once` tells a failure once, unless `errorCooldownMs` says otherwise."""


class ErrorReplies:
    """Decides from the journal, so that a restart changes nothing."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def is_hidden(self, connection: Connection, message: InboundMessage, end: Run) -> bool:
        """Tell whether the chat of a message is not told that its run failed: `once` compares failures without their
        numbers, so that "try again in 7 s" and "in 8 s" are the same one."""
        rules = self._rules(message)
        if rules is None or end.error is None or rules.error_policy == "always":
            return False
        if rules.error_policy == "silent":
            return True
        cooldown = COOLDOWN_MS if rules.error_cooldown_ms is None else rules.error_cooldown_ms
        since = (end.ended_at or 0) - cooldown
        told = runs.select_told_errors(connection, end.session_key, message.address, since)
        return _kind(end.error) in map(_kind, told)

    def manner(self, address: Address) -> Manner:
        """Return how a chat is told: without a sound where `silentErrorReplies` says so."""
        account = self._accounts.get(address.channel, address.account)
        is_quiet = account is not None and getattr(account.rules.policy, "silent_error_replies", None) is True
        return Manner(is_quiet=True) if is_quiet else ORDINARY

    def _rules(self, message: InboundMessage) -> ChatRules | None:
        account = self._accounts.get(message.address.channel, message.address.account)
        return None if account is None else account.rules.chat(ChatKind(message.kind), message.address)


def _kind(error: str) -> str:
    return re.sub(r"\d+", "0", error)
