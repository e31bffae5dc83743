"""What may go wrong, how likely in this seed, and how often it did."""

from __future__ import annotations

from collections import Counter
from random import Random

KILLS = (
    "kill before commit",
    "kill after commit",
    "kill in read",
    "kill before send",
    "kill after send",
    "kill before tool",
    "kill after tool",
    "kill in model",
    "kill at random",
)
STORAGE = ("disk full", "commit fails", "commit slow", "commit answer lost", "read fails")
NETWORK = (
    "update duplicated",
    "updates reordered",
    "poll fails",
    "send lost",
    "send answer lost",
    "send stalls",
    "rate limited",
    "refused",
    "edit refused",
    "offline",
)
MODEL = ("model fails", "model hangs", "model half stream", "model slow", "tool fails", "tool slow")
MACHINE = ("clock back", "clock forward", "pause", "stop")
ALL = (*KILLS, *STORAGE, *NETWORK, *MODEL, *MACHINE)

WINDOWED = frozenset({"disk full", "offline"})
EVERY_SECOND = frozenset({"kill at random", "stop", "clock back", "clock forward", "pause"})
"""Asked for once a second, not once per thing that happens."""
FREQUENT = frozenset({"kill before commit", "kill after commit", "kill in read", *EVERY_SECOND, *WINDOWED})
SEVERE = frozenset({*KILLS, "refused", "model hangs", "send stalls"}) - FREQUENT


class Faults:
    """Every seed has another subset of the faults at other rates, so that rare combinations meet."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._rates = {name: self._rate(name) for name in ALL}
        self._until: dict[str, float] = {}
        self.counts: Counter[str] = Counter()
        self.is_active = True

    def hits(self, name: str) -> bool:
        """Decide whether a fault happens now."""
        rate = self._rates[name]
        if not self.is_active or rate == 0 or self._random.random() >= rate:
            return False
        self.counts[name] += 1
        return True

    def holds(self, name: str, now: float) -> bool:
        """Decide whether a fault that lasts is going on at a time; it may begin now."""
        if not self.is_active:
            return False
        if now < self._until.get(name, 0.0):
            return True
        if not self.hits(name):
            return False
        self._until[name] = now + self._random.uniform(0.5, 60.0)
        return True

    def _rate(self, name: str) -> float:
        if self._random.random() < 0.45:
            return 0.0
        most = 0.01 if name in FREQUENT else 0.06 if name in SEVERE else 0.12
        return most * self._random.random() ** 2
