"""Two hundred seeds of the real pipeline in an unreal world; `make simulate` runs ten thousand."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from homarus.testing.simulation.disk import Disk
from homarus.testing.simulation.faults import KILLS
from homarus.testing.simulation.summary import Summary
from homarus.testing.simulation.world import simulate

SEEDS = 200
SHARE = 20
HASHED = """
from homarus.testing.simulation.disk import Disk
from homarus.testing.simulation.world import simulate
import hashlib
traces = [line for seed in (3, 11, 42) for line in simulate(seed, Disk(), keeps_trace=True).trace]
print(len(traces), hashlib.sha256("\\n".join(traces).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def disk() -> Iterator[Disk]:
    disk = Disk()
    yield disk
    disk.close()


@pytest.mark.parametrize("first", range(0, SEEDS, SHARE))
def test_nothing_is_lost_doubled_or_out_of_order_whatever_fails(first: int, disk: Disk) -> None:
    summary = Summary()
    for seed in range(first, first + SHARE):
        summary.add(simulate(seed, disk))
    assert summary.failed == {}, "replay with: make simulate SEED=<seed>"
    assert summary.messages > SHARE
    assert summary.shown > SHARE
    assert summary.kills > 0


def test_the_seeds_reach_every_fault(disk: Disk) -> None:
    """Faults are decided by the seed alone; those that have many come first, so that few are looked at."""
    missing = {*KILLS, "disk full", "commit answer lost", "send answer lost", "clock back", "refused"}
    for seed in dict.fromkeys((5, 71, 10, 1, *range(SEEDS))):
        if not missing:
            break
        missing -= {name for name, count in simulate(seed, disk).faults.items() if count}
    assert missing == set()


def test_a_seed_replays_the_same_in_another_process() -> None:
    outputs = {_run_hashed(hash_seed) for hash_seed in ("1", "2")}
    assert len(outputs) == 1
    assert int(next(iter(outputs)).split()[0]) > 50


def _run_hashed(hash_seed: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", HASHED], env={"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("seed", [701, 839, 1505, 2049, 2326, 2334, 2645, 5725])
def test_seeds_that_once_found_something_stay_clean(seed: int, disk: Disk) -> None:
    """Among them: a message overtaken while dropping it failed, a preview taken back, a preview lost with more text
    than its part, a reply sent anew whose answer was lost, a message lost on its way into a run."""
    assert simulate(seed, disk).violations == ()
