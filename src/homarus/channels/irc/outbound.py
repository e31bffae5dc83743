"""From a part to the lines that carry it."""

from __future__ import annotations

import re

from homarus.channels.contract import OutboundPart
from homarus.channels.irc.view import View
from homarus.channels.irc.wire import WireError, serialise
from homarus.channels.sdk.measure import Unit, fit, whole_character
from homarus.errors import Permanent

FORMAT_CODES = "\x02\x11\x16\x1d\x1e\x1f"
"""Toggles of IRC clients: bold, monospace, reverse, italic, strikethrough, underline."""

_FORBIDDEN = re.compile("[\x00\x01\x05-\x0e\x10\x12-\x15\x17-\x1c\x7f]")  # all controls but formatting codes
_LINE_END = re.compile("\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")
_LEAST_ROOM = 50
_MOST_LINES = 40


def target_of(part: OutboundPart) -> str:
    """Return where a part goes: the chat, with the status mark that its thread holds. Raises Permanent."""
    target = (part.address.thread or "") + part.address.chat
    if not re.fullmatch(r"[^\s,\x00-\x20:][^\s,\x00-\x20]*", target):
        raise Permanent(f"{target[:80]!r} is no IRC nick or channel")
    return target


def lines_of(part: OutboundPart, view: View) -> tuple[str, ...]:
    """Return the texts of the PRIVMSG lines for a part, each within the server's limit. Raises Permanent."""
    target = target_of(part)
    room = view.room_for_text(target)
    if room < _LEAST_ROOM:
        raise Permanent(f"a line to {target[:80]!r} has room for {room} bytes of text only")
    texts = (_FORBIDDEN.sub("", raw.replace("\t", "    ")).rstrip() for raw in _LINE_END.split(part.text))
    lines = tuple(piece for text in texts if text.strip(FORMAT_CODES + " ") for piece in wrap(text, room))
    if not lines:
        raise Permanent("the part has no text that IRC could carry")
    if len(lines) > _MOST_LINES:
        raise Permanent(f"the part needs {len(lines)} IRC lines; at most {_MOST_LINES} are sent at once")
    return lines


def wrap(text: str, room: int) -> list[str]:
    """Cut one line into pieces of at most `room` bytes, at spaces where there are any; styles go on in the next."""
    pieces: list[str] = []
    codes = ""
    while text:
        end = fit(text, 0, room - len(codes), Unit.BYTES)
        if end < len(text):
            end = _cut(text, end)
        body = text[:end]
        pieces.append(codes + (body.rstrip() or body))
        codes = _open_codes(codes + body)
        text = text[end:].lstrip(" ")
    return pieces


def message(target: str, text: str, *, label: str = "", reply_to: str = "") -> bytes:
    """Return one PRIVMSG line. Raises Permanent for what no server would take."""
    tags: dict[str, str] = {}
    if label:
        tags["label"] = label
    if reply_to:  # the ratified name and the one older software knows
        tags["+reply"] = tags["+draft/reply"] = reply_to
    try:
        return serialise("PRIVMSG", target, text, tags=tags)
    except WireError as error:
        raise Permanent(f"the message cannot be written as an IRC line: {error}") from error


def _cut(text: str, end: int) -> int:
    space = text.rfind(" ", 1, end + 1)
    if space > end // 2:
        return space
    return whole_character(text, 0, end)


def _open_codes(text: str) -> str:
    return "".join(code for code in FORMAT_CODES if text.count(code) % 2)
