"""The IRC line format: parsing and writing, message tags, and nothing that knows what a command means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field

MAX_TAG_BYTES = 4094
"""Most bytes of tag data a client may send (IRCv3 message-tags)."""

MAX_LINE_BYTES = 512
"""Most bytes of a line without tags, with CR LF (RFC 1459), unless the server's LINELEN says more."""

_COMMAND = re.compile(r"[A-Za-z]+|[0-9]{3}")
_UNSAFE = re.compile("[\0\r\n]")
_ESCAPES = {";": r"\:", " ": r"\s", "\\": "\\\\", "\r": r"\r", "\n": r"\n"}
_UNESCAPES = {":": ";", "s": " ", "r": "\r", "n": "\n"}
_NO_TAGS: Mapping[str, str] = MappingProxyType({})


class WireError(ValueError):
    """A line that is no IRC line, or that must not be sent as one."""


class Line(Struct, frozen=True):
    """One parsed line. `command` is upper case; `source` is a server name or `nick!user@host`, empty when absent."""

    command: str
    params: tuple[str, ...] = ()
    source: str = ""
    tags: Mapping[str, str] = field(default_factory=lambda: _NO_TAGS)

    def param(self, index: int) -> str:
        """Return one parameter, empty when there are fewer; negative counts from the end."""
        try:
            return self.params[index]
        except IndexError:
            return ""

    @property
    def nick(self) -> str:
        """Return the nick (or server name) that the line came from."""
        return self.source.partition("!")[0]


def parse(raw: bytes) -> Line:
    """Read one line without its CR LF. Raises WireError when there is no command in it."""
    rest = _decode(raw).rstrip("\r\n")
    tags: Mapping[str, str] = _NO_TAGS
    source = ""
    if rest.startswith("@"):
        head, _, rest = rest[1:].partition(" ")
        tags = parse_tags(head)
        rest = rest.lstrip(" ")
    if rest.startswith(":"):
        source, _, rest = rest[1:].partition(" ")
    rest = rest.lstrip(" ")
    head, has_trailing, trailing = _split_trailing(rest)
    words = [word for word in head.split(" ") if word]
    if not words or not _COMMAND.fullmatch(words[0]):
        raise WireError(f"not an IRC line: {_decode(raw[:80])!r}")
    params = (*words[1:], trailing) if has_trailing else tuple(words[1:])
    return Line(words[0].upper(), params, source, tags)


def parse_tags(data: str) -> dict[str, str]:
    """Read `a=b;c` into a mapping; a key without a value has the empty one, the last duplicate wins."""
    tags: dict[str, str] = {}
    for item in data.split(";"):
        key, _, value = item.partition("=")
        if key:
            tags[key] = _unescape(value)
    return tags


def serialise(command: str, *params: str, tags: Mapping[str, str] | None = None) -> bytes:
    """Write one line with its CR LF.

    Raises WireError for a parameter that would end the line or become two, and for too many tags; the caller keeps
    the body within the server's limit.
    """
    if not _COMMAND.fullmatch(command):
        raise WireError(f"not a command: {command!r}")
    words = [command, *(_middle(param) for param in params[:-1])]
    if params:
        words.append(_last(params[-1]))
    head = _tag_head(tags) if tags else b""
    return head + " ".join(words).encode("utf-8", "replace") + b"\r\n"


def _tag_head(tags: Mapping[str, str]) -> bytes:
    data = ";".join(f"{key}={_escape(value)}" if value else key for key, value in tags.items())
    if _UNSAFE.search(data) or " " in data:
        raise WireError(f"tags that would break the line: {data[:80]!r}")
    head = data.encode("utf-8", "replace")
    if len(head) > MAX_TAG_BYTES:
        raise WireError(f"{len(head)} bytes of tags; at most {MAX_TAG_BYTES} may be sent")
    return b"@" + head + b" "


def _middle(param: str) -> str:
    if not param or " " in param or param.startswith(":") or _UNSAFE.search(param):
        raise WireError(f"a parameter must be one word without control characters, not {param[:80]!r}")
    return param


def _last(param: str) -> str:
    if _UNSAFE.search(param):
        raise WireError("a parameter must not contain CR, LF or NUL")
    needs_colon = not param or " " in param or param.startswith(":")
    return f":{param}" if needs_colon else param


def _split_trailing(text: str) -> tuple[str, bool, str]:
    head, mark, trailing = text.partition(" :")
    return head, bool(mark), trailing


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:  # older clients still write Latin-1, in which every byte is a character
        return raw.decode("latin-1")


def _escape(value: str) -> str:
    return "".join(_ESCAPES.get(char, char) for char in value)


def _unescape(value: str) -> str:
    if "\\" not in value:
        return value
    out: list[str] = []
    chars = iter(value)
    for char in chars:
        if char != "\\":
            out.append(char)
        elif following := next(chars, ""):
            out.append(_UNESCAPES.get(following, following))
    return "".join(out)
