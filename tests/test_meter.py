from __future__ import annotations

from homarus.meter import MAX_LABELS, OTHER, Counts, Histogram


def test_a_value_counts_below_the_first_bound_that_holds_it() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        histogram.observe(value)
    assert histogram.counts == [2, 1, 1]
    assert (histogram.count, histogram.total) == (4, 12.0)


def test_a_clock_that_was_set_back_counts_as_zero() -> None:
    histogram = Histogram((1.0,))
    histogram.observe(-5.0)
    assert (histogram.counts, histogram.total) == ([1, 0], 0.0)


def test_names_from_outside_cannot_make_the_counters_grow_for_ever() -> None:
    counts = Counts()
    for number in range(MAX_LABELS + 50):
        counts.add(f"tool{number}", "success")
    counts.add("tool1", "success", by=2)
    assert len(counts.values) == MAX_LABELS + 1
    assert counts.values[OTHER, OTHER] == 50
    assert counts.values["tool1", "success"] == 3
    assert counts.total == MAX_LABELS + 52
