"""Plain numbers that the hot path counts; who shows them reads them when asked and pays for it then."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds of times: from a commit to a long tool call."""
SIZES: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
"""Upper bounds of batches."""
HOURS: Final = (60.0, 300.0, 900.0, 1800.0, 3600.0, 14_400.0, 86_400.0, 604_800.0)
"""Upper bounds of how long a session lasted, in seconds."""
MAX_LABELS: Final = 200
OTHER: Final = "other"
STAGES: Final = ("queue", "prepare", "model_first_token", "model", "tools", "commit", "delivery")
"""The stages of a turn, in order: accepted to begun, prompt and workspace, first token, whole answer, one tool call,
the commit of the end, from that commit to the platform's receipt."""


class Histogram:
    """How often values fell below each bound. Written by one thread at a time; units are those of the bounds."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...] = SECONDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value; a clock that was set back counts as zero."""
        value = max(0.0, value)
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    @property
    def count(self) -> int:
        """Return how many values were counted."""
        return sum(self.counts)


class Counts:
    """Counters by labels. Labels may come from outside, so that after MAX_LABELS kinds the rest is counted together."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: dict[tuple[str, ...], int] = {}

    def add(self, *labels: str, by: int = 1) -> None:
        """Count something."""
        known = self.values.get(labels)
        if known is None and len(self.values) >= MAX_LABELS:
            labels = (OTHER,) * len(labels)
            known = self.values.get(labels)
        self.values[labels] = (known or 0) + by

    @property
    def total(self) -> int:
        """Return the sum over all labels."""
        return sum(self.values.values())


class Meter:
    """What one process counts from its start.

    Labels: `received` (channel, outcome), `runs` (outcome), `tools` (tool, status), `model_calls` (model, outcome),
    `tokens` (model, kind), `parts` (channel, outcome). `processed` counts messages that reached their end.
    """

    __slots__ = (
        "model_calls",
        "parts",
        "processed",
        "processing",
        "received",
        "runs",
        "sessions",
        "stages",
        "tokens",
        "tools",
    )

    def __init__(self) -> None:
        self.received = Counts()
        self.runs = Counts()
        self.tools = Counts()
        self.model_calls = Counts()
        self.tokens = Counts()
        self.parts = Counts()
        self.processed = 0
        self.processing = Histogram()
        self.sessions = Histogram(HOURS)
        self.stages = {stage: Histogram() for stage in STAGES}
