"""The journal of what came in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Text, bindparam, func, or_, select, update

from homarus.ids import Address
from homarus.labels import Label
from homarus.storage.dialect import insert_ignore
from homarus.storage.records import InboundMessage, MessageFilter
from homarus.storage.statement import Statement
from homarus.storage.tables import inbound, outbound, runs

OPEN_STATES = ("queued", "running")

# Statements of the hot path are built once: building one costs more than running it.
_BY_RUN = Statement(select(inbound).where(inbound.c.run_id == bindparam("run")).order_by(inbound.c.seq))
_MOVED: dict[str, Any] = {
    "state": bindparam("new_state"),
    "reason": bindparam("new_reason"),
    "updated_at": bindparam("now"),
    "trail": inbound.c.trail + bindparam("line", type_=Text),
}
_UPDATE = (
    update(inbound)
    .where(inbound.c.id == bindparam("wanted"))
    .values({**_MOVED, "run_id": func.coalesce(bindparam("run", type_=Text), inbound.c.run_id)})
)
_MOVE = Statement(_UPDATE)
_CLAIM = Statement(
    _UPDATE.where(
        or_(*(inbound.c.state == state for state in OPEN_STATES)),
        or_(inbound.c.run_id.is_(None), inbound.c.run_id == bindparam("run", type_=Text)),
    )
)
_SETTLE = Statement(
    update(inbound).where(inbound.c.run_id == bindparam("run"), inbound.c.state == "replied").values(_MOVED)
)
_NOTE = Statement(
    update(inbound)
    .where(inbound.c.run_id == bindparam("run"))
    .values({"trail": inbound.c.trail + bindparam("line", type_=Text)})
)
_PART_STATES = Statement(select(outbound.c.state, outbound.c.error).where(outbound.c.run_id == bindparam("run")))
_RUN_ERROR = Statement(select(runs.c.error).where(runs.c.id == bindparam("run")))


def insert_inbound(connection: Connection, message: InboundMessage) -> bool:
    """Store a message; False when its channel, account and external id are known already."""
    values = {
        "id": message.id,
        "channel": message.address.channel,
        "account": message.address.account,
        "chat": message.address.chat,
        "thread": message.address.thread,
        "external_id": message.external_id,
        "kind": message.kind,
        "sender_id": message.sender_id,
        "sender_name": message.sender_name,
        "text": message.text,
        "payload": message.payload,
        "label": message.label.as_json(),
        "state": message.state,
        "reason": message.reason,
        "agent_id": message.agent_id,
        "session_key": message.session_key,
        "run_id": message.run_id,
        "sent_at": message.sent_at,
        "received_at": message.received_at,
        "updated_at": message.received_at,
        "trail": message.trail,
    }
    return insert_ignore(connection, inbound, values)


def select_open(connection: Connection) -> list[InboundMessage]:
    """Return every message that is queued or running, oldest first."""
    query = select(inbound).where(inbound.c.state.in_(OPEN_STATES)).order_by(inbound.c.seq)
    return [read_inbound(row) for row in connection.execute(query)]


def is_busy(connection: Connection, session_key: str) -> bool:
    """Tell whether messages of a session wait or are being answered."""
    query = select(inbound.c.id).where(inbound.c.state.in_(OPEN_STATES), inbound.c.session_key == session_key)
    return connection.execute(query.limit(1)).first() is not None


def select_known(connection: Connection, address: Address, external_id: str) -> InboundMessage | None:
    """Return the message a platform knows by an id, None when it was never stored."""
    query = select(inbound).where(
        inbound.c.channel == address.channel,
        inbound.c.account == address.account,
        inbound.c.external_id == external_id,
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else read_inbound(row)


def select_newest(connection: Connection, channel: str, account: str, sender_id: str) -> InboundMessage | None:
    """Return the last message of a sender, None when there is none."""
    whose = (inbound.c.channel == channel, inbound.c.account == account, inbound.c.sender_id == sender_id)
    row = connection.execute(select(inbound).where(*whose).order_by(inbound.c.seq.desc()).limit(1)).one_or_none()
    return None if row is None else read_inbound(row)


def select_by_run(connection: Connection, run_id: str) -> list[InboundMessage]:
    """Return the messages a run answers, oldest first."""
    return [read_inbound(row) for row in _BY_RUN.rows(connection, {"run": run_id})]


def select_earlier(connection: Connection, message: InboundMessage, look_back: int) -> Iterator[InboundMessage]:
    """Yield the earlier messages of a chat, newest first, from among the `look_back` rows before `message`."""
    seq = select(inbound.c.seq).where(inbound.c.id == message.id).scalar_subquery()
    address = message.address
    query = (
        select(inbound)
        .where(inbound.c.seq < seq, inbound.c.seq >= seq - look_back)
        .where(inbound.c.channel == address.channel, inbound.c.account == address.account)
        .where(inbound.c.chat == address.chat, inbound.c.thread.is_not_distinct_from(address.thread))
        .order_by(inbound.c.seq.desc())
    )
    with connection.execute(query) as rows:
        for row in rows:
            yield read_inbound(row)


def select_waiting(connection: Connection, session_key: str, limit: int) -> list[InboundMessage]:
    """Return the messages of a session that no run took up yet, oldest first."""
    where = (inbound.c.session_key == session_key, inbound.c.state == "queued")
    query = select(inbound).where(*where).order_by(inbound.c.seq).limit(limit)
    return [read_inbound(row) for row in connection.execute(query)]


def move_inbound(
    connection: Connection,
    ids: Sequence[str],
    state: str,
    now: int,
    *,
    reason: str = "",
    run_id: str | None = None,
) -> None:
    """Put messages into a state and note it on their trails."""
    values = {
        "new_state": state,
        "new_reason": reason,
        "now": now,
        "line": trail_line(now, state, reason),
        "run": run_id,
    }
    for each in ids:
        _MOVE.run(connection, {"wanted": each, **values})


def claim_inbound(connection: Connection, reasons: Mapping[str, str], now: int, *, run_id: str) -> frozenset[str]:
    """Let a run take messages that still wait for one (ids with what their trail says), and return those it got."""
    values = {"new_state": "running", "now": now, "run": run_id}
    got: list[str] = []
    for each, reason in reasons.items():
        line = trail_line(now, "running", reason)
        if _CLAIM.run(connection, {"wanted": each, "new_reason": reason, "line": line, **values}):
            got.append(each)
    return frozenset(got)


def note_run(connection: Connection, run_id: str, now: int, step: str, detail: str) -> None:
    """Note on the trails of a run's messages something that changes no state."""
    _NOTE.run(connection, {"run": run_id, "line": trail_line(now, step, detail)})


