"""IRC lines, model streams and configuration texts: pure readers of bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.fuzz.mutation import spoil_bytes
from tests.fuzz.watch import Findings

from homarus.channels.irc.inbound import Reader
from homarus.channels.irc.isupport import Isupport
from homarus.channels.irc.settings import Settings
from homarus.channels.irc.view import View
from homarus.channels.irc.wire import Line, WireError, parse, serialise
from homarus.clock import SystemClock
from homarus.config.load import load_text
from homarus.errors import ConfigError
from homarus.models.contract import Completed, Failed, ModelEvent
from homarus.models.wire.openai_chat import ChatStream

CORPUS = Path(__file__).parent / "corpus"
SETTINGS = Settings("default", "irc.example", 6667, tls=False, nick="homarus", username="h", realname="h")


def seeds(name: str, separator: str = "\n") -> list[bytes]:
    """Return the entries of a corpus file."""
    text = (CORPUS / name).read_text(encoding="utf-8").encode()
    return [entry.strip(b"\n") for entry in text.split(separator.encode()) if entry.strip()]


def fuzz_irc(random: Random, count: int, findings: Findings) -> int:
    """Feed lines to the parser and the reader of messages; only WireError may come out."""
    entries = [re.sub(rb"\\x(..)", lambda found: bytes.fromhex(found[1].decode()), line) for line in seeds("irc.txt")]
    reader = Reader(SETTINGS, SystemClock(), lambda _id: False)
    for _ in range(count):
        raw = spoil_bytes(random, random.choice(entries), random.choice(entries))
        findings.try_one(raw, lambda raw=raw: _read_line(raw, reader), (WireError,))
    return count


def _read_line(raw: bytes, reader: Reader) -> None:
    view = View("homarus", isupport=Isupport())
    line = parse(raw)
    if line.command == "BATCH":
        view.note_batch(line)
    if line.command == "005":
        view.isupport.update(line.params[1:-1])
    view.learn_prefix(line.source)
    reader.message(line, view)
    reader.message(Line("PRIVMSG", line.params, line.source, line.tags), view)
    serialise(line.command, *line.params)


def fuzz_streams(random: Random, count: int, findings: Findings) -> int:
    """Feed streams in two different cuts: each ends with exactly one final event, and both say the same."""
    entries = seeds("streams.txt", "\n---\n")
    for _ in range(count):
        body = spoil_bytes(random, random.choice(entries) + b"\n\n", random.choice(entries))
        cuts = sorted(random.randint(0, len(body)) for _ in range(random.randint(0, 6)))
        findings.try_one(body, lambda body=body, cuts=cuts: _compare_cuts(body, cuts))
    return count


def _compare_cuts(body: bytes, cuts: list[int]) -> None:
    whole = _decode([body])
    pieces = _decode([body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)])
    if whole[-1] != pieces[-1]:
        raise AssertionError(f"cut at {cuts}: {pieces[-1]!r} instead of {whole[-1]!r}")


def _decode(chunks: list[bytes]) -> list[ModelEvent]:
    numbers = iter(range(1_000_000))
    stream = ChatStream("p", lambda: f"id{next(numbers)}")
    events: list[ModelEvent] = []
    for chunk in chunks:
        if stream.is_over:
            break
        events.extend(stream.feed(chunk))
    if not stream.is_over:
        events.extend(stream.close())
    ends = [event for event in events if isinstance(event, Completed | Failed)]
    if len(ends) != 1 or ends[0] is not events[-1]:
        raise AssertionError(f"not exactly one end: {events!r}")
    return events


def fuzz_configs(random: Random, count: int, findings: Findings) -> int:
    """Load texts; only ConfigError, with something to read in it, may come out."""
    entries = seeds("configs.txt", "\n---\n")
    for entry in (*entries, b'{"unknown": 1, "agents": {"unknown": 1}}'):  # first uses build validators: no hang
        _load(entry.decode())
    for _ in range(count):
        text = spoil_bytes(random, random.choice(entries), random.choice(entries)).decode("utf-8", "replace")
        findings.try_one(text, lambda text=text: _load(text))
    return count


def _load(text: str) -> None:
    try:
        load_text(text, Path("/nonexistent/homarus.json"), {})
    except ConfigError as error:
        if not str(error).strip():
            raise AssertionError("an error without words") from error


FUZZERS: dict[str, Callable[[Random, int, Findings], int]] = {
    "irc lines": fuzz_irc,
    "model streams": fuzz_streams,
    "configurations": fuzz_configs,
}
