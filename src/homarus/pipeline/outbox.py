"""From a reply to parts: rendered and cut for the channel, each with a key that makes it exist once."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from homarus.channels.contract import Capabilities
from homarus.channels.sdk.parts import parts_of
from homarus.clock import Clock
from homarus.ids import Address
from homarus.manner import Manner
from homarus.pipeline.accounts import Account, Accounts, ReplyMode
from homarus.pipeline.attachments import Attached, pieces_of
from homarus.storage.records import OutboundMessage, StoredFile

SILENT = "NO_REPLY"
NOTICE = "(sent again after an interruption; you may have seen this) "
"""What a part begins with whose first sending nobody can know about; parts leave room for it."""
FALLBACK = Capabilities()


def is_silent(text: str) -> bool:
    """Tell whether a reply says that nothing should be said."""
    return not text.strip() or text.strip().upper() == SILENT


def part_key(run_id: str, address: Address, index: int) -> str:
    """Return what makes a part of a run exist once."""
    return f"{run_id}:{address.channel}:{index}"


def in_manner(parts: list[OutboundMessage], manner: Manner) -> list[OutboundMessage]:
    """Return the parts of a message as they go in this manner: all without a sound, the last with the buttons."""
    last = len(parts) - 1
    return [
        replace(part, manner=manner if index == last else Manner(is_quiet=manner.is_quiet))
        for index, part in enumerate(parts)
    ]


class Outbox:
    """Makes the parts of a reply; storing them is the run's commit, sending them is delivery."""

    def __init__(self, accounts: Accounts, clock: Clock) -> None:
        self._accounts = accounts
        self._clock = clock

    def needs_sending(self, address: Address) -> bool:
        """Tell whether a reply to an address goes over a network."""
        return not self._accounts.is_transcript(address.channel)

    def reply_mode(self, address: Address) -> ReplyMode:
        """Return which parts of a reply quote the message they answer."""
        account = self._accounts.get(address.channel, address.account)
        return "first" if account is None else account.reply_mode

    def first_text(self, address: Address, text: str) -> str:
        """Return the text of part 0 of what a run has said so far; empty when the chat shows no growing replies."""
        account = self._accounts.get(address.channel, address.account)
        if account is None or not account.is_streaming:
            return ""
        pieces = self._pieces(account, text)
        return pieces[0] if pieces else ""

    def parts(
        self,
        run_id: str,
        address: Address,
        text: str,
        reply_to: str | None = None,
        files: Sequence[Attached] = (),
    ) -> list[OutboundMessage]:
        """Return the parts of a reply, files behind its text; none when it is silent and has no files.

        `dedupe_key` is `<run_id>:<channel>:<index>`. Part 0 is always text: it may be shown already as a preview.
        """
        account = self._accounts.get(address.channel, address.account)
        can = account.capabilities if account is not None else FALLBACK
        texts = [] if is_silent(text) else self._pieces(account, text)
        pieces: list[tuple[str, StoredFile | None]] = [(piece, None) for piece in texts]
        first = 0 if pieces else 1
        pieces += pieces_of(files, can)
        quotes_all = account is not None and account.reply_mode == "all"
        now = self._clock.now_ms()
        return [
            OutboundMessage(
                id=self._clock.uuid(),
                dedupe_key=part_key(run_id, address, index),
                run_id=run_id,
                address=address,
                part_index=index,
                part_count=first + len(pieces),
                text=piece,
                state="pending",
                created_at=now,
                next_at=now,
                reply_to=reply_to if index == first or quotes_all else None,
                media=file,
            )
            for index, (piece, file) in enumerate(pieces, start=first)
        ]

    def _pieces(self, account: Account | None, text: str) -> list[str]:
        can = account.capabilities if account is not None else FALLBACK
        body = f"{account.prefix} {text}" if account is not None and account.prefix else text
        return parts_of(
            body, can, limit=_limit(account, can), by_paragraph=account is not None and account.is_by_paragraph
        )


def _limit(account: Account | None, can: Capabilities) -> int:
    with_notice = can.max_text - len(NOTICE)
    return with_notice if account is None or account.chunk_limit is None else min(account.chunk_limit, with_notice)
