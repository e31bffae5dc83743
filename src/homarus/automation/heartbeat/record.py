"""What is stored of heartbeats: when an agent's heart beat, the beat that goes on, what waits to be told, the last
event. Each is a small JSON value; everything that belongs together is stored in one commit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from msgspec import Struct, field, to_builtins
from msgspec.structs import replace

from homarus.labels import OPERATOR, Label
from homarus.storage import entries, kv, outbound, sessions
from homarus.storage.database import Connection
from homarus.storage.records import OutboundMessage

HeartbeatEvent = dict[str, object]
"""`{ts, status, reason?, preview?, durationMs?, channel?, to?, accountId?, silent?, indicatorType?}` as clients get
it."""
MAX_ASKED: Final = 20
"""Events that wait for one turn; the oldest are dropped (reference automation §3)."""
_BEATS, _ASKED, _LAST = "heartbeat", "heartbeat-asked", ":last"


class Pending(Struct, frozen=True):
    """A beat whose turn was begun. `before` is how its session looked; `tasks` are the names of the due ones."""

    run_id: str
    key: str
    reason: str
    prompt: str
    started_at: int
    label: list[object] = field(default_factory=OPERATOR.as_json)
    tasks: list[str] = field(default_factory=list[str])
    before: dict[str, object] = field(default_factory=dict[str, object])


class Beaten(Struct, frozen=True):
    """An agent's beats so far: times in milliseconds, `told` what was said last and when, `done` each task's time."""

    last_at: int | None = None
    pending: Pending | None = None
    told: str = ""
    told_at: int = 0
    done: dict[str, int] = field(default_factory=dict[str, int])


class Asked(Struct, frozen=True):
    """Events that want a turn of their own in one session."""

    agent_id: str
    reason: str
    lines: list[str]
    label: list[object]


def read_beaten(connection: Connection, agent_id: str) -> Beaten:
    """Return what is known of an agent."""
    return _beaten(kv.get_value(connection, _BEATS, agent_id))


def read_all(connection: Connection) -> dict[str, Beaten]:
    """Return what is known of every agent."""
    return {name: _beaten(value) for name, value in kv.list_values(connection, _BEATS).items() if name != _LAST}


def put_beaten(connection: Connection, agent_id: str, beaten: Beaten, now: int) -> None:
    """Store what is known of an agent."""
    kv.put_value(connection, _BEATS, agent_id, to_builtins(beaten), now)


def read_last(connection: Connection) -> HeartbeatEvent | None:
    """Return the last event, None when there was none."""
    found = kv.get_value(connection, _BEATS, _LAST)
    return cast("HeartbeatEvent", found) if isinstance(found, dict) else None


def ask(connection: Connection, key: str, wanted: Asked, now: int) -> None:
    """Store events that want a turn, behind those that wait for the same session."""
    known = _asked(kv.get_value(connection, _ASKED, key))
    if known is not None:
        label = Label.from_json(known.label).join(Label.from_json(wanted.label)).as_json()
        wanted = replace(wanted, lines=[*known.lines, *wanted.lines][-MAX_ASKED:], label=label)
    kv.put_value(connection, _ASKED, key, to_builtins(wanted), now)


def read_asked(connection: Connection) -> dict[str, Asked]:
    """Return what wants a turn, by session."""
    found = {key: _asked(value) for key, value in kv.list_values(connection, _ASKED).items()}
    return {key: asked for key, asked in found.items() if asked is not None}


def begin(connection: Connection, agent_id: str, beaten: Beaten, taken: Asked | None, now: int) -> None:
    """Store that a turn begins; the events it takes up no longer wait, those that came since go on waiting."""
    put_beaten(connection, agent_id, beaten, now)
    if taken is None or beaten.pending is None:
        return
    key = beaten.pending.key
    known = _asked(kv.get_value(connection, _ASKED, key))
    left = [line for line in known.lines if line not in taken.lines] if known is not None else []
    kv.delete_value(connection, _ASKED, key)
    if left:
        kv.put_value(connection, _ASKED, key, to_builtins(replace(taken, lines=left)), now)


def skip(connection: Connection, agent_id: str, beaten: Beaten, event: HeartbeatEvent, now: int) -> None:
    """Store that a beat came to nothing."""
    put_beaten(connection, agent_id, beaten, now)
    kv.put_value(connection, _BEATS, _LAST, event, now)


def finish(
    connection: Connection,
    agent_id: str,
    pending: Pending,
    beaten: Beaten,
    event: HeartbeatEvent,
    parts: tuple[OutboundMessage, ...],
    forget: tuple[str, int] | None,
    now: int,
) -> bool:
    """Store how a beat ended, with the parts of what it says; False when that was stored before.

    `forget` names the transcript, and when the run ended, of a beat that is to leave no trace in its session.
    """
    known = read_beaten(connection, agent_id)
    if known.pending is None or known.pending.run_id != pending.run_id:
        return False
    if forget is not None:
        session_id, ended_at = forget
        entries.delete_steps(connection, session_id, pending.run_id)
        sessions.undo_activity(connection, pending.key, pending.before, ended_at)
    outbound.insert_parts(connection, parts)
    skip(connection, agent_id, beaten, event, now)
    return True


def _beaten(value: object) -> Beaten:
    """Read a stored value; one that a newer program wrote counts as none."""
    if not isinstance(value, dict):
        return Beaten()
    found = dict(cast("Mapping[str, object]", value))
    pending = found.pop("pending", None)
    try:
        read = Beaten(**found)  # pyright: ignore[reportArgumentType]
        return replace(read, pending=Pending(**cast("dict[str, object]", pending)) if pending else None)  # pyright: ignore[reportArgumentType]
    except TypeError:
        return Beaten()


def _asked(value: object) -> Asked | None:
    if not isinstance(value, dict):
        return None
    try:
        return Asked(**cast("dict[str, object]", value))  # pyright: ignore[reportArgumentType]
    except TypeError:
        return None
