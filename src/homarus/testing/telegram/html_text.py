"""Reads Telegram's HTML as strictly as the Bot API does."""

from __future__ import annotations

from html.parser import HTMLParser

from msgspec import Struct, field

_TYPES = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "code": "code", "pre": "pre",
    "blockquote": "blockquote", "a": "text_link", "tg-spoiler": "spoiler",
}  # fmt: skip


class MarkupError(Exception):
    """The text cannot be read; the message is the end of the Bot API's description."""


class _Open(Struct):
    tag: str
    start: int
    attributes: dict[str, str] = field(default_factory=dict[str, str])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.entities: list[dict[str, object]] = []
        self.open: list[_Open] = []
        self.length = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TYPES:
            raise MarkupError(f'Unsupported start tag "{tag}" at byte offset {self.getpos()[1]}')
        self.open.append(_Open(tag, self.length, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1].tag != tag:
            raise MarkupError(f'Unmatched end tag at byte offset {self.getpos()[1]}, found "</{tag}>"')
        opened = self.open.pop()
        language = opened.attributes.get("class", "").removeprefix("language-")
        if tag == "code" and self.open and self.open[-1].tag == "pre":
            self.open[-1].attributes["language"] = language
            return
        if self.length == opened.start:
            return
        entity: dict[str, object] = {"type": _TYPES[tag], "offset": opened.start, "length": self.length - opened.start}
        if tag == "a":
            entity["url"] = opened.attributes.get("href", "")
        if opened.attributes.get("language"):
            entity["language"] = opened.attributes["language"]
        self.entities.append(entity)

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)
        self.length += units(data)


def units(text: str) -> int:
    """Return the length of text in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def read_html(text: str) -> tuple[str, list[dict[str, object]]]:
    """Return the visible text and its entities. Raises MarkupError."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    if reader.open:
        raise MarkupError(f'Can\'t find end tag corresponding to start tag "{reader.open[-1].tag}"')
    return "".join(reader.pieces), reader.entities
