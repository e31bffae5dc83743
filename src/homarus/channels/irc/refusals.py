"""What the server's refusals mean to us: numerics, standard replies and ERROR, as errors of our tree."""

from __future__ import annotations

from homarus.channels.irc.wire import Line
from homarus.errors import HomarusError, Permanent, Transient

NICK_TAKEN = frozenset({"433", "436", "437"})
"""In use, collision, temporarily unavailable."""

JOIN_REFUSED = frozenset({"403", "405", "407", "437", "471", "473", "474", "475", "476", "477", "480", "489", "520"})
"""No such channel, too many, full, invite only, banned, key, mask, account needed, and the network-specific ones."""

SEND_REFUSED = frozenset(
    {"401", "402", "403", "404", "407", "411", "412", "413", "414", "415", "416", "417", "477", "486", "489", "492",
     "531", "716"}
)  # fmt: skip
"""The target does not exist or does not take messages from us."""

SEND_DEFERRED = frozenset({"263", "439"})
"""Try again later; target changed too fast."""

_THROTTLE_WORDS = ("throttl", "too fast", "reconnect", "too many", "flood", "wait")
_BAN_WORDS = ("k-line", "g-line", "z-line", "klined", "glined", "banned", "akill", "d-line")
THROTTLED = 120.0
"""Seconds to stay away after a throttle: the common window of connection limits is a minute or two."""
BANNED = 1800.0
"""Seconds to stay away after a ban."""


def closing(line: Line) -> Transient:
    """Return the error for an ERROR line, after which the server closes."""
    reason = line.param(-1) or "no reason given"
    lowered = reason.lower()
    wait = None
    fix = None
    if any(word in lowered for word in _BAN_WORDS):
        wait, fix = BANNED, "ask the network's operators why this address is banned"
    elif any(word in lowered for word in _THROTTLE_WORDS):
        wait = THROTTLED
    return Transient(f"the IRC server closed the connection: {reason[:200]}", retry_after=wait, fix=fix)


def refusal(line: Line) -> HomarusError | None:
    """Return the error for a numeric or FAIL line that refuses something we sent, None for any other line."""
    reason = f"{' '.join(line.params[1:-1])}: {line.param(-1)}"[:300]
    if line.command == "FAIL" or line.command in SEND_REFUSED:
        return Permanent(f"the IRC server refused the message ({line.command} {reason})")
    if line.command in SEND_DEFERRED:
        return Transient(f"the IRC server asks to wait ({line.command} {reason})", retry_after=60.0)
    return None
