"""Counting failures and calls per key, with bounded memory."""

from __future__ import annotations

from collections import OrderedDict, deque

from msgspec import Struct, field
from msgspec.structs import replace

from homarus.clock import Clock
from homarus.gateway.peer import Peer
from homarus.gateway.settings import LimitSettings

MAX_KEYS = 10_000
"""Addresses remembered at once; the least recently seen are forgotten first."""
CROWD = 3
"""How many times the failures are allowed where one count is shared by everybody behind an unlisted proxy: a stranger
there must not lock all the others out by a few guesses."""


class _Record(Struct):
    failures: deque[float] = field(default_factory=deque[float])
    locked_until: float = 0.0


class FailureLimiter:
    """Locks a key out after too many failures within a window."""

    def __init__(self, clock: Clock, settings: LimitSettings) -> None:
        self._clock = clock
        self._settings = settings
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def locked_for(self, key: str) -> float:
        """Return the seconds a key stays locked out, 0 when it is not."""
        record = self._records.get(key)
        return 0.0 if record is None else max(0.0, record.locked_until - self._clock.monotonic())

    def fail(self, key: str) -> None:
        """Count a failure."""
        now = self._clock.monotonic()
        record = self._records.setdefault(key, _Record())
        self._records.move_to_end(key)
        while len(self._records) > MAX_KEYS:
            self._records.popitem(last=False)
        record.failures.append(now)
        while record.failures and record.failures[0] <= now - self._settings.window:
            record.failures.popleft()
        if len(record.failures) >= self._settings.attempts:
            record.locked_until = now + self._settings.lockout
            record.failures.clear()

    def succeed(self, key: str) -> None:
        """Forget the failures of a key."""
        self._records.pop(key, None)


class AuthLimiter:
    """Failed logins per client address and kind of secret.

    Programs on this machine are exempt, except for web pages: any site can make a browser try tokens, so those are
    counted by their origin. What a proxy on this machine passes on is not exempt.
    """

    def __init__(self, clock: Clock, settings: LimitSettings) -> None:
        self._limiter = FailureLimiter(clock, settings)
        self._crowd = FailureLimiter(clock, replace(settings, attempts=settings.attempts * CROWD))
        self._settings = settings

    def locked_for(self, peer: Peer, kind: str) -> float:
        """Return the seconds a peer has to wait, 0 when it may try."""
        key = self._key(peer, kind)
        return 0.0 if key is None else self._of(peer).locked_for(key)

    def fail(self, peer: Peer, kind: str) -> None:
        """Count a refused secret."""
        key = self._key(peer, kind)
        if key is not None:
            self._of(peer).fail(key)

    def succeed(self, peer: Peer, kind: str) -> None:
        """Forget the failures of a peer."""
        key = self._key(peer, kind)
        if key is not None:
            self._of(peer).succeed(key)

    def _of(self, peer: Peer) -> FailureLimiter:
        return self._limiter if peer.is_local or peer.is_attributed else self._crowd

    def _key(self, peer: Peer, kind: str) -> str | None:
        if not peer.is_local:
            # Everybody behind a proxy that is not trusted shares one count: the addresses it names may be invented.
            return f"{kind}|{peer.address}" if peer.is_attributed else f"{kind}|behind:{peer.address}"
        if peer.origin is not None:
            return f"{kind}|browser-origin:{peer.origin[:256].lower()}"
        return None if self._settings.is_loopback_exempt else f"{kind}|{peer.address}"


class CallLimiter:
    """At most `limit` calls per `window` seconds and key."""

    def __init__(self, clock: Clock, limit: int, window: float) -> None:
        self._clock = clock
        self._limit = limit
        self._window = window
        self._calls: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_for(self, key: str, limit: int | None = None) -> float:
        """Count a call and return 0, or return the seconds to wait without counting it; `limit` in place of its own."""
        now = self._clock.monotonic()
        calls = self._calls.setdefault(key, deque())
        self._calls.move_to_end(key)
        while len(self._calls) > MAX_KEYS:
            self._calls.popitem(last=False)
        while calls and calls[0] <= now - self._window:
            calls.popleft()
        if len(calls) >= (limit or self._limit):
            return calls[0] + self._window - now
        calls.append(now)
        return 0.0
