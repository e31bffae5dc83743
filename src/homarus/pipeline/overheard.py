"""What was said in a group to nobody here: context for the next answer in it, never a reason to answer."""

from __future__ import annotations

from collections.abc import Sequence

from homarus.channels.contract import ChatKind
from homarus.pipeline.accounts import Accounts
from homarus.pipeline.lanes import Batch
from homarus.pipeline.mentions import NOT_MENTIONED
from homarus.storage import inbound
from homarus.storage.database import Connection
from homarus.storage.records import InboundMessage

LINE = 500
"""Characters that are kept of each of these messages."""
MAX_TEXT = 8_000
"""Characters that are kept of all of them, and four times as many where everything is kept (`ingest`)."""
LOOK_BACK = 2_000
"""Messages of all chats that are looked through; what lies further back is not context any more."""


class Overheard:
    """Looks up, in the journal, what the people of a group said since the last message that was answered there."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def before(self, connection: Connection, batch: Batch, run_id: str) -> list[InboundMessage]:
        """Return what was said before and between the messages of a run, oldest first; nothing in direct chats."""
        last = batch[-1]
        account = self._accounts.get(last.address.channel, last.address.account)
        if last.kind != "group" or account is None:
            return []
        is_ingesting = account.rules.chat(ChatKind.GROUP, last.address).is_ingesting
        limit = LOOK_BACK if is_ingesting else account.history_limit
        if limit == 0:
            return []
        found: list[InboundMessage] = []
        room = 4 * MAX_TEXT if is_ingesting else MAX_TEXT
        for message in inbound.select_earlier(connection, last, LOOK_BACK):
            if message.run_id not in (None, run_id):
                break
            if message.state != "dropped" or message.reason != NOT_MENTIONED or not message.text.strip():
                continue
            room -= min(len(message.text), LINE)
            if len(found) == limit or room < 0:
                break
            found.append(message)
        return found[::-1]


def lines_of(messages: Sequence[InboundMessage]) -> list[str]:
    """Return each message as one line that begins with who said it."""
    return [f"{one_line(each.sender_name or each.sender_id)}: {one_line(each.text)}" for each in messages]


def one_line(text: str, most: int = LINE) -> str:
    """Return a text as one line of at most `most` characters."""
    return " ".join(text[: 4 * most].split())[:most]
