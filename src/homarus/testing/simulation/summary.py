"""What many seeds did together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct, field

from homarus.testing.simulation.faults import ALL
from homarus.testing.simulation.world import Result


class Summary(Struct):
    """Totals over seeds; `failed` maps a seed to what was wrong in it."""

    seeds: int = 0
    messages: int = 0
    shown: int = 0
    events: int = 0
    lives: int = 0
    kills: int = 0
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter[str])
    failed: dict[int, tuple[str, ...]] = field(default_factory=dict[int, "tuple[str, ...]"])

    def add(self, result: Result) -> None:
        """Count one seed."""
        self.seeds += 1
        self.messages += result.messages
        self.shown += result.shown
        self.events += result.events
        self.lives += result.lives
        self.kills += result.kills
        self.seconds += result.seconds
        self.faults.update(result.faults)
        if result.violations:
            self.failed[result.seed] = result.violations

    def merge(self, other: Summary) -> None:
        """Count what another summary counted."""
        self.seeds += other.seeds
        self.messages += other.messages
        self.shown += other.shown
        self.events += other.events
        self.lives += other.lives
        self.kills += other.kills
        self.seconds += other.seconds
        self.faults.update(other.faults)
        self.failed.update(other.failed)

    def lines(self) -> Iterator[str]:
        """Yield the summary as text."""
        yield (
            f"{self.seeds} seeds, {self.messages} messages in, {self.shown} parts shown, {self.events} events, "
            f"{self.seconds / 3600:.0f} simulated hours"
        )
        yield f"{self.lives} lives of the process, {self.kills} kills"
        for name in ALL:
            yield f"  {name:20} {self.faults[name]}"
        yield f"{len(self.failed)} seeds with violations"
        for seed, found in sorted(self.failed.items())[:20]:
            yield f"  seed {seed}: {found[0]}"
            yield f"    replay: make simulate SEED={seed}"
