"""Which services account each nick we can see is logged in to.

What the server told us about a nick holds only while we share a channel with it: after that somebody else may take the
nick unseen, so the entry goes with the last shared channel.
"""

from __future__ import annotations

from msgspec import Struct, field

_MOST_NICKS = 50_000


class _Member(Struct):
    account: str
    rooms: set[str] = field(default_factory=set)


class Roster:
    """Accounts by nick; all names come folded."""

    def __init__(self) -> None:
        self._members: dict[str, _Member] = {}

    def account(self, nick: str) -> str:
        """Return the account of a nick, empty when it has none or we do not know."""
        member = self._members.get(nick)
        return member.account if member else ""

    def join(self, nick: str, room: str, account: str) -> None:
        """Take note of a JOIN that carried an account (extended-join); `*` means none."""
        if nick not in self._members and len(self._members) >= _MOST_NICKS:
            return
        member = self._members.setdefault(nick, _Member(""))
        member.account = "" if account == "*" else account
        member.rooms.add(room)

    def log_in(self, nick: str, account: str) -> None:
        """Take note of an ACCOUNT line about somebody we share a channel with."""
        if member := self._members.get(nick):
            member.account = "" if account == "*" else account

    def leave(self, nick: str, room: str) -> None:
        """Take note of a PART or KICK."""
        member = self._members.get(nick)
        if member is None:
            return
        member.rooms.discard(room)
        if not member.rooms:
            del self._members[nick]

    def quit(self, nick: str) -> None:
        """Take note of a QUIT."""
        self._members.pop(nick, None)

    def rename(self, nick: str, new: str) -> None:
        """Take note of a NICK; whoever had the new name before is forgotten."""
        member = self._members.pop(nick, None)
        self._members.pop(new, None)
        if member is not None:
            self._members[new] = member

    def clear_room(self, room: str) -> None:
        """Forget what one channel showed us, because we are no longer in it."""
        for nick in [nick for nick, member in self._members.items() if room in member.rooms]:
            self.leave(nick, room)
