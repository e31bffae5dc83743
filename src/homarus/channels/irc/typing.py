"""The typing sign: `active` at most once in three seconds, `done` once (IRCv3 typing)."""

from __future__ import annotations

from homarus.clock import Clock

_INTERVAL = 3.0
_MOST_CHATS = 256


class TypingSigns:
    """Which chats show that we are typing, and since when."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._active: dict[str, float] = {}

    def next(self, chat: str, *, is_typing: bool) -> str | None:
        """Return the value to send now, None for nothing."""
        if not is_typing:
            return "done" if self._active.pop(chat, None) is not None else None
        now = self._clock.monotonic()
        if now - self._active.get(chat, -_INTERVAL) < _INTERVAL:
            return None
        if chat not in self._active and len(self._active) >= _MOST_CHATS:
            self._active.pop(next(iter(self._active)))
        self._active[chat] = now
        return "active"

    def stopped(self, chat: str) -> None:
        """Take note that a message went out, which ends the sign by itself."""
        self._active.pop(chat, None)
