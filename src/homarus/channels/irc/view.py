"""What one connection knows: who we are, what the server can do, which batches are open, who is logged in."""

from __future__ import annotations

from msgspec import Struct, field

from homarus.channels.irc.isupport import Isupport
from homarus.channels.irc.roster import Roster
from homarus.channels.irc.wire import Line

REPLAY_BATCHES = frozenset({"chathistory", "znc.in/playback", "playback"})
"""Types of batches that hold old lines."""

_MOST_BATCHES = 64
_LONGEST_USER, _LONGEST_HOST = 12, 63  # assumed until we see our own prefix: safe on the networks of today


class View(Struct):
    """The state of one connection. `nick` is the one we have now. `connected_at` is the server's own time of our
    welcome in milliseconds, None when it sends no times."""

    nick: str
    user: str = ""
    host: str = ""
    account: str = ""
    server: str = ""
    connected_at: int | None = None
    caps: set[str] = field(default_factory=set)
    isupport: Isupport = field(default_factory=Isupport)
    roster: Roster = field(default_factory=Roster)
    batches: dict[str, tuple[str, str]] = field(default_factory=dict)

    def is_me(self, nick: str) -> bool:
        """Return whether a nick is ours."""
        return self.isupport.fold(nick) == self.isupport.fold(self.nick)

    def learn_prefix(self, source: str) -> None:
        """Take our user name and host from a line that shows us as others see us."""
        nick, _, address = source.partition("!")
        user, _, host = address.partition("@")
        if host and self.is_me(nick):
            self.user, self.host = user, host

    def room_for_text(self, target: str) -> int:
        """Return the bytes of text that one PRIVMSG to `target` may carry so that nobody receives it cut off."""
        user = len(self.user.encode()) if self.user else _LONGEST_USER
        host = len(self.host.encode()) if self.host else _LONGEST_HOST
        prefix = 1 + len(self.nick.encode()) + 1 + user + 1 + host + 1
        return self.isupport.line_bytes - 2 - prefix - len(b"PRIVMSG ") - len(target.encode()) - len(b" :")

    def note_batch(self, line: Line) -> None:
        """Follow a BATCH line: `+ref type` opens one (inside the batch of its own tag), `-ref` closes it."""
        reference = line.param(0)
        if reference.startswith("-"):
            self.batches.pop(reference[1:], None)
        elif reference.startswith("+"):
            if len(self.batches) >= _MOST_BATCHES:  # a server that closes none: the oldest goes
                self.batches.pop(next(iter(self.batches)))
            self.batches[reference[1:]] = (line.param(1), line.tags.get("batch", ""))

    def is_replayed(self, line: Line) -> bool:
        """Return whether a line belongs to a batch of old lines, at any depth."""
        reference = line.tags.get("batch", "")
        for _ in range(_MOST_BATCHES):
            if reference not in self.batches:
                return False
            kind, reference = self.batches[reference]
            if kind in REPLAY_BATCHES:
                return True
        return False
