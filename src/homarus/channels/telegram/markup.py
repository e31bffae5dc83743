"""From Markdown to Telegram's HTML.

Only tags that are opened and closed here are written, so Telegram can always read them. `visible` is the text without
tags: what counts against the limit, and what is sent when Telegram refuses the markup after all.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from itertools import groupby
from urllib.parse import urlsplit

from msgspec import Struct

from homarus.channels.policy_config import TableMode
from homarus.channels.sdk.characters import strip_controls
from homarus.channels.sdk.markdown import Kind, MarkdownLine, Span, Style, parse
from homarus.channels.sdk.measure import Unit, measure

TEXT_LIMIT = 4096
"""UTF-16 units of a message after its markup was read (sendMessage)."""

CAPTION_LIMIT = 1024
"""UTF-16 units of a caption (sendPhoto, sendDocument)."""

_TAGS = ((Style.BOLD, "b"), (Style.ITALIC, "i"), (Style.STRIKE, "s"))
_SCHEMES = frozenset({"http", "https", "tg", "mailto", "tel"})
_WIDEST = 60  # columns: a padded table that is wider breaks on phones


class Rendered(Struct, frozen=True):
    """One text in Telegram's HTML and as it looks."""

    html: str
    visible: str

    @property
    def size(self) -> int:
        """Return the length that Telegram counts, in UTF-16 units."""
        return measure(self.visible, Unit.UTF16)


def render(markdown: str, tables: TableMode = TableMode.CODE) -> Rendered:
    """Return a Markdown text for Telegram. Control characters are removed."""
    lines = _trimmed(parse(strip_controls(markdown)))
    blocks = [_block(kind, list(run), tables) for (kind, _), run in groupby(lines, key=_together)]
    text = "\n".join(block.html for block in blocks)
    visible = "\n".join(block.visible for block in blocks)
    return Rendered(text, visible)


def _trimmed(lines: list[MarkdownLine]) -> list[MarkdownLine]:
    """Return the lines without empty ones at both ends."""
    full = [index for index, line in enumerate(lines) if not _is_empty(line)]
    return lines[full[0] : full[-1] + 1] if full else []


def _is_empty(line: MarkdownLine) -> bool:
    return line.kind not in {Kind.RULE, Kind.ITEM} and not any(span.text.strip() for span in line.spans)


def _together(line: MarkdownLine) -> tuple[Kind, str]:
    """Return what lines must have in common to be one block."""
    return line.kind, line.info if line.kind is Kind.CODE else ""


def _block(kind: Kind, lines: list[MarkdownLine], tables: TableMode) -> Rendered:
    if kind is Kind.CODE:
        return _code(_joined(lines), lines[0].info)
    if kind is Kind.TABLE and tables is not TableMode.OFF:
        return _table(lines, tables)
    body = _lines(lines)
    if kind is Kind.QUOTE and body.visible.strip():
        return Rendered(f"<blockquote>{body.html}</blockquote>", body.visible)
    return body


def _lines(lines: Sequence[MarkdownLine]) -> Rendered:
    pieces = [_line(line) for line in lines]
    return Rendered("\n".join(piece.html for piece in pieces), "\n".join(piece.visible for piece in pieces))


def _line(line: MarkdownLine) -> Rendered:
    if line.kind is Kind.RULE:
        return Rendered("---", "---")
    is_heading = line.kind is Kind.HEADING
    pieces = [_span(span, is_bold=is_heading) for span in line.spans]
    lead = line.lead
    if line.kind is Kind.ITEM and lead.strip() in {"-", "*", "+"}:
        lead = lead.replace(lead.strip(), "•")
    written = html.escape(lead, quote=False) + "".join(piece.html for piece in pieces)
    return Rendered(written, lead + "".join(piece.visible for piece in pieces))


def _span(span: Span, *, is_bold: bool) -> Rendered:
    visible, link = span.text, span.link
    if link and not _is_linkable(link):
        visible, link = (visible if visible == link else f"{visible} ({link})"), ""
    written = html.escape(visible, quote=False)
    if not visible.strip():
        return Rendered(written, visible)
    if Style.CODE in span.style:  # Telegram allows no other style inside code
        written = f"<code>{written}</code>"
    else:
        style = span.style | (Style.BOLD if is_bold else Style.NONE)
        for flag, tag in _TAGS:
            if flag in style:
                written = f"<{tag}>{written}</{tag}>"
    if link and link != visible:
        written = f'<a href="{html.escape(link)}">{written}</a>'
    return Rendered(written, visible)


def _is_linkable(address: str) -> bool:
    try:
        return urlsplit(address).scheme.lower() in _SCHEMES
    except ValueError:
        return False


def _code(text: str, language: str) -> Rendered:
    body = html.escape(text, quote=False)
    if not text.strip():
        return Rendered(body, text)
    name = "".join(char for char in language.partition(" ")[0] if char.isalnum() or char in "+-#_.")[:40]
    if name:
        return Rendered(f'<pre><code class="language-{html.escape(name)}">{body}</code></pre>', text)
    return Rendered(f"<pre>{body}</pre>", text)


def _joined(lines: Sequence[MarkdownLine]) -> str:
    return "\n".join("".join(span.text for span in line.spans) for line in lines)


def _table(lines: Sequence[MarkdownLine], tables: TableMode) -> Rendered:
    rows = [[cell.strip() for cell in _joined([line]).strip().strip("|").split("|")] for line in lines]
    if tables is TableMode.BULLETS:
        text = "\n".join("• " + " - ".join(cell for cell in row if cell) for row in rows)
        return Rendered(html.escape(text, quote=False), text)
    return _code("\n".join(_aligned(rows)), "")


def _aligned(rows: list[list[str]]) -> Iterator[str]:
    columns = max(map(len, rows))
    widths = [max(len(row[index]) if index < len(row) else 0 for row in rows) for index in range(columns)]
    is_wide = sum(widths) + 3 * columns > _WIDEST
    for row in rows:
        cells = row if is_wide else [cell.ljust(widths[index]) for index, cell in enumerate(row)]
        yield " | ".join(cells).rstrip()
