"""The way in: one commit that recognises a duplicate, journals the message, and decides about access and route.

Only after that commit may a channel acknowledge the message to its platform.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable

from msgspec import Struct
from msgspec.structs import replace

from homarus.channels.contract import Acceptance, Inbound
from homarus.clock import Clock
from homarus.config.schema import Config
from homarus.failpoints import Failpoint, hit
from homarus.labels import Confidentiality, Integrity, Label
from homarus.pipeline.access import Access, Decision, decide
from homarus.pipeline.accounts import Account, Accounts
from homarus.pipeline.ingest import INGESTED, Ingest
from homarus.pipeline.pairing import request_pairing
from homarus.pipeline.routing import route
from homarus.storage import inbound as journal
from homarus.storage import outbound, pairings
from homarus.storage.database import Connection, Database
from homarus.storage.inbound import trail_line
from homarus.storage.records import InboundMessage, OutboundMessage, single_part

MAX_TEXT = 200_000
MAX_ATTACHMENT = 5_000_000


class Stored(Struct, frozen=True):
    """What the journal holds of a message, whether this commit put it there, and whether a pairing reply may wait."""

    message: InboundMessage | None
    is_new: bool = True
    has_reply: bool = False


class Inbox:
    """Accepts messages from channels; implements homarus.channels.contract.Ingress."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        accounts: Accounts,
        config: Callable[[], Config],
        ingest: Ingest,
        on_stored: Callable[[Stored], Awaitable[None]],
    ) -> None:
        self._database = database
        self._clock = clock
        self._accounts = accounts
        self._config = config
        self._ingest = ingest
        self._on_stored = on_stored

    async def accept(self, message: Inbound) -> Acceptance:
        """Journal a message. Raises StorageError when it could not be committed: do not acknowledge it then.

        A caller that is cancelled does not keep a committed message from being answered: not every platform sends it
        again. A message that is known is passed on as well, because the first time may have failed after its commit.
        """
        work = asyncio.ensure_future(self._accept(message))
        work.add_done_callback(_retrieve)
        return await asyncio.shield(work)

    async def _accept(self, message: Inbound) -> Acceptance:
        hit(Failpoint.INBOX_BEFORE_COMMIT)
        stored = await self._database.write(self._store, message)
        hit(Failpoint.INBOX_AFTER_COMMIT)
        await self._on_stored(stored)
        return Acceptance.ACCEPTED if stored.is_new else Acceptance.DUPLICATE

    def _store(self, connection: Connection, message: Inbound) -> Stored:
        address = message.address
        account = self._accounts.get(address.channel, address.account)
        decision = self._decide(connection, message, account)
        row = self._row(message, decision)
        if not journal.insert_inbound(connection, row):
            known = journal.select_known(connection, address, message.external_id)
            return Stored(known, is_new=False, has_reply=decision.access is Access.PAIRING)
        if account is not None and self._ingest.keep(connection, message, decision, account.rules):
            journal.move_inbound(connection, [row.id], "silent", row.received_at, reason=INGESTED)
            return Stored(replace(row, state="silent", reason=INGESTED))
        if decision.access is not Access.PAIRING:
            return Stored(row)
        reply = request_pairing(connection, message, self._clock)
        if reply is not None:
            outbound.insert_parts(connection, [self._pairing_part(message, reply, row)])
        return Stored(row, has_reply=reply is not None)

    def _decide(self, connection: Connection, message: Inbound, account: Account | None) -> Decision:
        if account is None:
            label = Label(Integrity.EXTERNAL, Confidentiality.CHAT, (f"channel:{message.address.channel}",))
            return Decision(Access.DROPPED, label, "the channel account is not configured")
        address = message.address

        def is_approved() -> bool:
            return pairings.is_allowed(connection, address.channel, address.account, message.sender.id)

        def agent() -> str:
            return route(message, self._config()).agent_id

        return decide(message, account.rules, is_approved=is_approved, agent=agent)

    def _row(self, message: Inbound, decision: Decision) -> InboundMessage:
        now = self._clock.now_ms()
        chat = decision.chat
        target = route(message, self._config(), chat.agent_id) if chat is not None else None
        state = "queued" if target is not None else "dropped"
        trail = trail_line(now, "received", f"from {message.sender.id}") + trail_line(now, state, decision.reason)
        return InboundMessage(
            id=self._clock.uuid(),
            address=message.address,
            external_id=message.external_id,
            kind=message.kind.value,
            sender_id=message.sender.id,
            sender_name=message.sender.name,
            text=message.text[:MAX_TEXT],
            payload=_payload(message) | _origin(decision),
            label=decision.label,
            state=state,
            reason=decision.reason,
            agent_id=target.agent_id if target else None,
            session_key=str(target.session_key) if target else None,
            sent_at=message.sent_at,
            received_at=now,
            trail=trail,
        )

    def _pairing_part(self, message: Inbound, reply: str, row: InboundMessage) -> OutboundMessage:
        return single_part(self._clock.uuid(), f"pairing:{row.id}", message.address, reply, row.received_at)


def _retrieve(work: asyncio.Task[Acceptance]) -> None:
    """Look at a failure that a cancelled caller left behind, so that it does not count as unseen."""
    if not work.cancelled():
        work.exception()


def _origin(decision: Decision) -> dict[str, object]:
    """Return what the rules of its chat make of the turn of a message; nothing when they leave it as it is."""
    chat, tools = decision.chat, decision.tools
    if chat is None or not (chat.prompt or chat.skills is not None or tools is not None):
        return {}
    origin: dict[str, object] = {"kind": "channel"}
    if chat.prompt:
        origin["extra"] = chat.prompt
    if chat.skills is not None:
        origin["skills"] = chat.skills
    if tools is not None:
        origin["tools"] = tools.model_dump(by_alias=True, exclude_none=True)
    return {"origin": origin}


def _payload(message: Inbound) -> dict[str, object]:
    payload: dict[str, object] = {}
    if message.reply_to:
        payload["reply_to"] = message.reply_to
    if message.quoted:
        payload["quoted"] = message.quoted[:10_000]
    images = [
        {"mime": item.mime, "data": base64.b64encode(item.data).decode()}
        for item in message.attachments
        if item.data is not None and len(item.data) <= MAX_ATTACHMENT and item.mime.startswith("image/")
    ]
    if images:
        payload["images"] = images
    files = [
        {"mime": item.mime, "name": item.name[:200], "ref": item.ref, "size": item.size}
        for item in message.attachments
        if item.data is None and item.ref is not None
    ]
    if files:
        payload["files"] = files
    if len(message.text) > MAX_TEXT:
        payload["cut"] = len(message.text) - MAX_TEXT
    return payload
