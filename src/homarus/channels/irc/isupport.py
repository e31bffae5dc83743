"""What the server says it supports (numeric 005), as far as we use it."""

from __future__ import annotations

from collections.abc import Iterable

from homarus.channels.irc.wire import MAX_LINE_BYTES

_RFC1459 = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ[]\\^", "abcdefghijklmnopqrstuvwxyz{}|~")
_STRICT = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ[]\\", "abcdefghijklmnopqrstuvwxyz{}|")
_ASCII = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_MAPPINGS = {"rfc1459": _RFC1459, "rfc1459-strict": _STRICT, "strict-rfc1459": _STRICT, "ascii": _ASCII}
_LONGEST_LINE = 65_536  # a larger LINELEN is taken for nonsense


class Isupport:
    """The server's features, with the defaults of RFC 2812 until it names them."""

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}

    def update(self, tokens: Iterable[str]) -> None:
        """Take the tokens of one 005 line; `-NAME` withdraws one."""
        for token in tokens:
            name, _, value = token.partition("=")
            if name.startswith("-"):
                self._tokens.pop(name[1:].upper(), None)
            else:
                self._tokens[name.upper()] = value

    def fold(self, text: str) -> str:
        """Return text in the form in which this server compares names; keeps the length."""
        return text.translate(_MAPPINGS.get(self._tokens.get("CASEMAPPING", "rfc1459").lower(), _ASCII))

    def is_channel(self, target: str) -> bool:
        """Return whether a target is a channel name."""
        return bool(target) and target[0] in self._tokens.get("CHANTYPES", "#&")

    def split_status(self, target: str) -> tuple[str, str]:
        """Return (`@`, `#chan`) for a message to the operators of a channel, (``, target) for any other."""
        marks = self._tokens.get("STATUSMSG", "")
        if target and target[0] in marks and self.is_channel(target[1:]):
            return target[0], target[1:]
        return "", target

    def are_tags_allowed(self, *names: str) -> bool:
        """Return whether the server relays these client tags (names without `+`)."""
        denied = self._tokens.get("CLIENTTAGDENY", "").split(",")
        if "*" in denied:
            return all(f"-{name}" in denied for name in names)
        return not any(name in denied for name in names)

    @property
    def line_bytes(self) -> int:
        """Return the longest line without tags, in bytes with CR LF."""
        return min(max(self._number("LINELEN"), MAX_LINE_BYTES), _LONGEST_LINE)

    @property
    def has_monitor(self) -> bool:
        """Return whether the server tells when a nick comes and goes."""
        return "MONITOR" in self._tokens

    @property
    def bot_mode(self) -> str:
        """Return the mode letter that marks a user as a bot, empty when there is none."""
        letter = self._tokens.get("BOT", "")
        return letter if len(letter) == 1 and letter.isalpha() else ""

    def _number(self, name: str) -> int:
        value = self._tokens.get(name, "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 9 else 0
