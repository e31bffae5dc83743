"""Client-to-client requests: the two harmless ones are answered, rarely; the rest is ignored."""

from __future__ import annotations

from homarus.channels.irc.wire import Line, serialise
from homarus.channels.sdk.rate import TokenBucket
from homarus.clock import Clock

_LONGEST_ECHO = 64


class Ctcp:
    """Answers VERSION and PING with a NOTICE: two at once, then one in ten seconds, from all people together."""

    def __init__(self, clock: Clock) -> None:
        self._bucket = TokenBucket(clock, burst=2, interval=10.0)

    def answer(self, line: Line) -> bytes | None:
        """Return the answer to a request, None for no answer."""
        text = line.param(1)
        if not text.startswith("\x01"):
            return None
        verb, _, argument = text.strip("\x01").partition(" ")
        reply = self._reply(verb.upper(), argument)
        if reply is None or "!" not in line.source or not self._bucket.try_acquire():
            return None
        return serialise("NOTICE", line.nick, f"\x01{verb.upper()} {reply}\x01")

    def _reply(self, verb: str, argument: str) -> str | None:
        if verb == "VERSION":
            return "Homarus"
        if verb == "PING" and argument and len(argument) <= _LONGEST_ECHO:
            return "".join(char for char in argument if ord(char) >= 32)
        return None
