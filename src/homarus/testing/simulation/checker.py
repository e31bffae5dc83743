"""What must be true of every history, whatever failed: nothing lost, nothing said twice unmarked, order per chat."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from msgspec import Struct

from homarus.pipeline.attachments import MAX_FILES, attached_by
from homarus.pipeline.outbox import NOTICE
from homarus.storage import entries, inbound, outbound, runs
from homarus.storage.database import Connection
from homarus.storage.records import InboundMessage, MessageFilter, OutboundMessage, Run
from homarus.testing.simulation.network import Shown
from homarus.testing.simulation.people import Said
from homarus.testing.simulation.process import Evidence

END_STATES = frozenset({"delivered", "silent", "dropped", "failed"})
EXPECTED = {
    "answered": frozenset({"delivered", "silent", "failed"}),
    "dropped": frozenset({"dropped"}),
    "paired": frozenset({"dropped"}),
    "stops": frozenset({"silent", "failed", "delivered"}),  # with nothing to stop it is ordinary text
}
SILENCES = ("nothing to say", "stopped by the sender", "aborted: stop", "aborted: interrupt")
QUEUE_FULL = "queue full: "
"""A message that was too many is dropped by this name, whatever was expected of it."""
_MARK = re.compile(r"\[c\d+m\d+\.\d+/\d+\]")


class History(Struct, frozen=True):
    """What everybody has at the end: what was said, what the journal holds, what people were shown."""

    said: Sequence[Said]
    messages: Sequence[InboundMessage]
    runs: dict[str, Run]
    parts: dict[str, list[OutboundMessage]]
    files: dict[str, list[str]]
    shown: Sequence[Shown]
    evidence: Evidence


Journal = tuple[list[InboundMessage], dict[str, Run], dict[str, list[OutboundMessage]], dict[str, list[str]]]


def read_journal(connection: Connection) -> Journal:
    """Return the messages in the order of their commits, and the run, the parts and the marked files of each."""
    messages = inbound.select_messages(connection, MessageFilter(limit=10_000))[::-1]
    names = dict.fromkeys(message.run_id for message in messages if message.run_id is not None)
    found = {name: run for name in names if (run := runs.select_run(connection, name)) is not None}
    files = {name: attached_by(entries.select_steps(connection, run.session_id, name)) for name, run in found.items()}
    marked = {name: [item.file.id for item in each] for name, each in files.items()}
    return messages, found, {name: outbound.select_parts(connection, name) for name in names}, marked


def violations(history: History) -> Iterator[str]:
    """Yield everything that must not be."""
    yield from dict.fromkeys(history.evidence.complaints)
    yield from _losses(history)
    yield from _effects(history)
    yield from _doubles(history)
    yield from _disorder(history)
    for call_id, count in history.evidence.payments.items():
        if count > 1:
            yield f"paid {count} times for one call: {call_id}"


def _losses(history: History) -> Iterator[str]:
    journal = {message.external_id: message for message in history.messages}
    for said in history.said:
        message = journal.get(said.name)
        if message is None:
            yield f"lost: {said.name} was said and is not in the journal"
        elif message.state not in END_STATES:
            yield f"stuck: {said.name} is {message.state}; trail: {_story(message)}"
        elif message.state not in EXPECTED[said.expect] and not message.reason.startswith(QUEUE_FULL):
            yield f"wrong end: {said.name} should be {said.expect} and is {message.state} ({message.reason})"
    for name, count in Counter(message.external_id for message in history.messages).items():
        if count > 1 or name not in {said.name for said in history.said}:
            yield f"accepted {count} times: {name}"


def _story(message: InboundMessage) -> str:
    return " | ".join(message.trail.splitlines())


def _effects(history: History) -> Iterator[str]:
    """Compare how each message ended with what its people saw."""
    seen = {shown.part_id for shown in history.shown}
    for message in history.messages:
        parts = history.parts.get(message.run_id or "", [])
        states = Counter(part.state for part in parts)
        if message.state == "silent" and not message.reason.startswith(SILENCES):
            yield f"silence without consent: {message.external_id}: {message.reason}"
        if message.state in ("delivered", "failed") and not parts:
            yield f"{message.state}, but nothing was sent: {message.external_id} ({message.reason})"
        if message.state == "delivered" and not all(part.id in seen for part in parts if _says_something(part)):
            yield f"delivered, but not shown: {message.external_id}"
        if message.state == "failed" and message.reason.startswith("user told") and set(states) != {"sent"}:
            yield f"failed, but the user was not told: {message.external_id} {dict(states)}"
        if states["dead"] and not message.reason.startswith("not delivered"):
            yield f"dead parts, but {message.state}: {message.external_id} ({message.reason})"
    yield from _wrong_texts(history, seen)


def _wrong_texts(history: History, seen: set[str]) -> Iterator[str]:
    """Every line of a reply is in its parts, in order."""
    for name, run in history.runs.items():
        # What was shown while it grew stays when the run is stopped.
        text = " ".join(part.text for part in history.parts[name] if part.state != "preview")
        if run.address is not None and _MARK.findall(run.text) != _MARK.findall(text) and run.state == "done":
            yield f"the parts of run {name} are not its reply"
        sent = [part.media.id for part in history.parts[name] if part.media is not None]
        if run.state == "done" and run.address is not None and sent != history.files[name][:MAX_FILES]:
            yield f"the files of run {name} are not its parts"
        yield from _stale_texts(name, history)
        said = [part for part in history.parts[name] if _says_something(part)]
        if any(part.state == "sent" and part.id not in seen for part in said):
            yield f"sent, but not shown: a part of run {name}"


def _says_something(part: OutboundMessage) -> bool:
    """Tell whether people are to see a part; one with nothing in it takes back what was shown while it grew, and a
    preview of a reply that ended without words may have got lost."""
    return part.state != "preview" and (bool(part.text) or part.media is not None)


def _stale_texts(name: str, history: History) -> Iterator[str]:
    """A reply that was shown while it grew stands there as a whole at the end."""
    shown = {each.part_id: each.text.removeprefix(NOTICE) for each in history.shown}
    for part in history.parts[name]:
        text = part.text.removeprefix(NOTICE)
        if part.state == "sent" and shown.get(part.id, text) != text:
            yield f"not the final text: part {part.id} of run {name} shows {shown[part.id][:40]!r}"


def _doubles(history: History) -> Iterator[str]:
    plain = [shown for shown in history.shown if not shown.text.startswith(NOTICE)]
    for part_id, count in Counter(shown.part_id for shown in plain).items():
        if count > 1:
            yield f"shown {count} times without a notice: part {part_id}"
    known = {part.id for parts in history.parts.values() for part in parts}
    marks = Counter(
        mark
        for shown in plain
        if shown.part_id in known or not _is_announced(shown, history.shown)
        for mark in _MARK.findall(shown.text)
    )
    for mark, count in marks.items():
        if count > 1:
            yield f"answered {count} times: {mark}"


def _is_announced(lost: Shown, everything: Sequence[Shown]) -> bool:
    """Tell whether the next answer in a chat, after what was shown of one before it was lost, begins with a notice."""
    later = everything[everything.index(lost) + 1 :]
    answers = (each.text for each in later if each.address == lost.address and _MARK.search(each.text))
    return next(answers, "").startswith(NOTICE)


def _misdirected(history: History) -> Iterator[str]:
    """Nobody is shown the answer to what was said in another chat."""
    home = {said.name: said.inbound.address for said in history.said}
    for shown in history.shown:
        for mark in _MARK.findall(shown.text):
            if home[mark[1:].partition(".")[0]] != shown.address:
                yield f"shown in {shown.address.chat}, but said elsewhere: {mark}"


def _disorder(history: History) -> Iterator[str]:
    """Replies in a chat come in the order of the messages they answer, and parts in theirs."""
    place = {message.run_id: message.seq for message in reversed(history.messages)}
    index = {part.id: (place[run], part.part_index) for run, parts in history.parts.items() for part in parts}
    last: dict[object, tuple[int, int]] = defaultdict(lambda: (0, 0))
    known: set[str] = set()
    for shown in history.shown:
        if shown.part_id in known or shown.part_id not in index:
            continue
        known.add(shown.part_id)
        if index[shown.part_id] < last[shown.address]:
            yield f"out of order in {shown.address.chat}: {shown.text[:40]!r}"
        last[shown.address] = index[shown.part_id]
    yield from _misdirected(history)
    said = {said.name: number for number, said in enumerate(history.said)}
    taken: dict[object, int] = defaultdict(lambda: -1)
    for message in history.messages:
        number = said.get(message.external_id, -1)
        if number < taken[message.address]:
            yield f"taken in out of order: {message.external_id}"
        taken[message.address] = number
