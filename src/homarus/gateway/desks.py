"""The journal and the pairing requests as operations look at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from homarus.clock import Clock
from homarus.errors import UserError
from homarus.gateway.services import MessageRecord, MessageStory, OutboundRecord, PairingRequest, RunRecord, StepRecord
from homarus.pipeline.pairing import Pairing
from homarus.storage import entries, inbound, outbound, runs
from homarus.storage.database import Connection, Database
from homarus.storage.records import Entry, InboundMessage, MessageFilter, OutboundMessage, Run
from homarus.storage.records import PairingRequest as StoredRequest


class Messages:
    """Implements homarus.gateway.services.MessageDesk."""

    def __init__(self, database: Database, clock: Clock, requeue: Callable[[InboundMessage], None]) -> None:
        self._database = database
        self._clock = clock
        self._requeue = requeue

    async def list(self, *, state: str | None, channel: str | None, limit: int) -> tuple[MessageRecord, ...]:
        """Return messages, newest first."""
        where = MessageFilter(limit=limit, state=state, channel=channel)
        return tuple(_record(item) for item in await self._database.read(inbound.select_messages, where))

    async def show(self, message_id: str) -> MessageStory | None:
        """Return one message with the parts that answered it."""
        return await self._database.read(_story, message_id)

    async def retry(self, message_id: str) -> MessageRecord:
        """Send dead parts again, or answer a failed message anew. Raises UserError when there is nothing to retry."""
        message = await self._database.write(_retry, message_id, self._clock.now_ms(), self._clock.uuid())
        self._requeue(message)
        return _record(message)


class PairingRequests:
    """Implements homarus.gateway.services.PairingDesk."""

    def __init__(self, pairing: Pairing) -> None:
        self._pairing = pairing

    async def list(self, channel: str | None) -> tuple[PairingRequest, ...]:
        """Return open requests."""
        return tuple(_request(item) for item in await self._pairing.list(channel))

    async def approve(self, channel: str, code: str, *, tells: bool = True) -> PairingRequest | None:
        """Let the owner of a code in; None when no open request has it."""
        try:
            return _request(await self._pairing.approve(channel, code, tells=tells))
        except UserError:
            return None

    async def dismiss(self, channel: str, code: str) -> bool:
        """Drop a request; False when no open request has the code."""
        return await self._pairing.dismiss(channel, code)


def _story(connection: Connection, message_id: str) -> MessageStory | None:
    message = inbound.select_message(connection, message_id)
    if message is None:
        return None
    run_id = message.run_id
    parts = tuple(_parts(outbound.select_parts(connection, run_id))) if run_id else ()
    run = runs.select_run(connection, run_id) if run_id else None
    if run is None:
        return MessageStory(_record(message), parts)
    steps = entries.select_steps(connection, run.session_id, run.id)
    return MessageStory(_record(message), parts, _run(run), tuple(_step(entry) for entry in steps))


def _retry(connection: Connection, message_id: str, now: int, fresh_id: str) -> InboundMessage:
    message = inbound.select_message(connection, message_id)
    if message is None:
        raise UserError(f"no message {message_id!r}", fix="see `homarus messages list`")
    if message.state != "failed":
        raise UserError(
            f"message {message.id} is {message.state}, not failed", fix="only failed messages can be retried"
        )
    if message.run_id and outbound.revive_dead(connection, message.run_id, now):
        inbound.move_inbound(connection, [message.id], "replied", now, reason="sent again by hand")
    else:
        run_id = f"retry-{fresh_id}"
        inbound.move_inbound(connection, [message.id], "queued", now, reason="retried by hand", run_id=run_id)
    again = inbound.select_message(connection, message.id)
    if again is None:
        raise UserError(f"message {message_id!r} vanished")
    return again


def _parts(parts: Iterable[OutboundMessage]) -> Iterable[OutboundRecord]:
    for part in parts:
        yield OutboundRecord(
            id=part.id,
            channel=part.address.channel,
            chat=part.address.chat,
            part=part.part_index + 1,
            parts=part.part_count,
            state=part.state,
            attempts=part.attempts,
            text=part.text,
            error=part.error,
            platform_id=part.platform_id,
            updated_at=part.updated_at,
            created_at=part.created_at,
            next_at=part.next_at,
        )


def _run(run: Run) -> RunRecord:
    return RunRecord(
        id=run.id,
        state=run.state,
        model=run.model,
        starts=run.starts,
        started_at=run.started_at,
        ended_at=run.ended_at,
        error=run.error,
        stop_reason=run.stop_reason,
        input_tokens=run.usage.get("input"),
        output_tokens=run.usage.get("output"),
    )


def _step(entry: Entry) -> StepRecord:
    payload = entry.payload
    calls = payload.get("tool_calls")
    names = [str(each.get("name")) for each in calls if isinstance(each, dict)] if isinstance(calls, list) else []  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType, reportUnknownVariableType]
    detail = str(payload.get("name") or payload.get("kind") or ", ".join(names))
    return StepRecord(entry.type, detail, entry.created_at, bool(payload.get("is_error") or payload.get("error")))


def _record(message: InboundMessage) -> MessageRecord:
    trail = tuple(line for line in message.trail.splitlines() if line)
    last = trail[-1].partition(" ")[0] if trail else ""
    return MessageRecord(
        id=message.id,
        channel=message.address.channel,
        account=message.address.account,
        chat=message.address.chat,
        sender_id=message.sender_id,
        sender_name=message.sender_name,
        text=message.text,
        state=message.state,
        reason=message.reason,
        session_key=message.session_key,
        run_id=message.run_id,
        received_at=message.received_at,
        updated_at=int(last) if last.isdigit() else message.received_at,
        trail=trail,
    )


def _request(request: StoredRequest) -> PairingRequest:
    return PairingRequest(
        request.channel,
        request.account,
        request.sender_id,
        request.sender_name,
        request.code,
        request.created_at,
        request.last_seen_at,
    )