def settle_replied(connection: Connection, run_id: str, now: int) -> None:
    """Move a run's answered messages to their end state once none of its parts is still on its way."""
    states = {str(state): error for state, error in _PART_STATES.rows(connection, {"run": run_id})}
    if states.keys() & {"pending", "sending", "ambiguous"}:
        return
    run = _RUN_ERROR.row(connection, {"run": run_id})
    state, reason = _end_state(states.get("dead"), None if run is None else run.error)
    line = trail_line(now, state, reason)
    _SETTLE.run(connection, {"run": run_id, "new_state": state, "new_reason": reason, "now": now, "line": line})


def select_messages(connection: Connection, where: MessageFilter) -> list[InboundMessage]:
    """Return messages, newest first."""
    query = select(inbound).order_by(inbound.c.seq.desc()).limit(where.limit)
    if where.state is not None:
        query = query.where(inbound.c.state == where.state)
    if where.channel is not None:
        query = query.where(inbound.c.channel == where.channel)
    if where.before is not None:
        query = query.where(inbound.c.seq < where.before)
    return [read_inbound(row) for row in connection.execute(query)]


def select_message(connection: Connection, message_id: str) -> InboundMessage | None:
    """Return one message by its id, its run id or its platform's id."""
    query = select(inbound).where(
        or_(inbound.c.id == message_id, inbound.c.run_id == message_id, inbound.c.external_id == message_id)
    )
    row = connection.execute(query.order_by(inbound.c.seq.desc()).limit(1)).one_or_none()
    return None if row is None else read_inbound(row)


def count_states(connection: Connection) -> Mapping[str, int]:
    """Return how many messages stand in each state."""
    query = select(inbound.c.state, func.count()).group_by(inbound.c.state)
    return {str(state): int(count) for state, count in connection.execute(query)}


def trail_line(now: int, step: str, detail: str = "") -> str:
    """Return one line of a message's story: `<ms> <step> <detail>`."""
    return f"{now} {step} {' '.join(detail.split())}".rstrip() + "\n"


def _end_state(dead_error: str | None, run_error: str | None) -> tuple[str, str]:
    if dead_error is not None:
        return "failed", f"not delivered: {dead_error}"
    return ("failed", f"user told: {run_error}") if run_error else ("delivered", "")


def read_inbound(row: Row[Any]) -> InboundMessage:
    """Return a stored row as a value."""
    return InboundMessage(
        id=row.id,
        address=Address(row.channel, row.account, row.chat, row.thread),
        external_id=row.external_id,
        kind=row.kind,
        sender_id=row.sender_id,
        sender_name=row.sender_name,
        text=row.text,
        payload=row.payload,
        label=Label.from_json(row.label),
        state=row.state,
        reason=row.reason,
        agent_id=row.agent_id,
        session_key=row.session_key,
        run_id=row.run_id,
        sent_at=row.sent_at,
        received_at=row.received_at,
        trail=row.trail,
        seq=row.seq,
    )
