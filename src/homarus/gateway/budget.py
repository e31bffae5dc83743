"""How many unauthenticated sockets one address may hold."""

from __future__ import annotations

from collections import Counter
from typing import Final

from homarus.gateway.peer import Peer

MAX_UNAUTHENTICATED: Final = 32
"""Per client address (reference 01 §1)."""


class PreauthBudget:
    """Counts sockets between upgrade and authentication."""

    def __init__(self, limit: int = MAX_UNAUTHENTICATED) -> None:
        self._limit = limit
        self._counts: Counter[str] = Counter()

    def take(self, peer: Peer) -> bool:
        """Count a new socket; False, counting nothing, when its address has too many."""
        if self._counts[peer.address] >= self._limit:
            return False
        self._counts[peer.address] += 1
        return True

    def release(self, peer: Peer) -> None:
        """Stop counting a socket that is authenticated or closed."""
        self._counts[peer.address] -= 1
        if self._counts[peer.address] <= 0:
            del self._counts[peer.address]
