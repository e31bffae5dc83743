from __future__ import annotations

from homarus.ids import RunId
from homarus.tools.loop_guard import MAX_RUNS, LoopGuard


def test_only_equal_calls_in_a_row_of_one_run_count() -> None:
    guard = LoopGuard()
    counts = [guard.count(RunId("a"), "read", "{}") for _ in range(3)]
    assert counts == [1, 2, 3]
    assert guard.count(RunId("b"), "read", "{}") == 1
    assert guard.count(RunId("a"), "read", '{"path": "x"}') == 1
    assert guard.count(RunId("a"), "read", "{}") == 1
    assert guard.count(RunId("a"), "list", "{}") == 1


def test_old_runs_are_forgotten_and_the_used_ones_stay() -> None:
    guard = LoopGuard()
    guard.count(RunId("old"), "read", "{}")
    guard.count(RunId("used"), "read", "{}")
    for number in range(MAX_RUNS - 1):
        guard.count(RunId(f"run-{number}"), "read", "{}")
        guard.count(RunId("used"), "read", "{}")
    assert guard.count(RunId("old"), "read", "{}") == 1
    assert guard.count(RunId("used"), "read", "{}") == MAX_RUNS + 1


def test_arguments_that_are_no_valid_text_are_counted_too() -> None:
    assert LoopGuard().count(RunId("a"), "read", "\ud800") == 1
