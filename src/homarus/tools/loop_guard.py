"""Stops a model that makes the same call again and again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from homarus.ids import RunId

MAX_REPEATS = 5
MAX_RUNS = 1_024


class LoopGuard:
    """Counts equal calls in a row per run; the longest unused run is forgotten when there are more than MAX_RUNS."""

    def __init__(self) -> None:
        self._runs: OrderedDict[RunId, tuple[bytes, int]] = OrderedDict()

    def count(self, run_id: RunId, name: str, arguments: str) -> int:
        """Note a call and return how many times it was made in a row, this one included."""
        digest = hashlib.blake2b(f"{name}\0{arguments}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
        last, times = self._runs.pop(run_id, (b"", 0))
        times = times + 1 if last == digest else 1
        self._runs[run_id] = (digest, times)
        if len(self._runs) > MAX_RUNS:
            self._runs.popitem(last=False)
        return times
