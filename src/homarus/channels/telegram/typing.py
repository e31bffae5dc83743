"""When a typing sign is worth a call."""

from __future__ import annotations

from collections import OrderedDict

from homarus.clock import Clock

EVERY = 4.0
"""Seconds between calls for one chat; the sign lasts five."""

_MOST = 1024


class TypingSigns:
    """Remembers when each chat was last shown the sign."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shown: OrderedDict[str, float] = OrderedDict()

    def is_due(self, chat: str) -> bool:
        """Return whether the sign must be shown again, and remember that it was."""
        now = self._clock.monotonic()
        last = self._shown.get(chat)
        if last is not None and now - last < EVERY:
            return False
        self._shown[chat] = now
        self._shown.move_to_end(chat)
        while len(self._shown) > _MOST:
            self._shown.popitem(last=False)
        return True

    def stopped(self, chat: str) -> None:
        """Forget the sign of a chat: a message took it away."""
        self._shown.pop(chat, None)
