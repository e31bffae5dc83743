"""Feed the gateway, its webhooks and every reader of outside bytes with damaged input, and say what it did.

Usage: python scripts/fuzz.py [--frames 1000000] [--bodies 500000] [--texts 100000] [--seed 1]
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.fuzz.campaign import run
from tests.fuzz.watch import Findings

PROGRESS_SECONDS = 10.0


class Progress:
    """Prints how far it is, at most every ten seconds, and what was found as soon as it is found."""

    def __init__(self) -> None:
        self._began = self._told = time.monotonic()
        self._known = 0
        self.last = Counter[str]()

    def tell(self, total: Counter[str], findings: Findings) -> None:
        """Hear of a finished round."""
        self.last = total.copy()
        for found in findings.found[self._known :]:
            say(f"FOUND {found}")
        self._known = len(findings.found)
        now = time.monotonic()
        if now - self._told > PROGRESS_SECONDS:
            self._told = now
            say(f"{total.total()} inputs in {now - self._began:.0f} s, {self._known} findings")

    def summary(self, seed: int, findings: Findings) -> None:
        """Print the totals."""
        took = time.monotonic() - self._began
        for name, count in self.last.items():
            say(f"  {name:28} {count}")
        rate = self.last.total() / took
        say(f"seed {seed}: {self.last.total()} inputs in {took:.0f} s ({rate:.0f}/s), slowest {findings.slowest:.2f} s")
        say(f"{len(findings.found)} findings")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Return 0 when nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--bodies", type=int, default=500_000)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    chosen = parser.parse_args()
    say(f"seed {chosen.seed}; run again with: make fuzz SEED={chosen.seed}")
    progress = Progress()
    findings = run(chosen.seed, chosen.frames, chosen.bodies, chosen.texts, progress.tell)
    progress.summary(chosen.seed, findings)
    return int(bool(findings.found))


if __name__ == "__main__":
    sys.exit(main())
