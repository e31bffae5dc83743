"""A small, tolerant, linear-time Markdown reader for chat: lines with styled spans.

Chat has no pages, so a document is a list of lines, each with what it is (heading, item, quote, code, table row, plain)
and its spans. Anything that is not understood stays as it was written.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from enum import Flag, StrEnum, auto

from msgspec import Struct

from homarus.channels.sdk.fences import Fence, opening


class Style(Flag):
    """How a span is set; styles combine."""

    NONE = 0
    BOLD = auto()
    ITALIC = auto()
    STRIKE = auto()
    CODE = auto()


class Kind(StrEnum):
    """What a line is."""

    TEXT = "text"
    HEADING = "heading"
    ITEM = "item"
    QUOTE = "quote"
    CODE = "code"
    TABLE = "table"
    RULE = "rule"


class Span(Struct, frozen=True):
    """A run of text in one style; `link` is the address it points to."""

    text: str
    style: Style = Style.NONE
    link: str = ""


class MarkdownLine(Struct, frozen=True):
    """One line. `lead` is its indentation and marker (`  - `, `2. `); for code, `info` is the block's language."""

    kind: Kind
    spans: tuple[Span, ...]
    lead: str = ""
    info: str = ""


_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*)$")
_ITEM = re.compile(r"^([ \t]*(?:[-*+]|\d{1,9}[.)]))[ \t]+(.*)$")
_QUOTE = re.compile(r"^ {0,3}>[ \t]?(.*)$")
_RULE = re.compile(r"^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$")
_TABLE_RULER = frozenset(" \t|:-")
_DELIMITERS = {"**": Style.BOLD, "__": Style.BOLD, "*": Style.ITALIC, "_": Style.ITALIC, "~~": Style.STRIKE}
_TOKEN = re.compile(
    r"(?P<escape>\\[!-/:-@\[-`{-~])|(?P<ticks>`+)"
    r"|(?P<link>!?\[[^\[\]\n]*\]\([^()\s]*\))|(?P<auto><https?://[^<>\s]*>)|(?P<mark>\*\*|__|~~|\*|_)"
)


def parse(text: str) -> list[MarkdownLine]:
    """Return the lines of a Markdown text. Fence lines and table rulers are dropped."""
    lines: list[MarkdownLine] = []
    fence: Fence | None = None
    for raw in text.split("\n"):
        if fence is not None:
            if fence.is_closed_by(raw):
                fence = None
            else:
                lines.append(MarkdownLine(Kind.CODE, (Span(raw, Style.CODE),), info=fence.info))
            continue
        fence = opening(raw)
        if fence is None:
            _add(lines, raw)
    return lines


def _add(lines: list[MarkdownLine], raw: str) -> None:
    if lines and "|" in raw and "-" in raw and _TABLE_RULER.issuperset(raw):
        header = lines.pop()
        lines.append(MarkdownLine(Kind.TABLE, header.spans))
        return
    is_in_table = bool(lines) and lines[-1].kind is Kind.TABLE and "|" in raw
    lines.append(MarkdownLine(Kind.TABLE, tuple(spans(raw))) if is_in_table else _line(raw))


def _line(raw: str) -> MarkdownLine:
    if len(raw) < _LONGEST_RULE and _RULE.match(raw):
        return MarkdownLine(Kind.RULE, ())
    if raw.lstrip().startswith("#") and (match := _HEADING.match(raw)):
        return MarkdownLine(Kind.HEADING, tuple(spans(_title(match.group(1)))))
    if match := _QUOTE.match(raw):
        return MarkdownLine(Kind.QUOTE, tuple(spans(match.group(1))))
    if match := _ITEM.match(raw):
        return MarkdownLine(Kind.ITEM, tuple(spans(match.group(2))), lead=match.group(1) + " ")
    return MarkdownLine(Kind.TEXT, tuple(spans(raw)))


def _title(text: str) -> str:
    bare = text.rstrip()
    stripped = bare.rstrip("#")
    return stripped.rstrip() if stripped == "" or stripped[-1] in " \t" else bare


_LONGEST_RULE = 200  # nobody draws a longer one; bounds the backtracking of its pattern


def spans(text: str) -> list[Span]:
    """Return the styled runs of one line."""
    pieces = list(_pieces(text))
    styles = _match_marks(pieces)
    merged: list[Span] = []
    for piece, style in zip(pieces, styles, strict=True):
        if style is None or not piece.text:
            continue
        span = Span(piece.text, style | (Style.CODE if piece.is_code else Style.NONE), piece.link)
        if merged and merged[-1].style == span.style and not span.link and not merged[-1].link:
            merged[-1] = Span(merged[-1].text + span.text, span.style)
        else:
            merged.append(span)
    return merged


class _Piece(Struct, frozen=True):
    text: str
    link: str = ""
    is_code: bool = False
    is_mark: bool = False
    can_open: bool = False
    can_close: bool = False


def _pieces(text: str) -> Iterator[_Piece]:
    ticks = _tick_runs(text)
    position = 0
    while match := _TOKEN.search(text, position):
        start, end = match.span()
        if start > position:
            yield _Piece(text[position:start])
        token = match.group()
        position = end
        if match.lastgroup == "ticks":
            close = _closing_ticks(ticks, len(token), end)
            if close is None:
                yield _Piece(token)
            else:
                yield _Piece(_unpadded(text[end:close]), is_code=True)
                position = close + len(token)
        else:
            yield _piece(match.lastgroup or "", token, text[start - 1 : start], text[end : end + 1])
    if position < len(text):
        yield _Piece(text[position:])


def _piece(kind: str, token: str, before: str, after: str) -> _Piece:
    if kind == "escape":
        return _Piece(token[1:])
    if kind == "link":
        label, _, address = token.removeprefix("!")[1:-1].partition("](")
        return _Piece(label or address, link=address)
    if kind == "auto":
        return _Piece(token[1:-1], link=token[1:-1])
    is_word = token[0] == "_" and before.isalnum() and after.isalnum()
    can_open = bool(after.strip()) and not is_word and not (token[0] == "_" and before.isalnum())
    can_close = bool(before.strip()) and not is_word and not (token[0] == "_" and after.isalnum())
    return _Piece(token, is_mark=True, can_open=can_open, can_close=can_close)


def _match_marks(pieces: list[_Piece]) -> list[Style | None]:
    """Return the style of every piece, None for a mark that was used up. One pass to pair, one to paint."""
    pairs: dict[int, Style] = {}
    waiting: dict[str, int] = {}
    for index, piece in enumerate(pieces):
        if not piece.is_mark:
            continue
        opened = waiting.get(piece.text)
        if opened is not None and piece.can_close and index > opened + 1:
            pairs[opened] = pairs[index] = _DELIMITERS[piece.text]
            del waiting[piece.text]
        elif piece.can_open:
            waiting[piece.text] = index
    styles: list[Style | None] = []
    current = Style.NONE
    for index in range(len(pieces)):
        if index in pairs:
            current ^= pairs[index]
            styles.append(None)
        else:
            styles.append(current)
    return styles


def _tick_runs(text: str) -> dict[int, list[int]]:
    runs: dict[int, list[int]] = {}
    for match in re.finditer("`+", text):
        runs.setdefault(len(match.group()), []).append(match.start())
    return runs


def _closing_ticks(runs: dict[int, list[int]], length: int, after: int) -> int | None:
    places = runs.get(length, [])
    index = bisect_right(places, after - 1)
    return places[index] if index < len(places) else None


def _unpadded(code: str) -> str:
    is_padded = code.startswith(" ") and code.endswith(" ") and bool(code.strip())
    return code[1:-1] if is_padded else code
