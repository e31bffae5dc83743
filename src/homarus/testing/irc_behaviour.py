"""What the in-process IRC server is like: capabilities, accounts and faults."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct, field

from homarus.clock import SystemClock

IRCV3 = {
    "message-tags": "", "server-time": "", "echo-message": "", "labeled-response": "", "batch": "",
    "account-tag": "", "extended-join": "", "account-notify": "", "cap-notify": "",
}  # fmt: skip
"""The capabilities of a modern server, to be given as `caps`."""


class Behaviour(Struct):
    """What the server is like; every field may be changed while it runs.

    `caps` are offered with their values, those in `nak` are refused when asked for. `accounts` are SASL and NickServ
    accounts with their passwords. `refuse` answers a PRIVMSG to a target with a numeric. `drop_on`, `half_close_on`
    and `stall_on` act on the first received line that begins so: close, stop sending only, or fall silent. `greeting`
    is sent instead of a welcome and the connection closed. `repeat` delivers every message so many times.
    """

    caps: dict[str, str] = field(default_factory=dict)
    nak: set[str] = field(default_factory=set)
    accounts: dict[str, str] = field(default_factory=dict)
    password: str | None = None
    taken: set[str] = field(default_factory=set)
    refuse: dict[str, str] = field(default_factory=dict)
    isupport: tuple[str, ...] = ("CASEMAPPING=ascii", "CHANTYPES=#", "PREFIX=(ov)@+")
    has_nickserv: bool = False
    greeting: str | None = None
    drop_on: str | None = None
    half_close_on: str | None = None
    stall_on: str | None = None
    is_stalled: bool = False
    repeat: int = 1

    @property
    def time(self) -> str:
        """Return the time of now as servers write it: one that waited long is answered as late."""
        now = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC)
        return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
