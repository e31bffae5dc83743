"""The channels we are to be in: joining, and what happens when we are refused or thrown out."""

from __future__ import annotations

import logging
from collections import Counter

from homarus.channels.irc.outlet import Outlet
from homarus.channels.irc.settings import Settings
from homarus.channels.irc.view import View
from homarus.channels.irc.wire import Line, serialise

log = logging.getLogger(__name__)

MOST_REJOINS = 3
"""How often we come back into one channel on one connection after a KICK; people who kick thrice mean it."""


class Rooms:
    """Keeps us in the configured channels. Names are folded."""

    def __init__(self, settings: Settings, view: View, outlet: Outlet) -> None:
        self._settings = settings
        self._view = view
        self._outlet = outlet
        self._kicks: Counter[str] = Counter()
        self.joined: set[str] = set()
        self.refused: dict[str, str] = {}

    def join_all(self) -> None:
        """Queue a JOIN for every configured channel that we are not in."""
        for entry in self._settings.rooms:
            name, _, key = entry.partition(" ")
            if self._view.isupport.fold(name) not in self.joined:
                self._outlet.later(serialise("JOIN", name, key) if key else serialise("JOIN", name))

    def on_join(self, room: str) -> None:
        """Take note that we are in."""
        self.joined.add(self._view.isupport.fold(room))
        self.refused.pop(self._view.isupport.fold(room), None)

    def on_leave(self, room: str) -> None:
        """Take note that we are out."""
        folded = self._view.isupport.fold(room)
        self.joined.discard(folded)
        self._view.roster.clear_room(folded)

    def on_kick(self, room: str, by: str, reason: str) -> bool:
        """Take note of being thrown out; return whether to come back later."""
        self.on_leave(room)
        folded = self._view.isupport.fold(room)
        self._kicks[folded] += 1
        log.warning("irc %s: kicked from %s by %s: %s", self._settings.account_id, room, by, reason[:200])
        if self._is_wanted(folded) and self._kicks[folded] <= MOST_REJOINS:
            return True
        self.refused[folded] = f"kicked by {by}: {reason[:200]}"
        return False

    def on_refused(self, line: Line) -> None:
        """Take note of a JOIN that was refused."""
        room, reason = line.param(1), line.param(-1)[:200]
        folded = self._view.isupport.fold(room)
        if self._is_wanted(folded) and folded not in self.joined:
            self.refused[folded] = reason
            log.warning("irc %s: cannot join %s: %s", self._settings.account_id, room, reason)

    def on_invite(self, room: str) -> None:
        """Accept an invitation to a channel we are configured to be in; ignore any other."""
        folded = self._view.isupport.fold(room)
        if self._is_wanted(folded) and folded not in self.joined:
            self.join_all()

    def _is_wanted(self, folded: str) -> bool:
        return any(self._view.isupport.fold(entry.partition(" ")[0]) == folded for entry in self._settings.rooms)
