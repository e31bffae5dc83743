"""Turns Markdown into the markup of a platform. A dialect says how each kind of line and span is written there."""

from __future__ import annotations

from typing import Protocol

from homarus.channels.sdk.characters import strip_controls
from homarus.channels.sdk.markdown import Kind, MarkdownLine, Span, Style, parse


class Dialect(Protocol):
    """How one platform writes styled text. `line` gets one line at a time and returns it without a newline; None
    drops the line."""

    def line(self, line: MarkdownLine) -> str | None:
        """Write one line."""
        ...


def render(markdown: str, dialect: str) -> str:
    """Return text in a platform's markup: `plain`, `irc`, or `markdown` for text as it is.

    Control characters are removed first, so that the only ones in the result are those the dialect wrote. Raises
    ValueError for a dialect that does not exist.
    """
    clean = strip_controls(markdown)
    if dialect == "markdown":
        return clean
    if dialect not in DIALECTS:
        raise ValueError(f"there is no markup dialect {dialect!r}; available: markdown, {', '.join(DIALECTS)}")
    writer = DIALECTS[dialect]
    lines = (writer.line(line) for line in parse(clean))
    return "\n".join(line for line in lines if line is not None)


class Plain:
    """No styles: markers are dropped where the words remain clear without them."""

    def line(self, line: MarkdownLine) -> str | None:
        """Write one line as readable text."""
        if line.kind is Kind.RULE:
            return "---"
        text = "".join(self.span(span) for span in self._styled(line))
        if line.kind is Kind.QUOTE:
            return f"> {text}"
        if line.kind is Kind.TABLE:
            return text.strip().strip("|").strip()
        return f"{line.lead}{text}"

    def span(self, span: Span) -> str:
        """Write one span: a link as its label and address."""
        return _with_address(span)

    def _styled(self, line: MarkdownLine) -> tuple[Span, ...]:
        return line.spans


class Irc(Plain):
    """The formatting codes of IRC clients: bold, italic, strikethrough and monospace toggles."""

    CODES = ((Style.BOLD, "\x02"), (Style.ITALIC, "\x1d"), (Style.STRIKE, "\x1e"), (Style.CODE, "\x11"))
    """Toggle characters by style; each is closed within its own line, because a line is a message."""

    def span(self, span: Span) -> str:
        """Write one span between the toggles of its styles."""
        codes = "".join(code for style, code in self.CODES if style in span.style)
        return f"{codes}{_with_address(span)}{codes[::-1]}"

    def _styled(self, line: MarkdownLine) -> tuple[Span, ...]:
        if line.kind is Kind.CODE:  # whole lines of code read better, and copy better, without toggles
            return tuple(Span(span.text) for span in line.spans)
        if line.kind is Kind.HEADING:
            return tuple(Span(span.text, span.style | Style.BOLD, span.link) for span in line.spans)
        return line.spans


DIALECTS: dict[str, Dialect] = {"plain": Plain(), "irc": Irc()}
"""Writers by the name a manifest gives in `capabilities.markup`."""


def _with_address(span: Span) -> str:
    if not span.link or span.link == span.text:
        return span.text
    return f"{span.text} ({span.link})"
