"""Run the pipeline under the simulator for many seeds, or replay one with its trace.

Usage: python scripts/simulate.py --seeds 10000 [--first 0] [--workers 2]
       python scripts/simulate.py --seed 17
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterable

from homarus.testing.simulation.disk import Disk
from homarus.testing.simulation.summary import Summary
from homarus.testing.simulation.world import simulate

SHARE = 25


def run_share(seeds: range) -> Summary:
    """Run some seeds in this process."""
    disk, summary = Disk(), Summary()
    for seed in seeds:
        summary.add(simulate(seed, disk))
    disk.close()
    return summary


def run_many(first: int, count: int, workers: int) -> Summary:
    """Run seeds on several processes, saying now and then how far it is."""
    shares = [range(at, min(at + SHARE, first + count)) for at in range(first, first + count, SHARE)]
    total, began, told = Summary(), time.monotonic(), time.monotonic()
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        results: Iterable[Summary] = pool.imap_unordered(run_share, shares)
        for summary in results:
            total.merge(summary)
            for seed, found in summary.failed.items():
                say(f"seed {seed}: {found[0]}")
            if time.monotonic() - told > 10:
                told = time.monotonic()
                say(f"{total.seeds} of {count} seeds, {len(total.failed)} with violations, {told - began:.0f} s")
    return total


def replay(seed: int) -> int:
    """Print the trace of one seed and its verdict."""
    result = simulate(seed, Disk(), keeps_trace=True)
    for line in (*result.trace, *(f"VIOLATION {found}" for found in result.violations)):
        say(line)
    say(f"seed {seed}: {len(result.violations)} violations, {result.lives} lives, {result.kills} kills")
    return int(bool(result.violations))


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Return 0 when no seed had a violation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    if chosen.seed is not None:
        return replay(chosen.seed)
    total = run_many(chosen.first, chosen.seeds, chosen.workers)
    say(f"seeds {chosen.first} to {chosen.first + chosen.seeds - 1}")
    for line in total.lines():
        say(line)
    return int(bool(total.failed))


if __name__ == "__main__":
    sys.exit(main())
