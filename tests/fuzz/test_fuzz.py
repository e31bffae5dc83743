"""A bounded run of every fuzzer, the same every time; `make fuzz` runs the long one, new every time."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.fuzz.campaign import run
from tests.fuzz.watch import Findings

SEEDS = (1, 2)
FRAMES, BODIES, TEXTS = 3_000, 2_000, 400


def feed(seed: int, frames: int = 0, bodies: int = 0, texts: int = 0) -> Counter[str]:
    """Feed, fail with what was found, and return what was fed."""
    done = Counter[str]()

    def keep(total: Counter[str], _findings: Findings) -> None:
        done.update({name: count - done[name] for name, count in total.items()})

    found = run(seed, frames, bodies, texts, keep).found
    assert found == [], f"{len(found)} findings; run again with: make fuzz SEED={seed}"
    return done


@pytest.mark.parametrize("seed", SEEDS)
def test_frames_change_nothing_before_login_and_break_nothing_after(seed: int) -> None:
    done = feed(seed, frames=FRAMES)
    assert done.total() == FRAMES
    assert min(done.values()) >= FRAMES // 6


@pytest.mark.parametrize("seed", SEEDS)
def test_bodies_are_answered_and_commit_nothing_without_a_secret(seed: int) -> None:
    assert feed(seed, bodies=BODIES).total() == BODIES


@pytest.mark.parametrize("seed", SEEDS)
def test_readers_of_lines_streams_and_configurations_fail_in_their_own_words(seed: int) -> None:
    assert feed(seed, texts=TEXTS).total() == 3 * TEXTS
