"""Takes the user's own words out of what the platform puts around them."""

from __future__ import annotations

import re
from datetime import datetime

from msgspec import Struct

_BLOCK = re.compile(r"\A(?:[^\n`]{1,200}\n)?```(?:json)?[ \t]*\n.{0,20000}?\n```[ \t]*(?:\n|\Z)", re.DOTALL)
_HEARD = re.compile(r"\A\[Since your last answer [^\]\n]{1,200}\]\n(?:- [^\n]*\n)+\n")
_LATE = re.compile(r"\A\[received [^\]\n]{1,100}\]\s+")
_STAMP = re.compile(
    r"\A\[(?P<day>Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?P<date>\d{4}-\d{2}-\d{2}) (?P<time>\d{2}:\d{2})"
    r"(?: (?P<zone>[^\]\n]{1,40}))?\][ \t]*"
)
_SPEAKER = re.compile(r"\A[^:\n]{1,64}:\s+")
_QUEUE = "[Messages that came in while you were busy]"
_QUEUED = re.compile(r"^--- Queued #\d+(?: \([^\n]*\))?$", re.MULTILINE)
_METADATA = re.compile(r"untrusted metadata|\"(?:label|id|sender|message_id)\"", re.IGNORECASE)


class Said(Struct, frozen=True):
    """The words, and when they were said (in the user's time zone, named by `zone`) if the platform tells."""

    text: str
    at: datetime | None = None
    zone: str = ""


def open_envelope(text: str) -> Said:
    """Strip what others said before, metadata blocks, the mark of a message that waited long, and the prefix
    `[Day YYYY-MM-DD HH:MM ZONE]`; other text stays."""
    text = _HEARD.sub("", text, count=1).strip()
    while (block := _BLOCK.match(text)) and _is_metadata(block.group(), text[block.end() :]):
        text = text[block.end() :].lstrip()
    text = _LATE.sub("", text, count=1)
    stamp = _STAMP.match(text)
    if stamp is None:
        return Said(text.strip())
    rest = text[stamp.end() :].strip()
    try:
        at = datetime.fromisoformat(f"{stamp['date']}T{stamp['time']}")
    except ValueError:
        return Said(rest)
    return Said(rest, at, stamp["zone"] or "")


def split_queue(text: str) -> list[str]:
    """Return the messages that are answered at once (homarus.pipeline.batch_text), or the one there is."""
    if not text.startswith(_QUEUE):
        return [text]
    return [each.strip() for each in _QUEUED.split(text)[1:]]


def drop_speaker(text: str) -> str:
    """Strip the `name:` that stands before what somebody says in a room."""
    return _SPEAKER.sub("", text, count=1)


def _is_metadata(block: str, rest: str) -> bool:
    """A fenced block is the platform's when it looks like metadata or the time stamp follows it."""
    return bool(_METADATA.search(block) or _STAMP.match(rest.lstrip()))
