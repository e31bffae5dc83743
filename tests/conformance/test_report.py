"""The table of a conformance run."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.checks import FAMILIES
from conformance.report import Outcome, record, summary, table

GOOD = Outcome("2026.4.5", "cron", "cron add", is_passed=True, seen="made | kept", seconds=1.0)
BAD = Outcome("2026.9.6", "cron", "cron rm", is_passed=False, seen="still there", seconds=2.0)


def test_a_check_has_one_row_and_each_release_a_column() -> None:
    assert table([GOOD, BAD]).splitlines() == [
        "| Clients | Check | 2026.4.5 | 2026.9.6 |",
        "|---|---|---|---|",
        "| cron | cron add | pass: made \\| kept | not run |",
        "| cron | cron rm | not run | FAIL: still there |",
    ]
    assert summary([GOOD, BAD]) == "1 passed, 1 failed"


def test_a_run_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- last run -->\nold\n<!-- end of last run -->\nafter\n", encoding="utf-8")
    record(page, "new")
    assert page.read_text(encoding="utf-8") == ("before\n<!-- last run -->\n\nnew\n\n<!-- end of last run -->\nafter\n")
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(ValueError, match="no place"):
        record(page, "new")


def test_every_family_has_a_title_of_its_own_and_checks() -> None:
    assert len({family.title for family in FAMILIES}) == len(FAMILIES)
    assert all(family.names() for family in FAMILIES)
    for family in FAMILIES:
        assert len(set(family.names())) == len(family.names()), family.title
