"""What the pipeline knows of each configured channel account: its rules and what its channel can do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from homarus.channels.contract import Capabilities
from homarus.errors import ConfigError
from homarus.pipeline.access import AccessRules

WEBCHAT = "webchat"


@dataclass(frozen=True, slots=True)
class Account:
    """One configured account of a channel. `chunk_limit` lowers the platform's text limit; `prefix` begins
    replies, `is_streaming` shows them while they grow."""

    channel: str
    account: str
    rules: AccessRules
    capabilities: Capabilities
    prefix: str = ""
    chunk_limit: int | None = None
    is_by_paragraph: bool = False
    is_streaming: bool = False


class Accounts:
    """The configured accounts; replaced as a whole when the configuration changes."""

    def __init__(self, accounts: tuple[Account, ...] = ()) -> None:
        self._accounts = {(item.channel, item.account): item for item in accounts}

    def replace(self, accounts: tuple[Account, ...]) -> None:
        """Take over another set of accounts."""
        self._accounts = {(item.channel, item.account): item for item in accounts}

    def get(self, channel: str, account: str) -> Account | None:
        """Return an account, None when it is not configured."""
        return self._accounts.get((channel, account))

    def is_transcript(self, channel: str) -> bool:
        """Tell whether replies on a channel are delivered by being in the transcript."""
        return channel == WEBCHAT


def compile_patterns(patterns: tuple[str, ...] | list[str] | None) -> tuple[re.Pattern[str], ...]:
    """Return the operator's mention patterns, case-insensitive. Raises ConfigError for a broken one."""
    return tuple(_compile(number, pattern) for number, pattern in enumerate(patterns or ()))


def _compile(number: int, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ConfigError(
            f"{pattern!r} is no regular expression: {error}",
            path=f"messages.groupChat.mentionPatterns[{number}]",
            fix=r"correct it; a literal bracket or star needs a backslash before it",
        ) from None
