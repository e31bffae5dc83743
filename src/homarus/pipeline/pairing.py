"""Pairing: an unknown sender gets a code, the owner approves it, and the sender is on the allowlist.

Codes have 8 characters without 0, O, 1 and I, live for an hour, and at most 3 wait per account.
"""

from __future__ import annotations

from collections.abc import Callable

from homarus.channels.contract import Inbound
from homarus.clock import Clock
from homarus.errors import UserError
from homarus.storage import inbound, outbound, pairings
from homarus.storage.database import Connection, Database
from homarus.storage.records import PairingRequest, single_part

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 8
LIFETIME_MS = 3_600_000
MAX_PENDING = 3

REPLY = """\
Hello. I do not know you yet, so I have not read your message.
Your id: {sender}
Pairing code: {code}
Ask my owner to run: homarus pairing approve {channel} {code}"""

WELCOME = "My owner has let you in. I have not read what you wrote before; write it again, and I will."


def request_pairing(connection: Connection, message: Inbound, clock: Clock) -> str | None:
    """Store a request and return the reply that carries its code; None when nothing should be said.

    A sender who asks again within the hour, and one too many for the account, get no further reply.
    """
    now, address = clock.now_ms(), message.address
    pairings.drop_expired(connection, now - LIFETIME_MS)
    known = pairings.find_request(connection, address.channel, address.account, message.sender.id)
    if known is not None:
        pairings.touch_request(connection, known, now)
        return None
    if pairings.count_requests(connection, address.channel, address.account) >= MAX_PENDING:
        return None
    code = clock.choice(ALPHABET, CODE_LENGTH)
    sender = message.sender
    pairings.insert_request(
        connection, PairingRequest(address.channel, address.account, sender.id, sender.name, code, now, now)
    )
    return REPLY.format(sender=sender.id, code=code, channel=address.channel)


class Pairing:
    """The owner's side of pairing."""

    def __init__(
        self, database: Database, clock: Clock, on_parts: Callable[[str, str], None] = lambda _channel, _account: None
    ) -> None:
        """`on_parts` is told that a channel account has something to send."""
        self._database = database
        self._clock = clock
        self._on_parts = on_parts

    async def list(self, channel: str | None = None) -> list[PairingRequest]:
        """Return the requests that wait, oldest first."""
        oldest = self._clock.now_ms() - LIFETIME_MS
        requests = await self._database.read(pairings.select_requests, channel)
        return [request for request in requests if request.created_at >= oldest]

    async def approve(self, channel: str, code: str, *, tells: bool = True) -> PairingRequest:
        """Put the sender of a code on the allowlist and, in the same commit, a word for them into the outbox.

        Raises UserError for an unknown or expired code.
        """
        word = self._clock.uuid() if tells else None
        request = await self._database.write(_approve, channel, code.strip().upper(), self._clock.now_ms(), word)
        if tells:
            self._on_parts(request.channel, request.account)
        return request

    async def dismiss(self, channel: str, code: str) -> bool:
        """Drop a request; False when there is none with this code. Whoever writes again gets a new code."""
        return await self._database.write(pairings.take_request, channel, code.strip().upper()) is not None


def _approve(connection: Connection, channel: str, code: str, now: int, word: str | None) -> PairingRequest:
    request = pairings.take_request(connection, channel, code)
    if request is None or request.created_at < now - LIFETIME_MS:
        raise UserError(
            f"no pairing request on {channel} has the code {code!r}",
            fix="see `homarus pairing list`; codes live 1 hour",
        )
    pairings.allow(connection, request.channel, request.account, request.sender_id, "pairing", now)
    if word is not None:
        _tell(connection, request, word, now)
    return request


def _tell(connection: Connection, request: PairingRequest, part_id: str, now: int) -> None:
    """Answer in the chat from which the sender asked; what was forgotten by now has no chat."""
    asked = inbound.select_newest(connection, request.channel, request.account, request.sender_id)
    if asked is not None:
        key = f"paired:{request.code}:{request.created_at}"
        outbound.insert_parts(connection, [single_part(part_id, key, asked.address, WELCOME, now)])
