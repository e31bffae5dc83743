"""Capabilities of the canvas host: words in an address that let one node read it for ten minutes."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from homarus.clock import Clock

TTL_MS: Final = 10 * 60 * 1000
MAX_LIVE: Final = 1024
"""Milliseconds a capability holds, and how many are kept; the oldest go."""
SIZE: Final = 18
"""Random bytes of one."""


class Capabilities:
    """Capabilities that were given out, in memory: a restart ends them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._live: OrderedDict[str, tuple[str, int]] = OrderedDict()

    def issue(self, node_id: str) -> tuple[str, int]:
        """Return a new capability of a node and when it ends, in milliseconds."""
        capability, expires = self._clock.token(SIZE), self._clock.now_ms() + TTL_MS
        self._live[capability] = (node_id, expires)
        while len(self._live) > MAX_LIVE:
            self._live.popitem(last=False)
        return capability, expires

    def owner(self, capability: str) -> str | None:
        """Return the node a capability was given to, None when it is unknown or has ended."""
        node_id, expires = self._live.get(capability, (None, 0))
        return node_id if self._clock.now_ms() < expires else None
