"""What the pipeline knows of each configured channel account: its rules and what its channel can do."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from homarus.channels.contract import Capabilities
from homarus.pipeline.access import AccessRules

WEBCHAT = "webchat"
ReplyMode = Literal["off", "first", "all", "batched"]


class Account(Struct, frozen=True):
    """One configured account of a channel. `chunk_limit` lowers the platform's text limit; `prefix` begins
    replies, `is_streaming` shows them while they grow, `reply_mode` says which parts quote the message they answer:
    the first in groups, all of them everywhere, the first of an answer to several messages, or none. A run in a group
    is told up to `history_limit` messages that were said there to nobody here."""

    channel: str
    account: str
    rules: AccessRules
    capabilities: Capabilities
    prefix: str = ""
    chunk_limit: int | None = None
    is_by_paragraph: bool = False
    is_streaming: bool = False
    reply_mode: ReplyMode = "first"
    history_limit: int = 0


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
