"""The story of one message as a timeline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

from msgspec import Struct

from homarus.cli.reply import Row, as_row, number, rows, text
from homarus.cli.screen import clean, paint, say

_BEGINNINGS = frozenset({"received", "queued", "running"})
_ENDS = frozenset({"delivered", "failed"})
_DEVICE = re.compile(r"\b[0-9a-f]{64}\b")
_STEPS = {
    "user": "the agent was given the message",
    "assistant": "the model answered",
    "tool_result": "a tool ended",
    "note": "noted",
}


class Moment(Struct, frozen=True, order=True):
    """One thing that happened; `order` keeps things of one millisecond in their order."""

    at: int
    order: int
    what: str


def show_timeline(story: Row) -> None:
    """Print every step with its time and how long after the first it came; each day begins with its date."""
    moments = sorted(_moments(story))
    first = moments[0].at if moments else 0
    day = ""
    for moment in moments:
        if (on := _day(moment.at)) != day:
            day = on
            say(paint(day, "dim"))
        say(f"{paint(_clock(moment.at), 'dim')}  {_since(moment.at - first).rjust(9)}  {clean(moment.what)}")


def show_totals(story: Row) -> None:
    """Print the run's model, tokens and time, and what became of each part."""
    run = as_row(story.get("run"))
    if run:
        say()
        say(clean(_describe_run(run)))
    for part in rows(story, "parts"):
        say()
        say(clean(_describe_part(part)))
        say(clean(text(part, "text"), keep_lines=True))


def _moments(story: Row) -> Iterator[Moment]:
    listed = story.get("trail")
    lines = [str(line) for line in cast("list[object]", listed)] if isinstance(listed, list) else []
    for order, line in enumerate(lines):
        stamp, _, what = line.partition(" ")
        if stamp.isdigit():
            # What ends a run is one commit with its last step, and is told after it.
            step = what.partition(" ")[0]
            later = 0 if step in _BEGINNINGS else 20_000 if step in _ENDS else 1_000
            yield Moment(int(stamp), order + later, _DEVICE.sub(_short, what))
    for order, step in enumerate(rows(story, "steps"), start=500):
        yield Moment(number(step, "atMs"), order, _describe_step(step))
    for order, part in enumerate(rows(story, "parts"), start=10_000):
        which = f"part {text(part, 'part')} of {text(part, 'parts')}"
        if number(part, "updatedAtMs") > number(part, "createdAtMs") or text(part, "state") != "pending":
            yield Moment(number(part, "updatedAtMs"), order, f"{which} is {text(part, 'state')}")


def _short(found: re.Match[str]) -> str:
    return f"device {found.group()[:8]}"


def _describe_step(step: Row) -> str:
    kind, detail = text(step, "kind"), text(step, "detail")
    words = _STEPS.get(kind, kind)
    if kind == "assistant" and step.get("isError"):
        return "the model gave no usable answer"
    if kind == "assistant" and detail:
        words = f"the model called {detail}"
    elif detail:
        words = f"{words}: {detail}"
    return f"{words} (failed)" if step.get("isError") else words


def _describe_run(run: Row) -> str:
    ended = run.get("endedAtMs")
    took = f", {_since(number(run, 'endedAtMs') - number(run, 'startedAtMs'))[1:]}" if ended else ", still going"
    tokens = f", {number(run, 'inputTokens')} tokens in and {number(run, 'outputTokens')} out" if ended else ""
    starts = number(run, "starts")
    resumed = f", begun {starts} times" if starts > 1 else ""
    error = f": {text(run, 'error')}" if run.get("error") else ""
    return f"run {text(run, 'id')} {text(run, 'state')}{error}, {text(run, 'model', 'no model')}{tokens}{took}{resumed}"


def _describe_part(part: Row) -> str:
    state, error = text(part, "state"), text(part, "error")
    tries = number(part, "attempts")
    which = f"reply part {text(part, 'part')} of {text(part, 'parts')}"
    line = f"{which}: {state} after {tries} attempt{'' if tries == 1 else 's'}"
    if state == "sent" and number(part, "createdAtMs"):
        line += f" in {_since(number(part, 'updatedAtMs') - number(part, 'createdAtMs'))[1:]}"
    if state in {"pending", "ambiguous"} and number(part, "nextAtMs"):
        line += f", next at {_clock(number(part, 'nextAtMs'))}"
    platform = f", {text(part, 'channel')} knows it as {text(part, 'platformId')}" if part.get("platformId") else ""
    return f"{line}{platform}{f', {error}' if error else ''}"


def _clock(moment_ms: int) -> str:
    return f"{datetime.fromtimestamp(moment_ms / 1000, UTC).astimezone():%H:%M:%S.%f}"[:-3]


def _day(moment_ms: int) -> str:
    return f"{datetime.fromtimestamp(moment_ms / 1000, UTC).astimezone():%A, %Y-%m-%d (%Z)}"


def _since(milliseconds: int) -> str:
    """Return a span with a sign, such as `+12 ms`, `+3.4 s` or `+5 min`."""
    if milliseconds < 1000:
        return f"+{milliseconds} ms"
    if milliseconds < 120_000:
        return f"+{milliseconds / 1000:.1f} s"
    return f"+{milliseconds // 60_000} min"
